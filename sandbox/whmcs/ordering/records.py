"""What is kept of orders and services. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from sandbox.whmcs.dates import NO_DATE, NO_TIME


@dataclass
class Service:
    """One line of an order: what GetClientsProducts lists as a product.

    `next_due` is when the next period begins that is not paid for, `next_invoice` when the next one begins that is on
    no invoice. `provisioned` is the module's own knowledge. `mark` repeats what the custom field of that name holds,
    so that it can be looked for.
    """

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
    next_invoice: str = NO_DATE
    terminated: str = NO_DATE
    notes: str = ""
    username: str = ""
    password: str = ""
    server_id: int = 0
    subscription_id: str = ""
    promo_id: int = 0
    override_suspend: str = "0"
    override_until: str = NO_DATE
    suspend_reason: str = ""
    ns1: str = ""
    ns2: str = ""
    dedicated_ip: str = ""
    assigned_ips: str = ""
    disk_usage: int = 0
    disk_limit: int = 0
    traffic_usage: int = 0
    traffic_limit: int = 0
    customfields: dict[str, str] = field(default_factory=dict)
    options: dict[str, int] = field(default_factory=dict)
    provisioned: bool = False
    mark: str = ""


@dataclass
class ServiceAddon:
    """An add-on of a service, such as a top-up; `addon_id` names its definition among the settings."""

    id: int
    client_id: int
    service_id: int
    order_id: int
    addon_id: int
    name: str
    qty: int
    cycle: str
    setup_fee: str
    recurring: str
    payment_method: str
    registered: str
    status: str = "Pending"
    next_due: str = NO_DATE
    next_invoice: str = NO_DATE
    terminated: str = NO_DATE
    notes: str = ""


@dataclass
class Order:
    """An order as GetOrders shows it; its lines are the services, add-ons and upgrades that name it."""

    id: int
    number: str
    client_id: int
    requestor_id: int
    date: str
    amount: str
    payment_method: str
    ip_address: str
    invoice_id: int = 0
    contact_id: int = 0
    status: str = "Pending"
    promo_code: str = ""
    promo_type: str = ""
    promo_value: str = ""
    renewed_services: list[int] = field(default_factory=list)
    renewed_addons: list[int] = field(default_factory=list)
    fraud_output: str = ""
    notes: str = ""


@dataclass
class Upgrade:
    """A change of product or options that was ordered and counts once its invoice is paid."""

    id: int
    client_id: int
    service_id: int
    order_id: int
    amount: str
    recurring: str
    pid: int = 0
    cycle: str = ""
    options: dict[str, int] = field(default_factory=dict)
    invoice_id: int = 0
    status: str = "Pending"


@dataclass
class Promotion:
    """A promotion code, for some cycles and products or all of them; `value` is percent or yen."""

    id: int
    code: Annotated[str, Field(min_length=1)]
    type: Literal["Percentage", "Fixed Amount", "Price Override"] = "Percentage"
    value: Annotated[str, Field(pattern=r"^[0-9]{1,11}(\.[0-9]{1,2})?$")] = "0.00"
    recurring: bool = False
    cycles: list[str] = field(default_factory=list)
    pids: list[int] = field(default_factory=list)
    starts: str = NO_DATE
    expires: str = NO_DATE
    max_uses: int = 0
    uses: int = 0


@dataclass
class CancelRequest:
    """A customer's wish to end a service; `open` until the daily automation has carried it out."""

    id: int
    service_id: int
    client_id: int
    type: str
    reason: str
    date: str
    updated: str
    open: bool = True


@dataclass
class ModuleJob:
    """A module command that failed and stands in the module queue until it succeeds."""

    id: int
    service_id: int
    module: str
    action: str
    error: str
    created: str
    tried: str
    retries: int = 0
    completed: str = NO_TIME
