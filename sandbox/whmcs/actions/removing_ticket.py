"""DeleteTicket, DeleteTicketReply, DeleteTicketNote and MergeTicket (whmcs-wire §3.6)."""

from sandbox.whmcs.actions.tickets import find_ticket
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.support.messages import detach
from sandbox.whmcs.support.records import Attachment, Ticket, TicketReply
from sandbox.whmcs.support.removing import remove


def delete_ticket_note(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Takes a note away."""
    note = whmcs.ticket_notes.get(to_int(form.get("noteid")))
    if note is None:
        raise Refused("Note ID Not Found")
    whmcs.ticket_notes.delete(note.id)
    detach(whmcs, f"note:{note.id}")
    return Answer(key=str(note.ticket_id), detail={"note": note.id})


def delete_ticket_reply(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Takes a reply away; the opening message stays."""
    for name, complaint in (("ticketid", "Ticket ID Required"), ("replyid", "Reply ID Required")):
        if not text(form.get(name)):
            raise Refused(complaint)
    ticket = find_ticket(whmcs, {"ticketid": form["ticketid"]}, "Ticket ID Not Found")
    reply = whmcs.ticket_replies.get(to_int(form["replyid"]))
    if reply is None or reply.ticket_id != ticket.id:
        raise Refused("Reply ID Not Found")
    whmcs.ticket_replies.delete(reply.id)
    detach(whmcs, f"reply:{reply.id}")
    return Answer(key=str(ticket.id), detail={"reply": reply.id})


def delete_ticket(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Takes a ticket away with its replies, notes and files."""
    ticket = find_ticket(whmcs, {"ticketid": form.get("ticketid", "")}, "Ticket ID not found")
    remove(whmcs, ticket)
    return Answer(key=str(ticket.id))


def merge_ticket(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Moves the messages, notes and files of other tickets into one, and the others are gone."""
    if not text(form.get("ticketid")):
        raise Refused("Ticket ID Required")
    ticket = find_ticket(whmcs, {"ticketid": form["ticketid"]}, "Ticket ID Invalid")
    others = _others(whmcs, form, ticket)
    for other in others:
        _move(whmcs, other, ticket)
    ticket.subject = text(form.get("newsubject")) or ticket.subject
    ticket.last_reply = max(each.last_reply for each in [ticket, *others])
    whmcs.tickets.put(ticket)
    detail = {"merged": [each.id for each in others]}
    return Answer({"ticketid": str(ticket.id)}, key=str(ticket.id), detail=detail)


def _others(whmcs: Whmcs, form: PhpArray, ticket: Ticket) -> list[Ticket]:
    sent = [each.strip() for each in text(form.get("mergeticketids")).split(",") if each.strip()]
    if not sent:
        raise Refused("Merge Ticket IDs Required")
    found = {each: whmcs.tickets.get(to_int(each)) for each in sent}
    wrong = [each for each, other in found.items() if other is None or other.id == ticket.id]
    if wrong:
        raise Refused(f"Invalid Merge Ticket IDs: {', '.join(wrong)}")
    return list({other.id: other for other in found.values() if other is not None}.values())


def _move(whmcs: Whmcs, other: Ticket, ticket: Ticket) -> None:
    number = whmcs.ticket_replies.next_id()
    opening = TicketReply(number, ticket.id, other.sender, other.date, other.message, other.attachments)
    whmcs.ticket_replies.put(opening)
    for file in whmcs.attachments.find("owner", f"ticket:{other.id}"):
        whmcs.attachments.put(Attachment(file.id, f"reply:{number}", file.name, file.data))
    for reply in whmcs.ticket_replies.find("ticket_id", other.id):
        reply.ticket_id = ticket.id
        whmcs.ticket_replies.put(reply)
    for note in whmcs.ticket_notes.find("ticket_id", other.id):
        note.ticket_id = ticket.id
        whmcs.ticket_notes.put(note)
    whmcs.tickets.delete(other.id)
