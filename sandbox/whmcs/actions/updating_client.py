"""UpdateClient (whmcs-wire §3.1)."""

from sandbox.whmcs.accounts import fields
from sandbox.whmcs.accounts.addresses import is_email
from sandbox.whmcs.actions.adding_client import deprecation
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Client

STATUSES = ("Active", "Inactive", "Closed")
_NO_DOMAIN_MAIL = (
    "You must have at least one email address enabled to receive domain related notifications as required by ICANN. To"
    " disable domain notifications, please create an alternative contact that is set to receive them"
)
_TEXTS = {"notes": "notes", "language": "language", "paymentmethod": "gateway"}
_NUMBERS = {"currency": "currency", "groupid": "groupid"}
_FLAGS = {
    "marketingoptin": "marketing",
    "taxexempt": "tax_exempt",
    "latefeeoveride": "late_fee_override",
    "overideduenotices": "override_due_notices",
    "separateinvoices": "separate_invoices",
    "disableautocc": "disable_auto_capture",
    "overrideautoclose": "override_auto_close",
}
_CARD = ("cardtype", "cardnum", "expdate", "startdate", "issuenumber", "cvv")
_BANK = ("bankcode", "bankacct")


def update_client(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent and not empty: an empty value clears nothing (§3.1). The user's login stays as it is."""
    client = _wanted(whmcs, form)
    _check_email(whmcs, form, client)
    _check_domain_mail(whmcs, form, client)
    _check_cards(whmcs, form, client)
    changed = _take(whmcs, form, client)
    whmcs.clients.put(client)
    payload = {"clientid": str(client.id), **deprecation(form, "UpdateClient")}
    return Answer(payload, key=str(client.id), detail={"changed": changed})


def _wanted(whmcs: Whmcs, form: PhpArray) -> Client:
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None and not text(form.get("clientid")):
        client = next(iter(whmcs.clients.find("email", text(form.get("clientemail")))), None)
    if client is None:
        raise Refused("Client ID Not Found")
    return client


def _check_email(whmcs: Whmcs, form: PhpArray, client: Client) -> None:
    email = text(form.get("email"))
    if email and not is_email(email):
        raise Refused("The email address entered is not valid")
    if any(other.id != client.id for other in whmcs.clients.find("email", email)):
        raise Refused("Duplicate Email Address")


def _check_domain_mail(whmcs: Whmcs, form: PhpArray, client: Client) -> None:
    wanted = fields.sent_preferences(form).get("domain", True)
    contacts = whmcs.contacts.find("client_id", client.id)
    if not wanted and not any(each.email_preferences.get("domain") for each in contacts):
        raise Refused(_NO_DOMAIN_MAIL)


def _check_cards(whmcs: Whmcs, form: PhpArray, client: Client) -> None:
    """Parameters from when a client had one card cannot tell which of several is meant."""
    stored = whmcs.pay_methods.find("client_id", client.id)
    cards = [each for each in stored if each.type.endswith("CreditCard")]
    clear, about_card, about_bank = truthy(form.get("clearcreditcard")), _sent(form, _CARD), _sent(form, _BANK)
    if len(cards) > 1 and (clear or about_card):
        raise Refused("Multiple Credit Card Pay Methods Found")
    if len(stored) - len(cards) > 1 and about_bank:
        raise Refused("Multiple Bank Account Pay Methods Found")
    if clear:
        for card in cards:
            whmcs.pay_methods.delete(card.id)


def _sent(form: PhpArray, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if text(form.get(name))]


def _take(whmcs: Whmcs, form: PhpArray, client: Client) -> list[str]:
    """Copies what was sent onto the client and returns the names of the parameters."""
    settings = whmcs.settings
    taken = fields.take_person(client, form, settings) + fields.take_preferences(client, form)
    for name in (name for name in _TEXTS if fields.is_sent(form, name, settings)):
        setattr(client, _TEXTS[name], text(form[name]))
        taken.append(name)
    for name in (name for name in _NUMBERS if text(form.get(name))):
        setattr(client, _NUMBERS[name], to_int(form[name]))
        taken.append(name)
    for name in (name for name in _FLAGS if text(form.get(name))):
        setattr(client, _FLAGS[name], truthy(form[name]))
        taken.append(name)
    if text(form.get("status")) in STATUSES:
        client.status = text(form["status"])
        taken.append("status")
    values = fields.sent_fields(form, settings)
    client.customfields = {**client.customfields, **values}
    return taken + ["customfields"] * bool(values)
