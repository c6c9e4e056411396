"""What is kept of money. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass

from sandbox.whmcs.dates import NO_TIME


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
