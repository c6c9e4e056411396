"""How the installation bills where documentation is silent or installs differ (whmcs-wire §8)."""

from dataclasses import dataclass, field
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field


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
    """Switches of gateways, tax and the daily automation. A number of days of 0 switches suspension or termination off.

    The next `declined_captures` card payments are declined (-1: all of them), and always those of a card whose last
    four digits are listed.
    """

    gateways: list[Gateway] = field(default_factory=lambda: [Gateway("stripe", "Credit Card")])
    time_zone: TimeZone = "Asia/Tokyo"
    tax_type: Literal["Inclusive", "Exclusive"] = "Inclusive"
    tax_rate: Percent = 10.0
    tax_rate2: Percent = 0.0
    tax_per_line: bool = True
    tax_billable_items: bool = True
    order_due_days: Days = 0
    invoice_days_before: Days = 14
    capture_days_before: Days = 0
    capture_retry_days: Days = 7
    overdue_notice_days: Days = 1
    suspend_days: Days = 5
    terminate_days: Days = 0
    continuous_invoices: bool = False
    group_invoices: bool = True
    auto_apply_credit: bool = True
    unsuspend_on_payment: bool = True
    cancellation_requests_run: bool = True
    declined_captures: Annotated[int, Field(ge=-1)] = 0
    declined_cards: list[str] = field(default_factory=lambda: ["0002", "0341"])
