"""What the actions about tickets share: who writes, when, with what attached, and how that is shown (§3.6)."""

import base64
import binascii
import json
from datetime import datetime
from typing import Any

from sandbox.whmcs.accounts.addresses import is_email
from sandbox.whmcs.accounts.users import may_act_for
from sandbox.whmcs.answers import Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import Client
from sandbox.whmcs.support.records import Attachment, Sender, Ticket, TicketNote, TicketReply

STAFF = "Sandbox Admin"


def sender_of(whmcs: Whmcs, form: PhpArray, *, by_user: bool) -> Sender:
    """The client, with the user, where that can be sent, or contact, or a person by name and address. Raises
    Refused."""
    if not text(form.get("clientid")):
        return Sender(name=text(form.get("name")), email=text(form.get("email")))
    client = whmcs.clients.get(to_int(form["clientid"]))
    if client is None:
        raise Refused("Client ID Not Found")
    user_id = to_int(form.get("userid")) if by_user else 0
    if user_id and (whmcs.users.get(user_id) is None or not may_act_for(whmcs, user_id, client)):
        raise Refused("The system cannot find the provided user ID.")
    contact_id = to_int(form.get("contactid"))
    contact = whmcs.contacts.get(contact_id)
    if contact_id and (contact is None or contact.client_id != client.id):
        raise Refused("Contact ID Not Found")
    return Sender(client_id=client.id, user_id=user_id or client.owner_user_id, contact_id=contact_id)


def check_named(sender: Sender) -> None:
    """Raises Refused unless the sender is known or has given name and address."""
    if not sender.client_id and not sender.admin and not (sender.name and sender.email):
        raise Refused("Name and email address are required if not a client")


def check_address(sender: Sender) -> None:
    """Raises Refused for an address that is none."""
    if sender.email and not is_email(sender.email):
        raise Refused("Email Address Invalid")


def sent_moment(whmcs: Whmcs, form: PhpArray, what: str) -> str:
    """`created` in ISO 8601, server-local without an offset; now when it was not sent. Raises Refused."""
    sent = text(form.get("created"))
    if not sent:
        return whmcs.timestamp()
    try:
        moment = datetime.fromisoformat(sent)
        local = moment if moment.tzinfo is None else moment.astimezone(whmcs.server_now().tzinfo).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Refused("Invalid Date Format") from None
    if local > whmcs.server_now().replace(tzinfo=None):
        raise Refused(f"{what} creation date cannot be in the future")
    return f"{local:%Y-%m-%d %H:%M:%S}"


def attach(whmcs: Whmcs, form: PhpArray, owner: str) -> list[str]:
    """Keeps what `attachments` holds, base64 of a JSON list of {name, data}, and returns the names; what cannot be
    read as such counts as not sent."""
    files = _files(text(form.get("attachments")))
    for name, data in files:
        whmcs.attachments.put(Attachment(whmcs.attachments.next_id(), owner, name, data))
    return [name for name, _ in files]


def _files(sent: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(base64.b64decode(sent, validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return []
    listed = found if isinstance(found, list) else []
    return [(each["name"], each["data"]) for each in listed if _is_file(each)]


def _is_file(each: Any) -> bool:
    if not isinstance(each, dict) or not isinstance(each.get("name"), str) or not isinstance(each.get("data"), str):
        return False
    try:
        base64.b64decode(each["data"], validate=True)
    except (binascii.Error, ValueError):
        return False
    return bool(each["name"])


def detach(whmcs: Whmcs, owner: str) -> None:
    """Forgets the files of a ticket, reply or note."""
    for each in whmcs.attachments.find("owner", owner):
        whmcs.attachments.delete(each.id)


def shown_files(message: Ticket | TicketReply | TicketNote) -> Payload:
    """The fields about attachments; their content is for GetTicketAttachment. None at all is `[[]]`, as in the official
    samples."""
    names: list[Any] = [{"filename": name, "index": index} for index, name in enumerate(message.attachments)]
    return {"attachment": "|".join(message.attachments), "attachments": names or [[]], "attachments_removed": False}


def shown_sender(whmcs: Whmcs, ticket: Ticket, reply: TicketReply | None = None) -> Payload:
    """Who wrote the ticket, or a reply, where name and address stand only for people who are no clients."""
    sender = reply.sender if reply else ticket.sender
    client = whmcs.clients.get(sender.client_id)
    shown = client if reply is None and client else None
    return {
        "userid": str(ticket.client_id),
        "contactid": str(sender.contact_id),
        "name": shown.fullname if shown else sender.name,
        "email": shown.email if shown else sender.email,
        **_requestor(whmcs, sender, client),
    }


def _requestor(whmcs: Whmcs, sender: Sender, client: Client | None) -> Payload:
    """The person behind a message since 8.0, and what that person is to the client."""
    user = whmcs.users.get(sender.user_id)
    kind, name, email = "Guest", sender.name, sender.email
    if client is not None:
        kind = "Owner" if sender.user_id == client.owner_user_id else "User"
        name, email = (user.fullname, user.email) if user else (client.fullname, client.email)
    if sender.admin:
        kind, name, email = "Operator", sender.admin, ""
    return {"requestor_name": name, "requestor_email": email, "requestor_type": kind}
