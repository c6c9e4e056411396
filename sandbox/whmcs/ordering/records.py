"""What is kept of orders and services. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field

from sandbox.whmcs.dates import NO_DATE


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
