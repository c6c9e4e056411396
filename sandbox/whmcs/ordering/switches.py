"""How the installation sells and provisions where documentation is silent or installs differ (whmcs-wire §8)."""

from dataclasses import dataclass, field


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
class OrderingSwitches:
    """Switches of orders, services and their modules."""

    stores_notes: bool = False
    unknown_cycle_is_error: bool = False
    moduleless_stays_pending: bool = False
    one_time_status: str = "Completed"
    cancel_order_cascades: bool = True
    add_order_error_once: str = ""
    module_faults: dict[str, ModuleFault] = field(default_factory=dict)
