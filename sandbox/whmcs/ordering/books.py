"""The book of services, which can be looked for by the mark they carry."""

from sandbox.books import Book
from sandbox.store import Store
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.products import mark_field_id

_INDEXES = ("client_id", "order_id", "pid", "domain", "username", "mark")


class ServiceBook(Book[Service]):
    """Services; whatever is put has its `mark` taken from its custom fields."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, "service", Service, indexes=_INDEXES)

    def put(self, record: Service) -> Service:
        """Insert or replace, and return the same record."""
        record.mark = record.customfields.get(str(mark_field_id(record.pid)), "")
        return super().put(record)
