"""From a cart to an order: its services, add-ons, renewals and its invoice (whmcs-wire §3.3, §4)."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.whmcs.billing.credit import apply_automatically
from sandbox.whmcs.billing.invoices import Recurring, Terms, amount_due, bill, issue, new_line
from sandbox.whmcs.billing.records import Invoice, InvoiceLine
from sandbox.whmcs.dates import MONTHS, NO_DATE, shifted
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, written
from sandbox.whmcs.ordering.addons import AddonLine
from sandbox.whmcs.ordering.cart import CartLine
from sandbox.whmcs.ordering.pricing import discount
from sandbox.whmcs.ordering.records import Order, Promotion, Service, ServiceAddon
from sandbox.whmcs.records import Client


@dataclass(frozen=True)
class Cart:
    """What is ordered: new services, add-ons for services that exist, and periods bought ahead."""

    lines: Sequence[CartLine]
    addons: Sequence[AddonLine] = ()
    renewals: Sequence[Recurring] = ()


@dataclass(frozen=True)
class Buyer:
    """Who orders and how it is paid."""

    client: Client
    gateway: str
    address: str = ""
    contact_id: int = 0
    notes: str = ""
    promotion: Promotion | None = None
    invoiced: bool = True


@dataclass(frozen=True)
class Placed:
    """What came of it."""

    order: Order
    services: list[Service]
    addons: list[ServiceAddon]
    invoice: Invoice | None


def place(whmcs: Whmcs, buyer: Buyer, cart: Cart) -> Placed:
    """Makes the order. Each call makes another one, nothing is de-duplicated; it needs `whmcs.caller`."""
    order = new_order(whmcs, buyer)
    order.renewed_services = [each.id for each in cart.renewals if isinstance(each, Service)]
    order.renewed_addons = [each.id for each in cart.renewals if isinstance(each, ServiceAddon)]
    services = [_new_service(whmcs, order, line) for line in cart.lines]
    ordered = [(each, service.id) for service, line in zip(services, cart.lines, strict=True) for each in line.addons]
    ordered += [(each, each.service_id) for each in cart.addons]
    addons = [_new_addon(whmcs, order, line, service_id) for line, service_id in ordered]
    invoice = None
    if buyer.invoiced:
        invoice = _invoice(whmcs, order, _service_lines(whmcs, services, cart.lines), [*addons, *cart.renewals])
    else:
        order.amount = written(sum(map(amount_due, [*services, *addons, *cart.renewals]), ZERO))
    whmcs.orders.put(order)
    _use(whmcs, cart.lines)
    return Placed(order, services, addons, invoice)


def new_order(whmcs: Whmcs, buyer: Buyer) -> Order:
    """An order without contents, not kept yet."""
    promotion = buyer.promotion
    return Order(
        id=whmcs.orders.next_id(),
        number=str(secrets.randbelow(9 * 10**9) + 10**9),
        client_id=buyer.client.id,
        requestor_id=buyer.client.owner_user_id,
        date=whmcs.timestamp(),
        amount="0.00",
        payment_method=buyer.gateway,
        ip_address=buyer.address,
        contact_id=buyer.contact_id,
        promo_code=promotion.code if promotion else "",
        promo_type=promotion.type if promotion else "",
        promo_value=promotion.value if promotion else "",
        notes=buyer.notes,
    )


def _new_service(whmcs: Whmcs, order: Order, line: CartLine) -> Service:
    today = whmcs.today()
    begins = today if line.cycle in MONTHS else NO_DATE
    off = discount(line.promotion, line.amount) if line.promotion else ZERO
    off_later = discount(line.promotion, line.recurring) if line.promotion and line.promotion.recurring else ZERO
    service = Service(
        id=whmcs.services.next_id(),
        client_id=order.client_id,
        order_id=order.id,
        pid=line.product.pid,
        qty=line.qty,
        cycle=line.cycle,
        first_payment=written(line.amount - off),
        recurring=written(line.recurring - off_later),
        payment_method=order.payment_method,
        registered=today,
        domain=line.domain,
        next_due=begins,
        next_invoice=begins,
        promo_id=line.promotion.id if line.promotion else 0,
        customfields=dict(line.customfields),
        options=dict(line.options),
    )
    return whmcs.services.put(service)


def _new_addon(whmcs: Whmcs, order: Order, line: AddonLine, service_id: int) -> ServiceAddon:
    addon, today = line.addon, whmcs.today()
    begins = today if addon.cycle in MONTHS else NO_DATE
    ordered = ServiceAddon(
        id=whmcs.addons.next_id(),
        client_id=order.client_id,
        service_id=service_id,
        order_id=order.id,
        addon_id=addon.id,
        name=addon.name,
        qty=line.qty,
        cycle=addon.cycle,
        setup_fee=written(Decimal(addon.setup_fee)),
        recurring=written(Decimal(addon.price * line.qty)),
        payment_method=order.payment_method,
        registered=today,
        next_due=begins,
        next_invoice=begins,
    )
    return whmcs.addons.put(ordered)


def _service_lines(whmcs: Whmcs, services: list[Service], lines: Sequence[CartLine]) -> list[InvoiceLine]:
    """One line for each service that costs something, and what a promotion takes off as a line of its own."""
    found = []
    for service, line in zip(services, lines, strict=True):
        if line.amount:
            found.append(bill(whmcs, service, line.amount))
        off = line.amount - Decimal(service.first_payment)
        if line.promotion and off:
            said = f"Promotional Code: {line.promotion.code}"
            found.append(new_line(whmcs, "PromoHosting", service.id, said, -off))
    return found


def _invoice(whmcs: Whmcs, order: Order, lines: list[InvoiceLine], others: Sequence[Recurring]) -> Invoice | None:
    """The order's invoice; an order over nothing gets none (§3.3)."""
    lines += [bill(whmcs, each, amount_due(each)) for each in others if amount_due(each)]
    if not sum((Decimal(each.amount) for each in lines), ZERO):
        return None
    due = shifted(whmcs.today(), whmcs.settings.order_due_days)
    invoice = issue(whmcs, order.client_id, lines, Terms(order.payment_method, due, order_id=order.id))
    order.amount, order.invoice_id = invoice.total, invoice.id
    return apply_automatically(whmcs, invoice)


def _use(whmcs: Whmcs, lines: Sequence[CartLine]) -> None:
    """Counts one use of every code that the order used."""
    for promotion in {line.promotion.id: line.promotion for line in lines if line.promotion}.values():
        promotion.uses += 1
        whmcs.promotions.put(promotion)
