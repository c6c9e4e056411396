"""OpenTicket and AddTicketReply (whmcs-wire §3.6)."""

import secrets
import string

from sandbox.whmcs import mails
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.arrays import field_values
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Settings
from sandbox.whmcs.support.messages import STAFF, attach, check_address, check_named, sender_of, sent_moment
from sandbox.whmcs.support.records import Sender, Ticket, TicketReply

PRIORITIES = ("Low", "Medium", "High")
_LETTERS = string.ascii_letters + string.digits


def open_ticket(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Opens a ticket and mails its sender. Not repeatable: each call opens another."""
    sender = sender_of(whmcs, form, by_user=True)
    check_named(sender)
    _check_contents(whmcs, form)
    service = _service(whmcs, form, sender)
    check_address(sender)
    moment = sent_moment(whmcs, form, "Ticket")
    if truthy(form.get("admin")):
        sender.admin = STAFF
    ticket = _new_ticket(whmcs, form, sender, moment)
    ticket.service = service
    whmcs.tickets.put(ticket)
    sent = [] if truthy(form.get("noemail")) else _mail(whmcs, ticket, "Support Ticket Opened")
    facts = {"client": ticket.client_id, "department": ticket.dept_id, "mails": sent}
    return Answer({"id": str(ticket.id), "tid": ticket.tid, "c": ticket.c}, key=str(ticket.id), detail=facts)


def _check_contents(whmcs: Whmcs, form: PhpArray) -> None:
    if to_int(form.get("deptid")) not in {each.id for each in whmcs.settings.departments}:
        raise Refused("Department ID not found")
    for name in ("subject", "message"):
        if not text(form.get(name)):
            raise Refused(f"{name.title()} is required")


def _new_ticket(whmcs: Whmcs, form: PhpArray, sender: Sender, moment: str) -> Ticket:
    number = whmcs.tickets.next_id()
    priority = text(form.get("priority")).title()
    return Ticket(
        id=number,
        tid=_free_number(whmcs),
        c="".join(secrets.choice(_LETTERS) for _ in range(8)),
        dept_id=to_int(form.get("deptid")),
        sender=sender,
        date=moment,
        subject=text(form["subject"]),
        message=text(form["message"]),
        last_reply=moment,
        client_id=sender.client_id,
        email=sender.email,
        priority=priority if priority in PRIORITIES else "Medium",
        attachments=attach(whmcs, form, f"ticket:{number}"),
        customfields=_customfields(form),
        prevent_closing=truthy(form.get("preventClientClosure")),
        markdown=truthy(form.get("markdown")),
    )


def _customfields(form: PhpArray) -> dict[str, str]:
    return {str(key): value for key, value in field_values(form.get("customfields")).items()}


def _service(whmcs: Whmcs, form: PhpArray, sender: Sender) -> str:
    """`S12` for a service of the client; there are no domains. Raises Refused."""
    if text(form.get("serviceid")):
        service = whmcs.services.get(to_int(form["serviceid"]))
        if service is None or service.client_id != sender.client_id:
            raise Refused("Service ID Not Found")
        return f"S{service.id}"
    if text(form.get("domainid")):
        raise Refused("Domain ID Not Found")
    return ""


def _free_number(whmcs: Whmcs) -> str:
    """Six digits that no ticket has."""
    for _ in range(100):
        number = f"{secrets.randbelow(900_000) + 100_000}"
        if not whmcs.tickets.count("tid", number):
            return number
    raise Refused("Unable to generate ticket number")


def _mail(whmcs: Whmcs, ticket: Ticket, template: str) -> list[str]:
    return mails.send(whmcs, ticket.client_id, template, ticket=ticket.tid, subject=ticket.subject)


def add_ticket_reply(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A message of the client, of staff (`adminusername`) or of somebody by name, which moves the ticket to
    Customer-Reply or Answered unless `status` says otherwise. Not repeatable: each call adds another."""
    ticket = whmcs.tickets.get(to_int(form.get("ticketid")))
    if ticket is None:
        raise Refused("Ticket ID not found")
    sender = Sender(admin=STAFF) if text(form.get("adminusername")) else sender_of(whmcs, form, by_user=False)
    check_named(sender)
    if not text(form.get("message")):
        raise Refused("Message is required")
    check_address(sender)
    status = _status(whmcs.settings, text(form.get("status")), sender)
    reply = _new_reply(whmcs, form, ticket, sender)
    ticket.status, ticket.last_reply = status, max(reply.date, ticket.last_reply)
    ticket.customfields = {**ticket.customfields, **_customfields(form)}
    whmcs.tickets.put(ticket)
    quiet = not sender.admin or truthy(form.get("noemail"))
    sent = [] if quiet else _mail(whmcs, ticket, "Support Ticket Reply")
    return Answer(key=str(ticket.id), detail={"reply": reply.id, "status": status, "mails": sent})


def _new_reply(whmcs: Whmcs, form: PhpArray, ticket: Ticket, sender: Sender) -> TicketReply:
    number = whmcs.ticket_replies.next_id()
    reply = TicketReply(
        id=number,
        ticket_id=ticket.id,
        sender=sender,
        date=sent_moment(whmcs, form, "Reply"),
        message=text(form["message"]),
        attachments=attach(whmcs, form, f"reply:{number}"),
        markdown=truthy(form.get("markdown")),
    )
    return whmcs.ticket_replies.put(reply)


def _status(settings: Settings, sent: str, sender: Sender) -> str:
    known = {each.title.lower(): each.title for each in settings.ticket_statuses}
    if sent and sent.lower() not in known:
        raise Refused("Invalid Ticket Status")
    return known[sent.lower()] if sent else "Answered" if sender.admin else "Customer-Reply"
