"""AddClient (whmcs-wire §3.1)."""

import uuid
from collections.abc import Iterator

from sandbox.whmcs import mails
from sandbox.whmcs.accounts import fields, passwords, users
from sandbox.whmcs.accounts.addresses import is_country, is_email, is_phone
from sandbox.whmcs.accounts.switches import CUSTOMER_NUMBER_FIELD
from sandbox.whmcs.actions.documented import documented
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import CURRENCY_ID
from sandbox.whmcs.records import Client, Settings, User

# The double blank before "address line 1" is WHMCS's own (§3.1).
_BEFORE_EMAIL = {
    "firstname": "You did not enter your first name",
    "lastname": "You did not enter your last name",
}
_AFTER_EMAIL = {
    "address1": "You did not enter your  address line 1",
    "city": "You did not enter your city",
    "state": "You did not enter your state",
    "postcode": "You did not enter your postcode",
    "country": "Valid country required",
    "phonenumber": "You did not enter your phone number",
}
_CARD = ("cardtype", "cardnum", "expdate", "startdate", "issuenumber", "cvv")
IGNORED = frozenset({"securityqid", "securityqans", "clientip", *_CARD})
_NO_EMAIL = "You did not enter your email address"


def add_client(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Makes a client and, unless `owner_user_id` names one, its user. Naturally repeatable: an address is taken once.

    The first complaint in the documented order is the error; `skipvalidation` silences all but those about e-mail and
    password.
    """
    owner = _named_owner(whmcs, form)
    complaint = next(_complaints(whmcs, form, owner), "")
    if complaint:
        raise Refused(complaint)
    owner = owner or _new_user(whmcs, form)
    client = whmcs.clients.put(_new_client(whmcs, form, owner))
    sent = [] if truthy(form.get("noemail")) else mails.send(whmcs, client.id, "Client Signup Email")
    number = client.customfields.get(str(CUSTOMER_NUMBER_FIELD), "")
    return Answer(
        {"clientid": str(client.id), "owner_id": str(owner.id), **deprecation(form, "AddClient")},
        key=str(client.id),
        detail={"customer_number": number, "mails": sent},
    )


def _named_owner(whmcs: Whmcs, form: PhpArray) -> User | None:
    if not text(form.get("owner_user_id")):
        return None
    user = whmcs.users.get(to_int(form["owner_user_id"]))
    if user is None:
        raise Refused("Invalid Owner User ID")
    return user


def _complaints(whmcs: Whmcs, form: PhpArray, owner: User | None) -> Iterator[str]:
    """Everything wrong with the form, in the order of the reference."""
    email, settings = text(form.get("email")), whmcs.settings
    strict = not truthy(form.get("skipvalidation"))
    if strict:
        yield from _missing(form, _BEFORE_EMAIL)
    if not is_email(email):
        yield "The email address you entered was not valid" if email else _NO_EMAIL
    if strict:
        yield from _missing(form, _AFTER_EMAIL)
        yield from _unusable(form, settings)
    if owner is None and settings.password_required and not text(form.get("password2")):
        yield "The Password field is required."
    if whmcs.clients.find("email", email):
        yield "The email address entered is not available for use."
    if owner is None and users.by_email(whmcs, email):
        yield "A user already exists with that email address"


def _missing(form: PhpArray, required: dict[str, str]) -> Iterator[str]:
    return (complaint for name, complaint in required.items() if not text(form.get(name)))


def _unusable(form: PhpArray, settings: Settings) -> Iterator[str]:
    """Values that are there and cannot be taken; a missing custom field comes last."""
    if not is_country(text(form.get("country"))):
        yield _AFTER_EMAIL["country"]
    if not is_phone(text(form.get("phonenumber"))):
        yield "Invalid telephone phone number"
    sent = fields.sent_fields(form, settings)
    for each in settings.client_fields:
        if each.required and not sent.get(str(each.id)):
            yield f"You did not provide required custom field value for {each.name}"


def _new_user(whmcs: Whmcs, form: PhpArray) -> User:
    password = text(form.get("password2"))
    return whmcs.users.put(
        User(
            id=whmcs.users.next_id(),
            email=text(form.get("email")),
            firstname=text(form.get("firstname")),
            lastname=text(form.get("lastname")),
            created=whmcs.timestamp(),
            password=passwords.hashed(password) if password else "",
            language=text(form.get("language")),
        )
    )


def _new_client(whmcs: Whmcs, form: PhpArray, owner: User) -> Client:
    client = Client(
        id=whmcs.clients.next_id(),
        owner_user_id=owner.id,
        email="",
        firstname="",
        lastname="",
        created=whmcs.timestamp(),
        uuid=str(uuid.uuid4()),
        notes=text(form.get("notes")),
        language=text(form.get("language")),
        currency=to_int(form.get("currency")) or CURRENCY_ID,
        groupid=to_int(form.get("groupid")),
        marketing=truthy(form.get("marketingoptin")),
        customfields=fields.sent_fields(form, whmcs.settings),
    )
    fields.take_person(client, form, whmcs.settings)
    return client


def deprecation(form: PhpArray, action: str) -> Payload:
    """The warning that comes with success when a deprecated parameter was used; the name of its field is not
    documented (§1.2)."""
    known = documented()[action.lower()]
    used = any(name in form for name in known.deprecated)
    return {"warning": known.warnings[0]} if used and known.warnings else {}
