"""AddOrder: an order, its services and its invoice, each time it is called (whmcs-wire §3.3, §4)."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sandbox.whmcs import mails
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.billing.invoices import Recurring, announce
from sandbox.whmcs.dates import MONTHS
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of
from sandbox.whmcs.ordering.addons import addons_for_services
from sandbox.whmcs.ordering.cart import CartLine, cart_lines
from sandbox.whmcs.ordering.placing import Buyer, Cart, Placed, place
from sandbox.whmcs.ordering.pricing import applies
from sandbox.whmcs.ordering.records import Promotion, Service
from sandbox.whmcs.php import PhpArray, by_key, text, to_int, truthy
from sandbox.whmcs.records import Client, Settings

# Arrays that belong together once several domains are ordered (§1.3).
_DOMAIN_ARRAYS = ("domain", "regperiod", "dnsmanagement", "emailforwarding", "idprotection", "eppcode")
# There is no registrar, and no product is a server with a host name of its own.
IGNORED = frozenset(
    {
        *("hostname", "rootpw", "ns1prefix", "ns2prefix"),
        *("nameserver1", "nameserver2", "nameserver3", "nameserver4", "nameserver5"),
        *("idnlanguage", "domainfields", "domainpriceoverride", "domainrenewoverride"),
    }
)


def add_order(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Nothing is set up and nothing is de-duplicated: AcceptOrder sets up, and two equal calls make two orders.

    The sandbox has no registrar: what is sent for a domain makes no item, and a domain to renew is nobody's.
    """
    settings = whmcs.settings
    client = _ordering_client(whmcs, form)
    check_gateway(settings, text(form.get("paymentmethod")))
    cart = _cart(whmcs, form, client)
    buyer = Buyer(
        client=client,
        gateway=text(form.get("paymentmethod")),
        address=text(form.get("clientip")),
        contact_id=to_int(form.get("contactid")),
        notes=text(form.get("notes")) if settings.stores_notes else "",
        promotion=_used(cart.lines),
        invoiced=not truthy(form.get("noinvoice")),
    )
    placed = place(whmcs, buyer, cart)
    return Answer(_reply(placed), key=str(placed.order.id), detail=_facts(whmcs, form, placed))


def _ordering_client(whmcs: Whmcs, form: PhpArray) -> Client:
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None:
        raise Refused("Client ID Not Found")
    if client.status == "Closed":
        raise Refused("Unable to add order when client status is Closed")
    return client


def check_gateway(settings: Settings, sent: str) -> None:
    """Raises Refused unless this is the name of an active payment module."""
    active = [each.module for each in settings.gateways]
    if sent not in active:
        raise Refused(f"Invalid Payment Method. Valid options include {','.join(active)}")


def _cart(whmcs: Whmcs, form: PhpArray, client: Client) -> Cart:
    """Everything ordered, in the order in which WHMCS documents its complaints."""
    settings = whmcs.settings
    owned = {each.id: each for each in whmcs.services.find("client_id", client.id)}
    addons = addons_for_services(form, settings, owned)
    if by_key(form.get("domainrenewals")):
        raise Refused("Domain not owned by Client ID provided")
    lines = [_promoted(whmcs, form, line) for line in cart_lines(whmcs.products, form, settings)]
    renewals = [*_renewed_services(settings, form, owned), *_renewed_addons(whmcs, form, client)]
    if not (lines or addons or renewals):
        raise Refused("No items added to cart so order cannot proceed")
    _check_domain_arrays(form)
    return Cart(lines, addons, renewals)


def _check_domain_arrays(form: PhpArray) -> None:
    if len(by_key(form.get("domaintype"))) < 2:
        return
    for name in _DOMAIN_ARRAYS:
        if isinstance(form.get(name), str):
            raise Refused(f"Expecting parameter '{name}' to be an array")


def _promoted(whmcs: Whmcs, form: PhpArray, line: CartLine) -> CartLine:
    """The line with the promotion of its code; a code that is unknown or does not fit changes nothing."""
    code = text(form.get("promocode"))
    found = next(iter(whmcs.promotions.find("code", code)), None) if code else None
    forced = truthy(form.get("promooverride"))
    if found is None or not (forced or applies(found, line.product, line.cycle, whmcs.today())):
        return line
    return replace(line, promotion=found)


def _used(lines: Sequence[CartLine]) -> Promotion | None:
    return next((each.promotion for each in lines if each.promotion), None)


def _renewed_services(settings: Settings, form: PhpArray, owned: dict[int, Service]) -> list[Recurring]:
    numbers = [to_int(each) for each in by_key(form.get("servicerenewals")).values()]
    if any(each not in owned for each in numbers):
        raise Refused("Service ID not owned by Client ID provided")
    return [_renewable(settings, owned[each], f"Service ID {each}") for each in dict.fromkeys(numbers)]


def _renewed_addons(whmcs: Whmcs, form: PhpArray, client: Client) -> list[Recurring]:
    numbers = [to_int(each) for each in by_key(form.get("addonrenewals")).values()]
    owned = {each.id: each for each in whmcs.addons.find("client_id", client.id)}
    if any(each not in owned for each in numbers):
        raise Refused("Addon ID invalid")
    return [_renewable(whmcs.settings, owned[each], f"Service Addon ID {each}") for each in dict.fromkeys(numbers)]


def _renewable(settings: Settings, thing: Recurring, name: str) -> Recurring:
    """The thing itself if a further period can be bought now: it works, comes back, and owes nothing."""
    owes = thing.next_invoice > thing.next_due
    works = thing.status in ("Active", "Suspended") and thing.cycle in MONTHS
    if not settings.on_demand_renewals or owes or not works:
        raise Refused(f"{name} can not be renewed at this time.")
    return thing


def _reply(placed: Placed) -> Payload:
    """`productids` is the name of `serviceids` before 7.8, still sent by many installs; no invoice, no `invoiceid`."""
    ids = _list(each.id for each in placed.services)
    invoice = {"invoiceid": str(placed.invoice.id)} if placed.invoice else {}
    addons = _list(each.id for each in placed.addons)
    head = {"orderid": str(placed.order.id), "serviceids": ids, "productids": ids}
    return {**head, "addonids": addons, "domainids": "", **invoice}


def _facts(whmcs: Whmcs, form: PhpArray, placed: Placed) -> Payload:
    order = placed.order
    return {
        "client": order.client_id,
        "pids": [service.pid for service in placed.services],
        "services": [service.id for service in placed.services],
        "invoice": order.invoice_id,
        "amount": order.amount,
        "mark": mark_of(placed.services),
        "affiliate": to_int(form.get("affid")),
        "before": "",
        "after": order.status,
        "mails": _mailed(whmcs, form, placed),
    }


def _mailed(whmcs: Whmcs, form: PhpArray, placed: Placed) -> list[str]:
    order, sent = placed.order, []
    if not truthy(form.get("noemail")):
        sent += mails.send(whmcs, order.client_id, "Order Confirmation", order=order.number)
    if placed.invoice:
        sent += announce(whmcs, placed.invoice, mail=not truthy(form.get("noinvoiceemail")))
    return sent


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))
