"""UpgradeProduct: another product or other options in the middle of a period (whmcs-wire §3.4)."""

from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.whmcs.actions.adding_order import check_gateway
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing.credit import apply_automatically
from sandbox.whmcs.billing.invoices import Terms, issue, new_line
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, formatted, written
from sandbox.whmcs.ordering import upgrades
from sandbox.whmcs.ordering.cart import option_value
from sandbox.whmcs.ordering.placing import Buyer, new_order
from sandbox.whmcs.ordering.pricing import discount, plain_cycle, price
from sandbox.whmcs.ordering.records import Order, Promotion, Service, Upgrade
from sandbox.whmcs.php import PhpArray, by_key, text, to_int, truthy
from sandbox.whmcs.products import ProductOption


@dataclass(frozen=True)
class Quote:
    """What an upgrade costs now and later, and how it is told."""

    description: str
    amount: Decimal
    recurring: Decimal
    told: Payload
    pid: int = 0
    cycle: str = ""
    options: dict[str, int] = field(default_factory=dict)


def upgrade_product(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Quotes with `calconly`, else orders too. What is to be paid counts once its invoice is paid, a free one at once.

    A product's quote has days and a price; one of options names each option instead (§3.4).
    """
    service = whmcs.services.get(to_int(form.get("serviceid")))
    if service is None:
        raise Refused("Service ID Not Found")
    unpaid, only_quote = upgrades.is_unpaid(whmcs, service), truthy(form.get("calconly"))
    if unpaid and not only_quote:
        message = "Unable to accept upgrade order. Previous upgrade invoice for service is still unpaid."
        raise Refused(message)
    check_gateway(whmcs.settings, text(form.get("paymentmethod")))
    quote = _quote(whmcs, form, service)
    told = {**quote.told, "upgradeinprogress": int(unpaid)}
    if only_quote:
        return Answer(told, key=str(service.id))
    upgrade, order = _order(whmcs, form, service, quote)
    made = {"id": upgrade.id, "orderid": order.id, "order_number": order.number}
    detail = {"client": service.client_id, "order": order.id, "amount": upgrade.amount, "mark": service.mark}
    return Answer({**told, **made, "invoiceid": order.invoice_id or None}, key=str(service.id), detail=detail)


def _quote(whmcs: Whmcs, form: PhpArray, service: Service) -> Quote:
    kind = text(form.get("type"))
    promotion = next(iter(whmcs.promotions.find("code", text(form.get("promocode")))), None)
    if kind == "product":
        return _product_quote(whmcs, form, service, promotion)
    if kind == "configoptions":
        return _options_quote(whmcs, form, service, promotion)
    raise Refused("Invalid Upgrade Type")


def _product_quote(whmcs: Whmcs, form: PhpArray, service: Service, promotion: Promotion | None) -> Quote:
    old, new = whmcs.products[service.pid], whmcs.products.get(to_int(form.get("newproductid")))
    if new is None:
        raise Refused("Product ID Not Found")
    cycle = plain_cycle(text(form.get("newproductbillingcycle")))
    cycle = cycle if cycle in new.cycles else next(iter(new.cycles))
    amount = _less(upgrades.product_price(whmcs, service, new, cycle), promotion)
    left, total = upgrades.days_left(whmcs, service)
    told = {
        "oldproductid": old.pid,
        "oldproductname": old.name,
        "newproductid": new.pid,
        "newproductname": new.name,
        "daysuntilrenewal": left,
        "totaldays": total,
        "newproductbillingcycle": cycle,
        "price": formatted(amount),
    }
    recurring = price(new, cycle, upgrades.options_for(new, service.options)) * service.qty
    later = recurring if new.paytype == "recurring" else ZERO
    return Quote(f"Upgrade: {old.name} => {new.name}", amount, later, told, new.pid, cycle)


def _options_quote(whmcs: Whmcs, form: PhpArray, service: Service, promotion: Promotion | None) -> Quote:
    """`configoptions` is a plain array here: option id to choice id or quantity (§0 no. 8)."""
    product = whmcs.products[service.pid]
    sent = by_key(form.get("configoptions"))
    wanted = {each.id: option_value(each, text(sent[each.id])) for each in product.options if each.id in sent}
    changes = upgrades.option_changes(whmcs, service, wanted)
    subtotal = sum((each.amount for each in changes), ZERO)
    total = _less(subtotal, promotion)
    told: Payload = {}
    for number, change in enumerate(changes, 1):
        told |= _told_change(number, change)
    told |= {"subtotal": formatted(subtotal), "discount": formatted(subtotal - total), "total": formatted(total)}
    options = {str(each.option.id): each.after for each in changes}
    later = upgrades.recurring_after(service, changes)
    return Quote(f"Options of {product.name}", total, later, told, options=options)


def _told_change(number: int, change: upgrades.OptionChange) -> Payload:
    return {
        f"configname{number}": change.option.name,
        f"originalvalue{number}": _shown(change.option, change.before),
        f"newvalue{number}": _shown(change.option, change.after),
        f"price{number}": formatted(change.amount),
    }


def _shown(option: ProductOption, value: int) -> str:
    if option.word == "yesno":
        return "Yes" if value else "No"
    return option.choice(value).name if option.word == "dropdown" else str(value)


def _less(amount: Decimal, promotion: Promotion | None) -> Decimal:
    return amount - discount(promotion, amount) if promotion and amount > 0 else amount


def _order(whmcs: Whmcs, form: PhpArray, service: Service, quote: Quote) -> tuple[Upgrade, Order]:
    """The order, its upgrade, and an invoice when something is to be paid; what goes down costs nothing (§3.4)."""
    client = whmcs.clients.get(service.client_id)
    if client is None:
        raise Refused("Service ID Not Found")
    order = new_order(whmcs, Buyer(client, text(form.get("paymentmethod"))))
    upgrade = Upgrade(
        id=whmcs.upgrades.next_id(),
        client_id=client.id,
        service_id=service.id,
        order_id=order.id,
        amount=written(max(quote.amount, ZERO)),
        recurring=written(quote.recurring),
        pid=quote.pid,
        cycle=quote.cycle,
        options=quote.options,
    )
    whmcs.upgrades.put(upgrade)
    order.amount = upgrade.amount
    if quote.amount > 0:
        line = new_line(whmcs, "Upgrade", upgrade.id, quote.description, quote.amount)
        terms = Terms(order.payment_method, whmcs.today(), order_id=order.id)
        invoice = issue(whmcs, client.id, [line], terms)
        order.invoice_id = upgrade.invoice_id = invoice.id
        whmcs.upgrades.put(upgrade)
        apply_automatically(whmcs, invoice)
    else:
        upgrades.apply(whmcs, upgrade.id)
    whmcs.orders.put(order)
    return upgrade, order
