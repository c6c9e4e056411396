"""How the installation bills where documentation is silent or installs differ (whmcs-wire §8)."""

from dataclasses import dataclass, field
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from sandbox.whmcs.about import about


def _known_zone(name: str) -> str:
    """The name, if the machine knows a time zone of it. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (OSError, LookupError) as error:
        raise ValueError(f"no such time zone: {name}") from error
    return name


Days = Annotated[int, Field(ge=0, le=3650)]
Percent = Annotated[float, Field(ge=0, le=100)]
TimeZone = Annotated[str, AfterValidator(_known_zone)]


@dataclass
class Gateway:
    """An active payment module; one that captures charges a stored card by itself."""

    module: str
    displayname: str
    captures: bool = True


@dataclass
class BillingSwitches:
    """Switches of gateways, tax and the daily automation."""

    gateways: list[Gateway] = field(
        default_factory=lambda: [Gateway("stripe", "Credit Card")],
        metadata=about("Active payment modules: module, displayname, and whether it captures stored cards."),
    )
    time_zone: TimeZone = field(default="Asia/Tokyo", metadata=about("The server's time zone, of every date."))
    tax_type: Literal["Inclusive", "Exclusive"] = field(
        default="Inclusive", metadata=about("Whether prices contain the tax.")
    )
    tax_rate: Percent = field(default=10.0, metadata=about("First tax rate in percent, of invoices made from now on."))
    tax_rate2: Percent = field(default=0.0, metadata=about("Second tax rate in percent."))
    tax_per_line: bool = field(default=True, metadata=about("Tax is rounded on each line, else once an invoice."))
    tax_billable_items: bool = field(default=True, metadata=about("Billable items are taxed."))
    order_due_days: Days = field(default=0, metadata=about("Days from an order to the due date of its invoice."))
    invoice_days_before: Days = field(default=14, metadata=about("Days before the next due date to invoice it."))
    capture_days_before: Days = field(default=0, metadata=about("Days before the due date to charge the card."))
    capture_retry_days: Days = field(default=7, metadata=about("Days until a failed charge is tried again; 0 never."))
    overdue_notice_days: Days = field(default=1, metadata=about("Days overdue to the reminder; 0 none."))
    suspend_days: Days = field(default=5, metadata=about("Days overdue to the suspension of a service; 0 never."))
    terminate_days: Days = field(default=0, metadata=about("Days overdue to a suspended service's end; 0 never."))
    continuous_invoices: bool = field(
        default=False, metadata=about("Further periods are invoiced while the last invoice is unpaid.")
    )
    group_invoices: bool = field(
        default=True, metadata=about("One invoice for all of a client's lines of one due date and gateway.")
    )
    auto_apply_credit: bool = field(default=True, metadata=about("New invoices use up the client's credit."))
    unsuspend_on_payment: bool = field(
        default=True, metadata=about("Payment ends a suspension that the automation began.")
    )
    cancellation_requests_run: bool = field(
        default=True, metadata=about("The automation carries requests for cancellation out.")
    )
    declined_captures: Annotated[int, Field(ge=-1)] = field(
        default=0, metadata=about("So many of the next card payments are declined; -1 all.")
    )
    declined_cards: list[str] = field(
        default_factory=lambda: ["0002", "0341"], metadata=about("Last four digits of cards that are always declined.")
    )
