"""AddContact, UpdateContact, DeleteContact and GetContacts: a client's address book (whmcs-wire §2)."""

from sandbox.whmcs.accounts import fields
from sandbox.whmcs.accounts.records import Contact
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of
from sandbox.whmcs.php import PhpArray, text, to_int

_FILTERS = (
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
    "phonenumber",
)
_MAILS = ("domain", "general", "invoice", "product", "support", "affiliate")
_NO_DOMAIN_MAIL = (
    "You must have at least one email address enabled to receive domain related notifications as required by ICANN. To"
    " disable domain notifications, please enable domain notifications for the primary account holder or another"
    " contact"
)


def add_contact(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Makes an entry, with nothing required but the client. Repeatable only with an e-mail address, which is taken
    once."""
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None:
        raise Refused("Client ID Not Found")
    _check_email(whmcs, form)
    now = whmcs.timestamp()
    contact = Contact(whmcs.contacts.next_id(), client.id, created=now, updated=now)
    fields.take_person(contact, form, whmcs.settings)
    fields.take_preferences(contact, form)
    whmcs.contacts.put(contact)
    return Answer({"contactid": contact.id}, key=str(contact.id), detail={"client": client.id})


def _check_email(whmcs: Whmcs, form: PhpArray, *, of: int = 0) -> None:
    email = text(form.get("email"))
    if email and any(each.id != of for each in whmcs.contacts.find("email", email)):
        raise Refused("Duplicate Email Address")


def update_contact(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent and not empty."""
    contact = _wanted(whmcs, form)
    _check_email(whmcs, form, of=contact.id)
    _check_domain_mail(whmcs, form, contact)
    changed = fields.take_person(contact, form, whmcs.settings) + fields.take_preferences(contact, form)
    contact.updated = whmcs.timestamp()
    whmcs.contacts.put(contact)
    return Answer({"contactid": contact.id}, key=str(contact.id), detail={"changed": changed})


def _check_domain_mail(whmcs: Whmcs, form: PhpArray, contact: Contact) -> None:
    """Somebody has to hear of domains: the client itself, this contact or another."""
    if fields.sent_preferences(form).get("domain", True) or not contact.email_preferences.get("domain"):
        return
    client = whmcs.clients.get(contact.client_id)
    others = [each for each in whmcs.contacts.find("client_id", contact.client_id) if each.id != contact.id]
    hearing = [each.email_preferences for each in others] + ([client.email_preferences] if client else [])
    if not any(each.get("domain") for each in hearing):
        raise Refused(_NO_DOMAIN_MAIL)


def delete_contact(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Removes the entry."""
    contact = _wanted(whmcs, form)
    whmcs.contacts.delete(contact.id)
    return Answer({"contactid": contact.id}, key=str(contact.id), detail={"client": contact.client_id})


def _wanted(whmcs: Whmcs, form: PhpArray) -> Contact:
    contact = whmcs.contacts.get(to_int(form.get("contactid")))
    if contact is None:
        raise Refused("Contact ID Not Found")
    return contact


def get_contacts(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Contacts of the client in `userid`, or everybody's, whose fields equal what was sent."""
    client = text(form.get("userid"))
    among = whmcs.contacts.find("client_id", to_int(client)) if client else whmcs.contacts.walk()
    wanted = {name: text(form[name]).casefold() for name in _FILTERS if text(form.get(name))}
    found = [each for each in among if all(getattr(each, name).casefold() == wanted[name] for name in wanted)]
    return Answer(page_of(form, found).envelope("contacts", "contact", _row))


def _row(contact: Contact) -> Payload:
    return {
        "id": contact.id,
        "userid": contact.client_id,
        **{name: getattr(contact, name) for name in _FILTERS},
        "tax_id": contact.tax_id,
        **{f"{kind}emails": contact.email_preferences.get(kind, False) for kind in _MAILS},
        "created_at": contact.created,
        "updated_at": contact.updated,
    }
