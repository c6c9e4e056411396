"""How the installation keeps people and cards where documentation is silent or installs differ (whmcs-wire §8)."""

from dataclasses import dataclass, field
from typing import Literal

from sandbox.whmcs.about import about

CUSTOMER_NUMBER_FIELD = 12
# How a payment module keeps cards or bank accounts; one that is not listed keeps none.
Storage = Literal["local", "remote", "assisted", "bank"]


@dataclass
class ClientField:
    """A custom field of clients."""

    id: int
    name: str
    required: bool = False


@dataclass
class ClientGroup:
    """A group that clients can be in."""

    id: int
    groupname: str
    groupcolour: str = "#ffffff"
    discountpercent: str = "0.00"
    susptermexempt: bool = False
    separateinvoices: bool = False


@dataclass
class AccountSwitches:
    """Switches of clients, users and payment methods."""

    client_fields: list[ClientField] = field(
        default_factory=lambda: [ClientField(CUSTOMER_NUMBER_FIELD, "Customer Number")],
        metadata=about("Custom fields of clients in the order in which they are shown; answers give no names."),
    )
    client_groups: list[ClientGroup] = field(
        default_factory=list, metadata=about("Client groups, as an administrator would have made them.")
    )
    password_required: bool = field(
        default=True, metadata=about("AddClient refuses to make a user without a password, as 9.x does.")
    )
    phone_digits_only: bool = field(
        default=True, metadata=about("Telephone numbers keep their digits alone, as on 9.x.")
    )
    empty_clears: bool = field(
        default=False, metadata=about("An empty value in UpdateClient clears a field instead of being ignored.")
    )
    card_storage: dict[str, Storage] = field(
        default_factory=lambda: {"stripe": "remote"},
        metadata=about("How payment modules keep cards or bank accounts: local, remote, assisted or bank."),
    )
    storage_error: str = field(
        default="", metadata=about("What a module says when it is told to keep, change or forget a payment method.")
    )
