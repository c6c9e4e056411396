"""From rows of WHMCS to the portal's records; every function raises BadShape for a row it cannot read."""

from datetime import date
from decimal import Decimal

from integrations.whmcs.parsing import (
    BadShape,
    Row,
    cycle,
    day,
    integer,
    integers,
    maybe_integer,
    money,
    rows,
    text,
)
from integrations.whmcs.schemas import AddedOrder, CatalogueProduct, Client, Invoice, PayMethod, Service, WhmcsOrder

CURRENCY = "JPY"


def client(body: Row) -> Client:
    """GetClientsDetails (§3.1): the fields under `client`; the same at the top are deprecated."""
    inner = body.get("client")
    row = inner if isinstance(inner, dict) else body
    fields = {integer(each, "id"): text(each, "value") for each in rows(row.get("customfields"), "customfield")}
    return Client(
        id=integer(row, "client_id", "id", "userid"),
        email=text(row, "email"),
        status=text(row, "status"),
        custom_fields=fields,
    )


def pay_method(row: Row, today: date) -> PayMethod:
    """GetPayMethods (§3.1). A card is good to the end of its month; `today` is Japan's."""
    kind, expires = text(row, "type"), text(row, "expiry_date")
    months = _months_left(expires, today) if "CreditCard" in kind else None
    return PayMethod(
        id=integer(row, "id"),
        kind=kind,
        brand=text(row, "card_type", "bank_name", "gateway_name"),
        last_four=text(row, "card_last_four")[-4:],
        expires=expires,
        expired=months is not None and months < 0,
        expiring=months in (0, 1),
    )


def _months_left(expires: str, today: date) -> int | None:
    """From this month to the card's last, negative when it is over. A card without a readable month counts as good
    (None): the gateway has it, and the charge will tell."""
    month, _, year = expires.partition("/")
    if not (month.isdecimal() and year.isdecimal()):
        return None
    return (2000 + int(year) % 100 - today.year) * 12 + int(month) - today.month


def product(row: Row) -> CatalogueProduct:
    """GetProducts (§3.2). A one-time product keeps its price in `monthly`; -1.00 means that cycle is not offered."""
    pricing = row.get("pricing")
    prices = pricing.get(CURRENCY) if isinstance(pricing, dict) else None
    return CatalogueProduct(
        pid=integer(row, "pid"),
        name=text(row, "name"),
        module=text(row, "module"),
        monthly=_offered(prices, "monthly"),
        annually=_offered(prices, "annually"),
        custom_fields={
            text(each, "name"): integer(each, "id") for each in rows(row.get("customfields"), "customfield")
        },
    )


def _offered(prices: object, name: str) -> Decimal | None:
    if not isinstance(prices, dict) or not text(prices, name):
        return None
    price = money(prices, name)
    return price if price >= 0 else None


def added_order(body: Row) -> AddedOrder:
    """AddOrder (§3.3); `productids` is what older installs call `serviceids`."""
    order_id = integer(body, "orderid")
    if order_id <= 0:
        raise BadShape("orderid is not the id of an order")
    return AddedOrder(
        order_id=order_id,
        service_ids=integers(body, "serviceids", "productids"),
        invoice_id=maybe_integer(body, "invoiceid") or None,
    )


def order(row: Row) -> WhmcsOrder:
    """GetOrders (§3.3); `userid` is a client id."""
    return WhmcsOrder(
        id=integer(row, "id"),
        client_id=integer(row, "userid"),
        status=text(row, "status"),
        invoice_id=maybe_integer(row, "invoiceid") or None,
        notes=text(row, "notes"),
    )


def invoice(body: Row) -> Invoice:
    """GetInvoice (§3.5), which names the client `userid`."""
    return Invoice(
        id=integer(body, "invoiceid"),
        client_id=integer(body, "userid"),
        status=text(body, "status"),
        total=money(body, "total"),
        balance=money(body, "balance"),
    )


def service(row: Row) -> Service:
    """GetClientsProducts (§3.4)."""
    try:
        return _service(row)
    except BadShape as shape:
        raise BadShape(f"service {text(row, 'id') or '?'}: {shape}") from None


def _service(row: Row) -> Service:
    return Service(
        id=integer(row, "id"),
        order_id=integer(row, "orderid"),
        client_id=integer(row, "clientid"),
        pid=integer(row, "pid"),
        name=text(row, "name"),
        status=text(row, "status"),
        billing_cycle=cycle(text(row, "billingcycle")),
        recurring_amount=money(row, "recurringamount"),
        next_due_date=day(row, "nextduedate"),
        custom_fields={
            text(each, "name"): text(each, "value") for each in rows(row.get("customfields"), "customfield")
        },
    )
