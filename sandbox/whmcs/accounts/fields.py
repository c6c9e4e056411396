"""Values that come under the names of a client's or contact's fields."""

from sandbox.whmcs.accounts.addresses import digits
from sandbox.whmcs.accounts.records import MAIL_KINDS, Contact
from sandbox.whmcs.accounts.switches import AccountSwitches
from sandbox.whmcs.arrays import field_values
from sandbox.whmcs.php import PhpArray, by_key, text, truthy
from sandbox.whmcs.records import Client

_TEXTS = (
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
)


def take_person(person: Client | Contact, form: PhpArray, settings: AccountSwitches) -> list[str]:
    """Copies what was sent onto a client or contact; returns the names of the fields.

    An empty value is ignored unless the installation is set to clear the field (§3.1).
    """
    taken = [name for name in _TEXTS if is_sent(form, name, settings)]
    for name in taken:
        setattr(person, name, text(form[name]))
    if is_sent(form, "phonenumber", settings):
        number = text(form["phonenumber"])
        person.phonenumber = digits(number) if settings.phone_digits_only else number
        taken.append("phonenumber")
    return taken


def take_preferences(person: Client | Contact, form: PhpArray) -> list[str]:
    """The same for the kinds of mail that are wanted."""
    preferences = sent_preferences(form)
    person.email_preferences = {**person.email_preferences, **preferences}
    return ["email_preferences"] * bool(preferences)


def is_sent(form: PhpArray, name: str, settings: AccountSwitches) -> bool:
    """Whether a text field is to be written."""
    return bool(text(form.get(name))) or (settings.empty_clears and name in form)


def sent_preferences(form: PhpArray) -> dict[str, bool]:
    """Kinds of mail that were switched on or off by `email_preferences[kind]`."""
    sent = by_key(form.get("email_preferences"))
    return {kind: truthy(sent[kind]) for kind in MAIL_KINDS if kind in sent}


def sent_fields(form: PhpArray, settings: AccountSwitches) -> dict[str, str]:
    """Values of custom fields that this installation has, by id as text."""
    known = {each.id for each in settings.client_fields}
    return {str(number): value for number, value in field_values(form.get("customfields")).items() if number in known}
