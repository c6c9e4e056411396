"""What the simulated WHMCS keeps. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field

from sandbox.whmcs.access.switches import AccessSwitches
from sandbox.whmcs.accounts.records import all_mails
from sandbox.whmcs.accounts.switches import AccountSwitches
from sandbox.whmcs.billing.switches import BillingSwitches
from sandbox.whmcs.ordering.switches import OrderingSwitches
from sandbox.whmcs.quirks.switches import QuirkSwitches
from sandbox.whmcs.support.switches import SupportSwitches
from sandbox.whmcs.system.switches import SystemSwitches


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
    gateway: str = ""
    email_preferences: dict[str, bool] = field(default_factory=all_mails)
    marketing: bool = False
    tax_exempt: bool = False
    late_fee_override: bool = False
    override_due_notices: bool = False
    separate_invoices: bool = False
    disable_auto_capture: bool = False
    override_auto_close: bool = False

    @property
    def fullname(self) -> str:
        """Given name first."""
        return f"{self.firstname} {self.lastname}"


@dataclass
class User:
    """A login. Of its password the hash is kept, "" when it has none yet; two-factor cannot be checked by API."""

    id: int
    email: str
    firstname: str
    lastname: str
    created: str
    password: str = ""
    language: str = ""
    two_factor: bool = False
    last_login: str = ""
    last_ip: str = ""

    @property
    def fullname(self) -> str:
        """Given name first."""
        return f"{self.firstname} {self.lastname}"


@dataclass
class PayMethod:
    """A stored card or bank account: brand, last four digits and expiry, never the number.

    `rank` is the place in the list, which alone tells what is charged first (§3.1): a lower one comes before, and among
    equals the older.
    """

    id: int
    client_id: int
    brand: str
    last_four: str
    expiry: str
    description: str
    token: str
    updated: str
    gateway: str = "stripe"
    type: str = "RemoteCreditCard"
    bank_name: str = ""
    start: str = ""
    issue_number: str = ""
    rank: int = 0


@dataclass
class SsoToken:
    """A single sign-on token; `expires` is epoch seconds of the sandbox's clock, `used` once it was redeemed."""

    id: int
    token: str
    client_id: int
    path: str
    expires: float
    used: bool = False
    user_id: int = 0


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
    html: str = ""


@dataclass
class Settings(
    AccessSwitches, QuirkSwitches, AccountSwitches, OrderingSwitches, BillingSwitches, SupportSwitches, SystemSwitches
):
    """How this install behaves where documentation is silent or installs differ; tests and the demo change it."""

    id: int = 1
    portal_url: str = "http://localhost:8000/account/payment/"
