"""UpdateTicket, UpdateTicketReply and AddTicketNote (whmcs-wire §3.6)."""

from sandbox.whmcs.actions.opening_ticket import PRIORITIES
from sandbox.whmcs.actions.tickets import find_ticket
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.arrays import field_values
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Settings
from sandbox.whmcs.support.messages import STAFF, attach, sent_moment
from sandbox.whmcs.support.records import Ticket, TicketNote


def update_ticket(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent. Nobody is mailed."""
    ticket = find_ticket(whmcs, {"ticketid": form.get("ticketid", "")}, "Ticket ID Not Found")
    _check(whmcs.settings, form)
    if text(form.get("created")):
        ticket.date = sent_moment(whmcs, form, "Ticket")
    _take_texts(ticket, form)
    _take_numbers(whmcs, ticket, form)
    values = {str(key): value for key, value in field_values(form.get("customfields")).items()}
    ticket.customfields = {**ticket.customfields, **values}
    if "preventClientClosure" in form:
        ticket.prevent_closing = truthy(form["preventClientClosure"])
    if "markdown" in form:
        ticket.markdown = truthy(form["markdown"])
    whmcs.tickets.put(ticket)
    return Answer({"ticketid": str(ticket.id)}, key=str(ticket.id), detail={"status": ticket.status})


def _check(settings: Settings, form: PhpArray) -> None:
    department = text(form.get("deptid"))
    if department and to_int(department) not in {each.id for each in settings.departments}:
        raise Refused("Department ID Not Found")
    if text(form.get("priority")) and text(form["priority"]).title() not in PRIORITIES:
        raise Refused(f"Invalid Ticket Priority. Valid priorities are: {','.join(PRIORITIES)}")
    if text(form.get("status")) and _status(settings, form) is None:
        known = ",".join(each.title for each in settings.ticket_statuses)
        raise Refused(f"Invalid Ticket Status. Valid statuses are: {known}")


def _status(settings: Settings, form: PhpArray) -> str | None:
    sent = text(form.get("status")).lower()
    return next((each.title for each in settings.ticket_statuses if each.title.lower() == sent), None)


def _take_texts(ticket: Ticket, form: PhpArray) -> None:
    for name in ("subject", "message", "cc"):
        if text(form.get(name)):
            setattr(ticket, name, text(form[name]))
    if text(form.get("priority")):
        ticket.priority = text(form["priority"]).title()
    for name in ("name", "email"):
        if text(form.get(name)):
            setattr(ticket.sender, name, text(form[name]))
    ticket.email = ticket.sender.email


def _take_numbers(whmcs: Whmcs, ticket: Ticket, form: PhpArray) -> None:
    ticket.status = _status(whmcs.settings, form) or ticket.status
    ticket.dept_id = to_int(form.get("deptid")) or ticket.dept_id
    client = whmcs.clients.get(to_int(form.get("userid")))
    if client is not None:
        ticket.client_id = ticket.sender.client_id = client.id
        ticket.sender.user_id = client.owner_user_id
    ticket.flag = to_int(form.get("flag")) or ticket.flag
    if truthy(form.get("removeFlag")):
        ticket.flag = 0


def add_ticket_note(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A note of the staff. Not repeatable: each call adds another."""
    ticket = find_ticket(whmcs, form, "Ticket ID not found")
    if not text(form.get("message")):
        raise Refused("Message is required")
    moment = sent_moment(whmcs, form, "Ticket")
    number = whmcs.ticket_notes.next_id()
    files = attach(whmcs, form, f"note:{number}")
    markdown = truthy(form.get("markdown"))
    whmcs.ticket_notes.put(TicketNote(number, ticket.id, STAFF, moment, text(form["message"]), files, markdown))
    return Answer(key=str(ticket.id), detail={"note": number})


def update_ticket_reply(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes the text of a reply."""
    if not text(form.get("replyid")):
        raise Refused("Reply ID Required")
    if not text(form.get("message")):
        raise Refused("Message is Required")
    reply = whmcs.ticket_replies.get(to_int(form["replyid"]))
    if reply is None:
        raise Refused("Reply ID Not Found")
    if text(form.get("created")):
        reply.date = sent_moment(whmcs, form, "Reply")
    reply.message = text(form["message"])
    reply.markdown = truthy(form["markdown"]) if "markdown" in form else reply.markdown
    whmcs.ticket_replies.put(reply)
    return Answer({"replyid": str(reply.id)}, key=str(reply.ticket_id))
