"""How the installation sells and provisions where documentation is silent or installs differ (whmcs-wire §8)."""

from dataclasses import dataclass, field
from typing import Literal

Cycle = Literal["onetime", "monthly", "quarterly", "semiannually", "annually", "biennially", "triennially"]
Command = Literal["create", "suspend", "unsuspend", "terminate", "change_package", "change_password", "custom"]


@dataclass
class ModuleFault:
    """One command of one product's module fails `remaining` times (-1: always).

    `after_commit` makes it work at the remote end although the module reports failure, as when the call timed out
    (whmcs-wire §5): every later create then says that it is already provisioned (§3.3).
    """

    pid: int
    remaining: int
    text: str = "Could not connect to the provisioning server"
    after_commit: bool = False
    command: Command = "create"


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
    """Switches of orders, services and their modules.

    `allow_qty` maps a pid to 1 (several services) or 2 (one service in a quantity) and `addons` lists what is sold on
    top of a service. `order_statuses` are those an administrator added. `fraud_check` is what the fraud module finds,
    where there is one.
    """

    stores_notes: bool = False
    unknown_cycle_is_error: bool = False
    moduleless_stays_pending: bool = False
    one_time_status: str = "Completed"
    cancel_order_cascades: bool = True
    pending_order_cascades: bool = True
    add_order_error_once: str = ""
    mark_field_on_order_form: bool = True
    set_up_on_payment: bool = False
    on_demand_renewals: bool = True
    cancel_type_default: Literal["Immediate", "End of Billing Period"] = "End of Billing Period"
    cancel_request_cancels_invoices: bool = False
    allow_qty: dict[str, Literal[0, 1, 2]] = field(default_factory=dict)
    addons: list[AddonProduct] = field(default_factory=list)
    order_statuses: list[str] = field(default_factory=list)
    fraud_module: str = ""
    fraud_check: Literal["Pass", "Fail"] = "Pass"
    module_functions: list[str] = field(default_factory=lambda: ["resync"])
    module_faults: dict[str, ModuleFault] = field(default_factory=dict)
