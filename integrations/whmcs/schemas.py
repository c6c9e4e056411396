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
class PayMethod:
    """One stored way to pay; no token, no number beyond the last four digits."""

    id: int
    kind: str  # CreditCard, RemoteCreditCard, BankAccount, RemoteBankAccount
    brand: str
    last_four: str
    expires: str  # "MM/YY", empty for bank accounts
    expired: bool  # in Japan's month


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
