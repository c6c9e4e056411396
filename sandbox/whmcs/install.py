"""One WHMCS installation: its books, its settings and its catalogue."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from sandbox.books import Book
from sandbox.clock import Clock
from sandbox.config import Config
from sandbox.faults.book import Faults
from sandbox.ledger import Ledger
from sandbox.mail.mailbox import Mailbox
from sandbox.store import Store
from sandbox.whmcs.accounts.records import ClientNote, Contact, Invite, UserLink
from sandbox.whmcs.billing.records import BillableItem, Credit, DailyRun, Invoice, Transaction
from sandbox.whmcs.ordering.books import ServiceBook
from sandbox.whmcs.ordering.records import CancelRequest, ModuleJob, Order, Promotion, ServiceAddon, Upgrade
from sandbox.whmcs.products import Products
from sandbox.whmcs.records import Client, PayMethod, SentMail, Session, Settings, SsoToken, User
from sandbox.whmcs.support.records import Attachment, Ticket, TicketNote, TicketReply
from sandbox.whmcs.system.records import ActivityEntry, OAuthCredential, ToDoItem

# What a search for clients looks at the beginning of.
SEARCHED = ("email", "firstname", "lastname", "companyname")
_SETTINGS: TypeAdapter[Settings] = TypeAdapter(Settings)


class Whmcs:
    """State of the installation. Everything is written through to the store, so a restart continues where it was."""

    def __init__(
        self, store: Store, clock: Clock, ledger: Ledger, config: Config, mailbox: Mailbox, faults: Faults
    ) -> None:
        self.store = store
        self.clock = clock
        self.ledger = ledger
        self.config = config
        self.mailbox = mailbox
        self.faults = faults
        self._correlation_id = ""
        self.caller_address = ""
        self.clients = Book(store, "client", Client, indexes=["owner_user_id", "status", *SEARCHED])
        self.users = Book(store, "user", User, indexes=["email", "firstname", "lastname"])
        self.user_links = Book(store, "userlink", UserLink, indexes=["user_id", "client_id"])
        self.invites = Book(store, "invite", Invite, indexes=["client_id", "email"])
        self.contacts = Book(store, "contact", Contact, indexes=["client_id", "email"])
        self.client_notes = Book(store, "clientnote", ClientNote, indexes=["client_id"])
        self.pay_methods = Book(store, "paymethod", PayMethod, indexes=["client_id"])
        self.orders = Book(store, "order", Order, indexes=["client_id", "requestor_id", "status"])
        self.services = ServiceBook(store)
        self.addons = Book(store, "addon", ServiceAddon, indexes=["client_id", "service_id", "order_id", "addon_id"])
        self.upgrades = Book(store, "upgrade", Upgrade, indexes=["service_id", "order_id"])
        self.promotions = Book(store, "promotion", Promotion, indexes=["code"])
        self.cancel_requests = Book(store, "cancelrequest", CancelRequest, indexes=["service_id", "open"])
        self.module_jobs = Book(store, "modulejob", ModuleJob, indexes=["service_id"])
        self.invoices = Book(store, "invoice", Invoice, indexes=["client_id", "order_id", "status"])
        self.transactions = Book(store, "transaction", Transaction, indexes=["client_id", "invoice_id", "transid"])
        self.credits = Book(store, "credit", Credit, indexes=["client_id"])
        self.billable_items = Book(store, "billable", BillableItem, indexes=["client_id", "open"])
        self.daily_runs = Book(store, "dailyrun", DailyRun, indexes=["date"])
        self.sent_mails = Book(store, "email", SentMail, indexes=["client_id"])
        self.tickets = Book(store, "ticket", Ticket, indexes=["client_id", "email", "dept_id", "status", "tid"])
        self.ticket_replies = Book(store, "ticketreply", TicketReply, indexes=["ticket_id"])
        self.ticket_notes = Book(store, "ticketnote", TicketNote, indexes=["ticket_id"])
        self.attachments = Book(store, "attachment", Attachment, indexes=["owner"])
        self.activity = Book(store, "activity", ActivityEntry, indexes=["client_id"])
        self.to_do_items = Book(store, "todo", ToDoItem, indexes=["status"])
        self.oauth_credentials = Book(store, "oauth", OAuthCredential, indexes=["identifier"])
        self.sso_tokens = Book(store, "sso", SsoToken, indexes=["token", "client_id"])
        self.sessions = Book(store, "session", Session, indexes=["token", "client_id"])
        self.products = Products(store)
        self._settings = Book(store, "settings", Settings)

    @property
    def settings(self) -> Settings:
        """How the installation behaves now; a copy."""
        return self._settings.get(1) or Settings()

    def configure(self, **changes: Any) -> Settings:
        """Change settings; an unknown name or a wrong value raises ValueError (pydantic's ValidationError is one)."""
        unknown = changes.keys() - Settings.__dataclass_fields__.keys()
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        merged = _SETTINGS.dump_python(self.settings) | changes | {"id": 1}
        return self._settings.put(_SETTINGS.validate_python(merged))

    def save(self, settings: Settings) -> None:
        """Keep settings that this system itself changed, such as a fault that was used up."""
        self._settings.put(replace(settings, id=1))

    @property
    def correlation_id(self) -> str:
        """The caller's own id of what it is doing; empty outside of a request."""
        return self._correlation_id

    @contextmanager
    def caller(self, correlation_id: str, address: str = "") -> Iterator[None]:
        """One request: all its changes or none, and `note` writes under this correlation id. Nothing in it may wait."""
        self._correlation_id, self.caller_address = correlation_id, address
        try:
            with self.store.transaction():
                yield
        finally:
            self._correlation_id, self.caller_address = "", ""

    def note(self, operation: str, key: str, detail: dict[str, Any]) -> None:
        """Write to the ledger once the running change is on disk; not at all when it is undone."""
        correlation_id = self._correlation_id

        def write() -> None:
            self.ledger.write("whmcs", operation, key=key, correlation_id=correlation_id, detail=detail)

        self.store.on_commit(write)

    def next_invoice_line(self) -> int:
        """An id for a line of an invoice."""
        return self.store.next_number("whmcs.invoice_line")

    def server_now(self) -> datetime:
        """The moment in the server's local time zone, which all of WHMCS's timestamps use without saying so (§1)."""
        return self.clock.now().astimezone(ZoneInfo(self.settings.time_zone))

    def timestamp(self) -> str:
        """Now as `YYYY-MM-DD HH:MM:SS`, server-local."""
        return self.server_now().replace(tzinfo=None).isoformat(" ", "seconds")

    def today(self) -> str:
        """Today as `YYYY-MM-DD`, server-local."""
        return self.server_now().date().isoformat()
