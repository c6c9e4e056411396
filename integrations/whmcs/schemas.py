"""What the portal reads from and writes to WHMCS, parsed at the edge. Shapes: whmcs-wire.md §1.5, §3."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Client:
    id: int
    email: str
    status: str  # Active, Inactive, Closed
    custom_fields: Mapping[int, str]


@dataclass(frozen=True)
class ClientProfile:
    """What UpdateClient writes about a person; what is empty is left as it is there (whmcs-wire.md §3.1)."""

    given_name: str = ""
    family_name: str = ""
    language: str = ""  # en or ja
    phone: str = ""  # E.164
    email: str = ""
    news: bool | None = None  # whether news may be sent by e-mail
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""  # the prefecture
    postcode: str = ""  # 123-4567


@dataclass(frozen=True)
class PayMethod:
    """One stored way to pay; no token, no number beyond the last four digits."""

    id: int
    kind: str  # CreditCard, RemoteCreditCard, BankAccount, RemoteBankAccount
    brand: str
    last_four: str
    expires: str  # "MM/YY", empty for bank accounts
    expired: bool  # in Japan's month
    expiring: bool = False  # good until the end of this month or the next


@dataclass(frozen=True)
class CatalogueProduct:
    pid: int
    name: str
    module: str
    monthly: Decimal | None
    annually: Decimal | None
    custom_fields: Mapping[str, int]  # name -> id


@dataclass(frozen=True)
class OrderLineRequest:
    """One line of AddOrder (whmcs-wire.md §3.3)."""

    pid: int
    cycle: str  # monthly, annually, onetime
    quantity: int
    price: int  # yen, sent as priceoverride
    config_options: Mapping[int, int] = field(default_factory=dict)
    custom_fields: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderRequest:
    client_id: int
    lines: Sequence[OrderLineRequest]
    notes: str


@dataclass(frozen=True)
class AddedOrder:
    order_id: int
    service_ids: tuple[int, ...]
    invoice_id: int | None


@dataclass(frozen=True)
class WhmcsOrder:
    id: int
    client_id: int
    status: str
    invoice_id: int | None
    notes: str


@dataclass(frozen=True)
class Invoice:
    """What must be known before an invoice is cancelled (whmcs-wire.md §3.5)."""

    id: int
    client_id: int
    status: str  # Draft, Unpaid, Paid, Cancelled, Refunded, Collections, Payment Pending
    total: Decimal
    balance: Decimal

    @property
    def settled(self) -> bool:
        """Nobody will be charged by it any more."""
        return self.status in {"Cancelled", "Refunded"}

    @property
    def charged(self) -> bool:
        """Money was taken, or is about to be: a person must decide about it."""
        under_way = self.status in {"Paid", "Payment Pending", "Collections"} or self.balance < self.total
        return self.total > 0 and under_way and not self.settled


@dataclass(frozen=True)
class Service:
    """One row of GetClientsProducts without what must never leave (password, server, admin notes)."""

    id: int
    order_id: int
    client_id: int
    pid: int
    name: str
    status: str
    billing_cycle: str  # normalised: monthly, annually, onetime, free, …
    recurring_amount: Decimal
    next_due_date: str  # YYYY-MM-DD, empty when none
    custom_fields: Mapping[str, str]  # name -> value
