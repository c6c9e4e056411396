"""GetTickets, GetTicket, GetTicketNotes and GetTicketAttachment (whmcs-wire §3.6)."""

from collections.abc import Iterable

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Settings
from sandbox.whmcs.support.messages import shown_files, shown_sender
from sandbox.whmcs.support.records import Ticket, TicketNote, TicketReply

_OWNERS = ("ticket", "reply", "note")


def get_tickets(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Tickets by what was sent, the last answered first; without `ignore_dept_assignments` only those of departments
    that the administrator behind the API is in. `totalresults` is a string (§1.5)."""
    settings = whmcs.settings
    statuses = statuses_meant(settings, text(form.get("status")))
    found = [each for each in _among(whmcs, form) if _matches(each, form, statuses)]
    if not truthy(form.get("ignore_dept_assignments")):
        found = [each for each in found if each.dept_id in settings.admin_departments]
    found.sort(key=lambda each: (each.last_reply, each.id), reverse=True)
    listing = page_of(form, found).envelope("tickets", "ticket", lambda ticket: _row(whmcs, ticket))
    return Answer({**listing, "totalresults": str(listing["totalresults"])})


def statuses_meant(settings: Settings, sent: str) -> frozenset[str] | None:
    """The statuses behind one of them or a name for several, in lower case; None for all."""
    if not sent:
        return None
    several = {
        "awaiting reply": [each.title for each in settings.ticket_statuses if each.awaiting],
        "all active tickets": [each.title for each in settings.ticket_statuses if each.active],
        "my flagged tickets": [each.title for each in settings.ticket_statuses if each.active],
    }
    return frozenset(title.lower() for title in several.get(sent.lower(), [sent]))


def _among(whmcs: Whmcs, form: PhpArray) -> Iterable[Ticket]:
    """The tickets that can match, by the index that finds the fewest."""
    if text(form.get("clientid")):
        return whmcs.tickets.find("client_id", to_int(form["clientid"]))
    if text(form.get("email")):
        return whmcs.tickets.find("email", text(form["email"]))
    if text(form.get("deptid")):
        return whmcs.tickets.find("dept_id", to_int(form["deptid"]))
    return whmcs.tickets.walk()


def _matches(ticket: Ticket, form: PhpArray, statuses: frozenset[str] | None) -> bool:
    if text(form.get("deptid")) and ticket.dept_id != to_int(form["deptid"]):
        return False
    if text(form.get("email")) and ticket.email.casefold() != text(form["email"]).casefold():
        return False
    if text(form.get("subject")).casefold() not in ticket.subject.casefold():
        return False
    if text(form.get("status")).lower() == "my flagged tickets" and not ticket.flag:
        return False
    return statuses is None or ticket.status.lower() in statuses


def _row(whmcs: Whmcs, ticket: Ticket) -> Payload:
    sender = shown_sender(whmcs, ticket)
    return {
        "id": str(ticket.id),
        "tid": ticket.tid,
        "deptid": str(ticket.dept_id),
        **sender,
        "owner_name": sender["name"],
        "cc": ticket.cc,
        "c": ticket.c,
        "date": ticket.date,
        "subject": ticket.subject,
        "status": ticket.status,
        "priority": ticket.priority,
        "admin": ticket.sender.admin,
        **shown_files(ticket),
        "lastreply": ticket.last_reply,
        "flag": str(ticket.flag),
        "service": ticket.service,
    }


def find_ticket(whmcs: Whmcs, form: PhpArray, missing: str) -> Ticket:
    """By `ticketid`, or by `ticketnum`, the number for people. Raises Refused with the text for a missing one."""
    found = whmcs.tickets.get(to_int(form.get("ticketid")))
    if found is None and text(form.get("ticketnum")):
        found = next(iter(whmcs.tickets.find("tid", text(form["ticketnum"]))), None)
    if found is None:
        raise Refused(missing)
    return found


def get_ticket(whmcs: Whmcs, form: PhpArray) -> Answer:
    """One ticket with its opening message as reply 0, and the notes of the staff, which no customer may see."""
    ticket = find_ticket(whmcs, form, "Ticket ID Not Found")
    replies = [_opening(whmcs, ticket)]
    replies += [_reply(whmcs, ticket, each) for each in whmcs.ticket_replies.find("ticket_id", ticket.id)]
    if text(form.get("repliessort")).upper() == "DESC":
        replies.reverse()
    notes = [_note("noteid", each) for each in whmcs.ticket_notes.find("ticket_id", ticket.id)]
    names = {each.id: each.name for each in whmcs.settings.departments}
    shown = {name: value for name, value in _row(whmcs, ticket).items() if name not in ("id", "owner_name")}
    return Answer(
        {
            "ticketid": str(ticket.id),
            **shown,
            "deptname": names.get(ticket.dept_id, ""),
            "replies": {"reply": replies},
            "notes": {"note": notes},
        },
        key=str(ticket.id),
    )


def _opening(whmcs: Whmcs, ticket: Ticket) -> Payload:
    return {
        "replyid": "0",
        **shown_sender(whmcs, ticket),
        "date": ticket.date,
        "message": ticket.message,
        **shown_files(ticket),
        "admin": ticket.sender.admin,
    }


def _reply(whmcs: Whmcs, ticket: Ticket, reply: TicketReply) -> Payload:
    return {
        "replyid": str(reply.id),
        **shown_sender(whmcs, ticket, reply),
        "date": reply.date,
        "message": reply.message,
        **shown_files(reply),
        "admin": reply.sender.admin,
        "rating": "0",
    }


def _note(name: str, note: TicketNote) -> Payload:
    return {name: str(note.id), "date": note.date, "message": note.message, **shown_files(note), "admin": note.admin}


def get_ticket_notes(whmcs: Whmcs, form: PhpArray) -> Answer:
    """The notes of the staff."""
    ticket = find_ticket(whmcs, form, "Ticket ID Not Found")
    notes = [_note("id", each) for each in whmcs.ticket_notes.find("ticket_id", ticket.id)]
    return Answer({"totalresults": len(notes), "notes": {"note": notes}}, key=str(ticket.id))


def get_ticket_attachment(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A file with its content in base64."""
    if not text(form.get("relatedid")):
        raise Refused("Related ID Required")
    kind, number = text(form.get("type")), to_int(form["relatedid"])
    if kind not in _OWNERS:
        raise Refused("Invalid Type. Must be one of ticket, reply, note")
    if not _exists(whmcs, kind, number):
        raise Refused("Related ID Not Found")
    if not text(form.get("index")):
        raise Refused("Attachment Index Required")
    files = whmcs.attachments.find("owner", f"{kind}:{number}")
    if not files:
        raise Refused("No Attachments Found")
    index = to_int(form["index"])
    if not 0 <= index < len(files):
        raise Refused("Invalid Attachment Index")
    return Answer({"filename": files[index].name, "data": files[index].data}, key=str(number), detail={"type": kind})


def _exists(whmcs: Whmcs, kind: str, number: int) -> bool:
    if kind == "ticket":
        return whmcs.tickets.get(number) is not None
    if kind == "reply":
        return whmcs.ticket_replies.get(number) is not None
    return whmcs.ticket_notes.get(number) is not None
