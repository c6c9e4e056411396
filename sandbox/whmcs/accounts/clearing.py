"""Forgetting everything that belongs to a client."""

from typing import Any

from sandbox.books import Book
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.support.removing import remove


def clear(whmcs: Whmcs, client_id: int, *, transactions: bool) -> None:
    """Removes all records of the client but the client's own; transactions only when that is asked for."""
    for service in whmcs.services.find("client_id", client_id):
        _remove(whmcs.cancel_requests, "service_id", service.id)
        _remove(whmcs.module_jobs, "service_id", service.id)
        _remove(whmcs.upgrades, "service_id", service.id)
    for ticket in whmcs.tickets.find("client_id", client_id):
        remove(whmcs, ticket)
    belongings: list[Book[Any]] = [
        whmcs.user_links,
        whmcs.invites,
        whmcs.contacts,
        whmcs.client_notes,
        whmcs.pay_methods,
        whmcs.orders,
        whmcs.services,
        whmcs.addons,
        whmcs.invoices,
        whmcs.credits,
        whmcs.billable_items,
        whmcs.sent_mails,
        whmcs.sso_tokens,
        whmcs.sessions,
    ]
    for book in [*belongings, *([whmcs.transactions] if transactions else [])]:
        _remove(book, "client_id", client_id)


def _remove(book: Book[Any], field: str, value: int) -> None:
    for record in book.find(field, value):
        book.delete(record.id)
