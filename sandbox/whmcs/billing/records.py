"""What is kept of money. Every record is plain data, so that the store can write it as JSON."""

from dataclasses import dataclass, field

from sandbox.whmcs.dates import NO_DATE, NO_TIME


@dataclass
class InvoiceLine:
    """One position of an invoice; `relid` names what it charges, `period` the day its billing period begins."""

    id: int
    type: str
    relid: int
    description: str
    amount: str
    taxed: bool = False
    period: str = NO_DATE


@dataclass
class Invoice:
    """A bill with its lines; its sums are kept by `totals.add_up`."""

    id: int
    client_id: int
    order_id: int
    created: str
    due: str
    payment_method: str
    lines: list[InvoiceLine]
    total: str = "0.00"
    subtotal: str = "0.00"
    tax: str = "0.00"
    tax2: str = "0.00"
    credit: str = "0.00"
    tax_rate: str = "0.000"
    tax_rate2: str = "0.000"
    status: str = "Unpaid"
    paid: str = NO_TIME
    cancelled: str = NO_TIME
    refunded: str = NO_TIME
    last_capture: str = NO_TIME
    reminded: bool = False
    notes: str = ""
    made: str = NO_TIME
    changed: str = NO_TIME


@dataclass
class Transaction:
    """Money that moved; with an invoice it counts towards that invoice's balance."""

    id: int
    client_id: int
    currency: int
    gateway: str
    date: str
    description: str
    amount_in: str = "0.00"
    fees: str = "0.00"
    amount_out: str = "0.00"
    rate: str = "1.00000"
    transid: str = ""
    invoice_id: int = 0
    refund_id: int = 0


@dataclass
class Credit:
    """An entry of a client's credit log; the balance is the sum of them."""

    id: int
    client_id: int
    date: str
    description: str
    amount: str
    invoice_id: int = 0


@dataclass
class BillableItem:
    """Work or usage to be billed; `due` is when, `left` how many more times, `open` while any is left."""

    id: int
    client_id: int
    description: str
    unit: str
    quantity: str
    amount: str
    action: str
    due: str = NO_DATE
    every: int = 0
    period: str = ""
    left: int = 1
    open: bool = True


@dataclass
class DailyRun:
    """What one run of the daily automation did; `counts` by task and figure, as GetAutomationLog tells it."""

    id: int
    date: str
    started: str
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
