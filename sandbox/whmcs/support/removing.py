"""Taking a ticket away."""

from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.support.messages import detach
from sandbox.whmcs.support.records import Ticket


def remove(whmcs: Whmcs, ticket: Ticket) -> None:
    """Forgets the ticket with its replies, notes and files."""
    for reply in whmcs.ticket_replies.find("ticket_id", ticket.id):
        detach(whmcs, f"reply:{reply.id}")
        whmcs.ticket_replies.delete(reply.id)
    for note in whmcs.ticket_notes.find("ticket_id", ticket.id):
        detach(whmcs, f"note:{note.id}")
        whmcs.ticket_notes.delete(note.id)
    detach(whmcs, f"ticket:{ticket.id}")
    whmcs.tickets.delete(ticket.id)
