"""What the simulated WHMCS keeps. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field
from typing import Literal

Quirks = Literal["strict-docs", "legacy-strings", "single-object"]

CUSTOMER_NUMBER_FIELD = 12
NO_DATE = "0000-00-00"
NO_TIME = "0000-00-00 00:00:00"


@dataclass
class Client:
    """The paying account; its owner is a user, a login of its own since 8.0 (whmcs-wire §2)."""

    id: int
    owner_user_id: int
    email: str
    firstname: str
    lastname: str
    created: str
    uuid: str
    companyname: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = "JP"
    phonenumber: str = ""
    tax_id: str = ""
    notes: str = ""
    language: str = ""
    currency: int = 1
    groupid: int = 0
    status: str = "Active"
    allow_sso: bool = True
    customfields: dict[str, str] = field(default_factory=dict)


@dataclass
class User:
    """A login. The password itself is not kept: nothing in the sandbox signs in with it."""

    id: int
    email: str
    firstname: str
    lastname: str
    created: str


@dataclass
class PayMethod:
    """A stored card: brand, last four digits and expiry, never the number."""

    id: int
    client_id: int
    brand: str
    last_four: str
    expiry: str
    description: str
    token: str
    updated: str
    gateway: str = "stripe"


@dataclass
class Service:
    """One line of an order: what GetClientsProducts lists as a product. `provisioned` is the module's own knowledge."""

    id: int
    client_id: int
    order_id: int
    pid: int
    qty: int
    cycle: str
    first_payment: str
    recurring: str
    payment_method: str
    registered: str
    domain: str = ""
    status: str = "Pending"
    next_due: str = NO_DATE
    notes: str = ""
    username: str = ""
    customfields: dict[str, str] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)
    provisioned: bool = False


@dataclass
class Order:
    """An order as GetOrders shows it; its lines are the services that name it."""

    id: int
    number: str
    client_id: int
    requestor_id: int
    date: str
    amount: str
    payment_method: str
    ip_address: str
    invoice_id: int = 0
    status: str = "Pending"
    promo_code: str = ""
    notes: str = ""


@dataclass
class InvoiceLine:
    """One position of an invoice; `relid` names the service it charges."""

    id: int
    type: str
    relid: int
    description: str
    amount: str


@dataclass
class Invoice:
    """A bill with its lines."""

    id: int
    client_id: int
    order_id: int
    created: str
    due: str
    total: str
    payment_method: str
    lines: list[InvoiceLine]
    status: str = "Unpaid"
    paid: str = NO_TIME
    cancelled: str = NO_TIME
    notes: str = ""


@dataclass
class SsoToken:
    """A single sign-on token; `expires` is epoch seconds of the sandbox's clock, `used` once it was redeemed."""

    id: int
    token: str
    client_id: int
    path: str
    expires: float
    used: bool = False


@dataclass
class Session:
    """A signed-in browser in the client area."""

    id: int
    token: str
    client_id: int


@dataclass
class ModuleFault:
    """The provisioning module of one product fails `remaining` times (-1: always).

    `after_commit` makes the remote account exist although the module reports failure, as when the call timed out
    (whmcs-wire §5): every later create then says that it is already provisioned (§3.3).
    """

    pid: int
    remaining: int
    text: str = "Could not connect to the provisioning server"
    after_commit: bool = False


@dataclass
class Gateway:
    """An active payment module."""

    module: str
    displayname: str


@dataclass
class Settings:
    """How this install behaves where documentation is silent or installs differ; tests and the demo change it."""

    id: int = 1
    quirks: Quirks = "strict-docs"
    api_identifier: str = "sandbox-identifier"
    api_secret: str = "sandbox-secret"  # noqa: S105 - public on purpose, it opens nothing but this sandbox
    api_access_key: str = "sandbox-access-key"
    admin_username: str = "admin"
    admin_password: str = "sandbox-admin"  # noqa: S105 - as above
    portal_url: str = "http://localhost:8000/account/payment/"
    ip_allow_list: list[str] = field(default_factory=list)
    api_role: list[str] = field(default_factory=list)
    gateways: list[Gateway] = field(default_factory=lambda: [Gateway("stripe", "Credit Card")])
    accept_get: bool = False
    unknown_action_status: int = 200
    stores_notes: bool = False
    unknown_cycle_is_error: bool = False
    moduleless_stays_pending: bool = False
    one_time_status: str = "Completed"
    cancel_order_cascades: bool = True
    add_order_error_once: str = ""
    module_faults: dict[str, ModuleFault] = field(default_factory=dict)
