"""Changing a service's product or options in the middle of a period (whmcs-wire §3.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sandbox.whmcs import module
from sandbox.whmcs.dates import MONTHS, days_between, is_date, months_later
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import rounded, written
from sandbox.whmcs.ordering.cart import option_value
from sandbox.whmcs.ordering.pricing import option_price, price
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.products import Product, ProductOption, mark_field_id


@dataclass(frozen=True)
class OptionChange:
    """One option before and after; `amount` is what the change costs for the rest of the period."""

    option: ProductOption
    before: int
    after: int
    amount: Decimal


def days_left(whmcs: Whmcs, service: Service) -> tuple[int, int]:
    """Days of the paid period that remain, and how many the period has; none without a period."""
    if service.cycle not in MONTHS or not is_date(service.next_due):
        return 0, 0
    start = months_later(service.next_due, -MONTHS[service.cycle])
    return max(0, days_between(whmcs.today(), service.next_due)), days_between(start, service.next_due)


def options_for(product: Product, held: Mapping[str, int]) -> dict[str, int]:
    """The options of a service that becomes this product: what it has of them, the default for the others."""
    return {str(each.id): held.get(str(each.id), option_value(each, None)) for each in product.options}


def change_product(service: Service, product: Product) -> None:
    """Makes the service one of this product. The mark goes along, into the new product's field of that name."""
    mark = service.customfields.get(str(mark_field_id(service.pid)), "")
    service.options = options_for(product, service.options)
    service.pid = product.pid
    service.customfields = {str(product.mark_field_id): mark} if mark else {}


def product_price(whmcs: Whmcs, service: Service, product: Product, cycle: str) -> Decimal:
    """What the new product costs for the days that remain, less what they cost now; may be negative."""
    new = price(product, cycle, options_for(product, service.options)) * service.qty
    left, total = days_left(whmcs, service)
    if not total or cycle not in MONTHS:
        return new
    now, later = Decimal(service.recurring) / total, new / _days_of(cycle, service.next_due)
    return rounded((later - now) * left)


def option_changes(whmcs: Whmcs, service: Service, wanted: Mapping[int, int]) -> list[OptionChange]:
    """What changes among the service's options when these values, already fitting, are taken."""
    left, total = days_left(whmcs, service)
    part = Decimal(left) / total if total else Decimal(1)
    found = []
    for option in whmcs.products[service.pid].options:
        before = service.options.get(str(option.id), 0)
        after = wanted.get(option.id, before)
        if after != before:
            difference = option_price(option, after) - option_price(option, before)
            found.append(OptionChange(option, before, after, rounded(difference * part)))
    return found


def recurring_after(service: Service, changes: list[OptionChange]) -> Decimal:
    """The recurring amount once these options are taken."""
    moved = (option_price(each.option, each.after) - option_price(each.option, each.before) for each in changes)
    return Decimal(service.recurring) + (sum(moved) * service.qty if service.cycle in MONTHS else 0)


def is_unpaid(whmcs: Whmcs, service: Service) -> bool:
    """Whether an upgrade of this service waits for its invoice."""
    for upgrade in whmcs.upgrades.find("service_id", service.id):
        invoice = whmcs.invoices.get(upgrade.invoice_id)
        if upgrade.status == "Pending" and invoice and invoice.status == "Unpaid":
            return True
    return False


def apply(whmcs: Whmcs, upgrade_id: int) -> None:
    """Makes the service what was ordered and lets the module know; an upgrade that was made already stays as it is."""
    upgrade = whmcs.upgrades.get(upgrade_id)
    service = whmcs.services.get(upgrade.service_id) if upgrade else None
    if upgrade is None or service is None or upgrade.status != "Pending":
        return
    upgrade.status = "Completed"
    whmcs.upgrades.put(upgrade)
    if upgrade.pid:
        change_product(service, whmcs.products[upgrade.pid])
        service.cycle = upgrade.cycle
    service.options |= upgrade.options
    service.recurring = written(Decimal(upgrade.recurring))
    whmcs.services.put(service)
    if service.provisioned and module.has_module(whmcs, service):
        module.run(whmcs, service, module.Job("change_package"))


def _days_of(cycle: str, end: str) -> int:
    return days_between(months_later(end, -MONTHS[cycle]), end)
