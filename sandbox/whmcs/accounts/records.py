"""What is kept of people besides clients and users. Every record is plain data, so that the store can write it."""

from dataclasses import dataclass, field

from sandbox.whmcs.dates import NO_TIME

MAIL_KINDS = ("general", "invoice", "support", "product", "domain", "affiliate")
# In the order of GetPermissionsList.
PERMISSIONS = (
    "profile",
    "contacts",
    "products",
    "manageproducts",
    "productsso",
    "domains",
    "managedomains",
    "invoices",
    "quotes",
    "tickets",
    "affiliates",
    "emails",
    "orders",
)


def all_mails() -> dict[str, bool]:
    """Every kind of mail, wanted."""
    return dict.fromkeys(MAIL_KINDS, True)


@dataclass
class UserLink:
    """A user who may act for a client that another user owns (whmcs-wire §2)."""

    id: int
    user_id: int
    client_id: int
    permissions: list[str]


@dataclass
class Invite:
    """An invitation to act for a client; it ends when it is accepted."""

    id: int
    client_id: int
    email: str
    permissions: list[str]
    token: str
    sent: str


@dataclass
class Contact:
    """An entry of a client's address book; since 8.0 nobody signs in as one."""

    id: int
    client_id: int
    firstname: str = ""
    lastname: str = ""
    companyname: str = ""
    email: str = ""
    address1: str = ""
    address2: str = ""
    city: str = ""
    state: str = ""
    postcode: str = ""
    country: str = ""
    phonenumber: str = ""
    tax_id: str = ""
    email_preferences: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(MAIL_KINDS, False))
    created: str = NO_TIME
    updated: str = NO_TIME


@dataclass
class ClientNote:
    """What staff wrote about a client."""

    id: int
    client_id: int
    text: str
    sticky: bool
    created: str
