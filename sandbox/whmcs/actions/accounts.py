"""AddClient and UpdateClient (whmcs-wire §3.1)."""

import re
import uuid

from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.arrays import field_values
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import CURRENCY_ID
from sandbox.whmcs.records import CUSTOMER_NUMBER_FIELD, Client, User

CLIENT_FIELDS = frozenset({CUSTOMER_NUMBER_FIELD})
STATUSES = ("Active", "Inactive", "Closed")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_COUNTRY = re.compile(r"[A-Z]{2}\Z")
# The double blank before "address line 1" is WHMCS's own (§3.1).
_REQUIRED = {
    "firstname": "You did not enter your first name",
    "lastname": "You did not enter your last name",
    "address1": "You did not enter your  address line 1",
    "city": "You did not enter your city",
    "state": "You did not enter your state",
    "postcode": "You did not enter your postcode",
    "country": "Valid country required",
    "phonenumber": "You did not enter your phone number",
}
_PLAIN_FIELDS = (
    "firstname",
    "lastname",
    "companyname",
    "email",
    "address1",
    "address2",
    "city",
    "state",
    "postcode",
    "country",
    "tax_id",
    "notes",
    "language",
)


def add_client(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Makes a client and, unless `owner_user_id` names one, its user; e-mail and password are never optional."""
    _check_email(text(form.get("email")))
    if not truthy(form.get("skipvalidation")):
        _check_required(form)
    if whmcs.clients.find("email", text(form.get("email"))):
        raise Refused("The email address entered is not available for use.")
    owner = _owner(whmcs, form)
    client = _new_client(whmcs, form, owner.id)
    whmcs.clients.put(client)
    mails = [] if truthy(form.get("noemail")) else ["Client Signup Email"]
    return Answer(
        {"clientid": str(client.id), "owner_id": str(owner.id)},
        key=str(client.id),
        detail={"customer_number": client.customfields.get(str(CUSTOMER_NUMBER_FIELD), ""), "mails": mails},
    )


def _check_email(email: str) -> None:
    if not email:
        raise Refused("You did not enter your email address")
    if not _EMAIL.match(email):
        raise Refused("The email address you entered was not valid")


def _check_required(form: PhpArray) -> None:
    for name, complaint in _REQUIRED.items():
        if not text(form.get(name)):
            raise Refused(complaint)
    if not _COUNTRY.match(text(form.get("country"))):
        raise Refused(_REQUIRED["country"])
    if not _digits(text(form.get("phonenumber"))):
        raise Refused("Invalid telephone phone number")


def _owner(whmcs: Whmcs, form: PhpArray) -> User:
    """The named user, or a new one; 9.x refuses to make one without a password (§3.1)."""
    if form.get("owner_user_id"):
        user = whmcs.users.get(to_int(form["owner_user_id"]))
        if user is None:
            raise Refused("Invalid Owner User ID")
        return user
    if not text(form.get("password2")):
        raise Refused("The Password field is required.")
    email = text(form.get("email"))
    if whmcs.users.find("email", email):
        raise Refused("A user already exists with that email address")
    names = text(form.get("firstname")), text(form.get("lastname"))
    return whmcs.users.put(User(whmcs.users.next_id(), email, *names, whmcs.timestamp()))


def _new_client(whmcs: Whmcs, form: PhpArray, owner_user_id: int) -> Client:
    client = Client(
        id=whmcs.clients.next_id(),
        owner_user_id=owner_user_id,
        email="",
        firstname="",
        lastname="",
        created=whmcs.timestamp(),
        uuid=str(uuid.uuid4()),
    )
    _take_sent_fields(client, form)
    client.currency = to_int(form.get("currency")) or CURRENCY_ID
    return client


def update_client(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent and not empty: an empty value clears nothing (§3.1)."""
    client = _wanted(whmcs, form)
    email = text(form.get("email"))
    if email and not _EMAIL.match(email):
        raise Refused("The email address entered is not valid")
    if any(other.id != client.id for other in whmcs.clients.find("email", email)):
        raise Refused("Duplicate Email Address")
    changed = _take_sent_fields(client, form)
    status = text(form.get("status"))
    if status in STATUSES:
        client.status = status
        changed.append("status")
    whmcs.clients.put(client)
    return Answer({"clientid": str(client.id)}, key=str(client.id), detail={"changed": changed})


def _wanted(whmcs: Whmcs, form: PhpArray) -> Client:
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None and not form.get("clientid"):
        client = next(iter(whmcs.clients.find("email", text(form.get("clientemail")))), None)
    if client is None:
        raise Refused("Client ID Not Found")
    return client


def _take_sent_fields(client: Client, form: PhpArray) -> list[str]:
    """Copies every non-empty value onto the client and returns the names of the fields that were sent."""
    sent = [name for name in _PLAIN_FIELDS if text(form.get(name))]
    for name in sent:
        setattr(client, name, text(form[name]))
    if text(form.get("phonenumber")):
        client.phonenumber = _digits(text(form["phonenumber"]))
        sent.append("phonenumber")
    values = {
        number: value for number, value in field_values(form.get("customfields")).items() if number in CLIENT_FIELDS
    }
    client.customfields |= {str(number): value for number, value in values.items()}
    return sent + ["customfields"] * bool(values)


def _digits(value: str) -> str:
    return "".join(character for character in value if character in "0123456789")
