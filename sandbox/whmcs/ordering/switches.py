"""How the installation sells and provisions where documentation is silent or installs differ (whmcs-wire §8)."""

from dataclasses import dataclass, field
from typing import Literal

from sandbox.whmcs.about import about

Cycle = Literal["onetime", "monthly", "quarterly", "semiannually", "annually", "biennially", "triennially"]
Command = Literal["create", "suspend", "unsuspend", "terminate", "change_package", "change_password", "custom"]


@dataclass
class AddonProduct:
    """An add-on that services of the products in `pids` can have, of all products when empty; prices in yen."""

    id: int
    name: str
    price: int
    cycle: Cycle = "monthly"
    setup_fee: int = 0
    pids: list[int] = field(default_factory=list)


@dataclass
class OrderingSwitches:
    """Switches of orders, services and their modules."""

    stores_notes: bool = field(default=False, metadata=about("AddOrder keeps `notes`, which is not documented."))
    unknown_cycle_is_error: bool = field(
        default=False, metadata=about("A billing cycle that is not offered is refused, instead of the first one taken.")
    )
    moduleless_stays_pending: bool = field(
        default=False, metadata=about("AcceptOrder leaves services without a module Pending.")
    )
    one_time_status: Literal["Completed", "Active"] = field(
        default="Completed", metadata=about("What an accepted one-time product without a module becomes.")
    )
    cancel_order_cascades: bool = field(
        default=True, metadata=about("CancelOrder and FraudOrder end services and the unpaid invoice too.")
    )
    pending_order_cascades: bool = field(default=True, metadata=about("PendingOrder makes services Pending too."))
    mark_field_on_order_form: bool = field(
        default=True, metadata=about("GetProducts shows the custom field of the mark; else it is for admins only.")
    )
    set_up_on_payment: bool = field(
        default=False, metadata=about("Modules run when the invoice is paid, even before AcceptOrder.")
    )
    on_demand_renewals: bool = field(
        default=True, metadata=about("AddOrder renews services and add-ons ahead of time.")
    )
    cancel_type_default: Literal["Immediate", "End of Billing Period"] = field(
        default="End of Billing Period", metadata=about("AddCancelRequest without a type means this.")
    )
    cancel_request_cancels_invoices: bool = field(
        default=False, metadata=about("AddCancelRequest cancels unpaid invoices over the service alone.")
    )
    allow_qty: dict[str, Literal[0, 1, 2]] = field(
        default_factory=dict,
        metadata=about("By pid: 0 one only, 1 several separate services, 2 one service in a quantity."),
    )
    addons: list[AddonProduct] = field(
        default_factory=list, metadata=about("Add-ons for sale: id, name, price in yen, cycle, setup_fee, pids.")
    )
    order_statuses: list[str] = field(
        default_factory=list, metadata=about("Order statuses that an administrator added.")
    )
    fraud_module: str = field(default="", metadata=about("Name of the fraud module; without one there is no check."))
    fraud_check: Literal["Pass", "Fail"] = field(default="Pass", metadata=about("What the fraud module finds."))
    module_functions: list[str] = field(
        default_factory=lambda: ["resync"], metadata=about("What ModuleCustom can call.")
    )
