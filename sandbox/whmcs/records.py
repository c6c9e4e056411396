"""What the simulated WHMCS keeps. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field

from sandbox.whmcs.access.switches import AccessSwitches
from sandbox.whmcs.billing.switches import BillingSwitches
from sandbox.whmcs.ordering.switches import OrderingSwitches
from sandbox.whmcs.quirks.switches import QuirkSwitches

CUSTOMER_NUMBER_FIELD = 12


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
class SentMail:
    """One entry of a client's e-mail history."""

    id: int
    client_id: int
    template: str
    subject: str
    message: str
    date: str
    to: str


@dataclass
class Settings(AccessSwitches, QuirkSwitches, OrderingSwitches, BillingSwitches):
    """How this install behaves where documentation is silent or installs differ; tests and the demo change it."""

    id: int = 1
    portal_url: str = "http://localhost:8000/account/payment/"
