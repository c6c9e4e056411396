"""Invoices for periods that begin soon and for billable items: what the daily automation and GenInvoices make."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain

from sandbox.whmcs.billing import billable
from sandbox.whmcs.billing.credit import apply_automatically
from sandbox.whmcs.billing.invoices import Recurring, Terms, amount_due, announce, issue
from sandbox.whmcs.billing.invoices import bill as bill_period
from sandbox.whmcs.billing.records import BillableItem, Invoice, InvoiceLine
from sandbox.whmcs.billing.settlement import settle
from sandbox.whmcs.billing.switches import BillingSwitches
from sandbox.whmcs.dates import MONTHS, is_date, shifted
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.records import Service

# Records looked at in one go, in a few milliseconds.
PAUSE = 200
_BILLED = ("Active", "Suspended")


@dataclass(frozen=True)
class Season:
    """What a run of invoicing goes by: today, the last due date it looks at, the switches, and whether it mails.

    With `only`, just these services, and no add-on nor billable item.
    """

    today: str
    horizon: str
    switches: BillingSwitches
    mail: bool = True
    only: Collection[int] | None = None


@dataclass(frozen=True)
class _Bill:
    """Lines that belong on one invoice."""

    due: str
    gateway: str
    lines: list[InvoiceLine]


def season(whmcs: Whmcs, *, mail: bool = True, only: Collection[int] | None = None) -> Season:
    """The run that would be made now."""
    switches, today = whmcs.settings, whmcs.today()
    return Season(today, shifted(today, switches.invoice_days_before), switches, mail, only)


def is_due(thing: Recurring, season: Season) -> bool:
    """Whether an invoice for the thing's next period is to be made.

    No second one is made while the last is unpaid, unless the installation invoices continuously.
    """
    if thing.status not in _BILLED or thing.cycle not in MONTHS or not is_date(thing.next_invoice):
        return False
    unpaid = thing.next_invoice > thing.next_due and not season.switches.continuous_invoices
    return thing.next_invoice <= season.horizon and not unpaid


def generate(whmcs: Whmcs, client_id: int, season: Season) -> list[Invoice]:
    """Makes the invoices a client is due, one for each due date and gateway; needs `whmcs.caller`.

    May be repeated: a period that is on an invoice is not invoiced again. Services with an open request for
    cancellation get no more.
    """
    bills = [_period_bill(whmcs, each) for each in _due_things(whmcs, client_id, season)]
    if season.only is None:
        bills += _item_bills(whmcs, client_id, season)
        bills += _waiting_items(whmcs, client_id, bills)
    grouped = _grouped(bills) if season.switches.group_invoices else bills
    return [_issue(whmcs, client_id, each, season) for each in grouped]


def clients_due(whmcs: Whmcs, season: Season) -> Iterator[int | None]:
    """The clients for whom `generate` has something to do, some of them more than once, in one walk through everything
    that recurs; None now and then while nobody is found, so that others can be let in between."""
    for number, thing in enumerate(chain[Recurring](whmcs.services.walk(), whmcs.addons.walk())):
        if is_due(thing, season):
            yield thing.client_id
        elif number % PAUSE == 0:
            yield None
    for item in whmcs.billable_items.find("open", True):
        if billable.is_due(item, season.horizon):
            yield item.client_id


def _due_things(whmcs: Whmcs, client_id: int, season: Season) -> list[Recurring]:
    services = [each for each in whmcs.services.find("client_id", client_id) if is_due(each, season)]
    staying = [each for each in services if not _is_leaving(whmcs, each)]
    if season.only is not None:
        return [each for each in staying if each.id in season.only]
    addons = [each for each in whmcs.addons.find("client_id", client_id) if is_due(each, season)]
    return [*staying, *addons]


def _is_leaving(whmcs: Whmcs, service: Service) -> bool:
    return any(each.open for each in whmcs.cancel_requests.find("service_id", service.id))


def _period_bill(whmcs: Whmcs, thing: Recurring) -> _Bill:
    due, amount = thing.next_invoice, amount_due(thing)
    return _Bill(due, thing.payment_method, [bill_period(whmcs, thing, amount)])


def _item_bills(whmcs: Whmcs, client_id: int, season: Season) -> list[_Bill]:
    return [
        _Bill(each.due if is_date(each.due) else season.today, _first_gateway(season), [billable.bill(whmcs, each)])
        for each in _open_items(whmcs, client_id)
        if billable.is_due(each, season.horizon)
    ]


def _waiting_items(whmcs: Whmcs, client_id: int, bills: list[_Bill]) -> list[_Bill]:
    """Items that come with the client's next invoice, whichever that is."""
    waiting = [each for each in _open_items(whmcs, client_id) if each.action == "nextinvoice"] if bills else []
    return [_Bill(bills[0].due, bills[0].gateway, [billable.bill(whmcs, each)]) for each in waiting]


def _open_items(whmcs: Whmcs, client_id: int) -> list[BillableItem]:
    return [each for each in whmcs.billable_items.find("client_id", client_id) if each.open]


def _first_gateway(season: Season) -> str:
    return next((each.module for each in season.switches.gateways), "")


def _grouped(bills: list[_Bill]) -> list[_Bill]:
    groups: dict[tuple[str, str], list[InvoiceLine]] = {}
    for each in bills:
        groups.setdefault((each.due, each.gateway), []).extend(each.lines)
    return [_Bill(due, gateway, lines) for (due, gateway), lines in groups.items()]


def _issue(whmcs: Whmcs, client_id: int, bill: _Bill, season: Season) -> Invoice:
    """The invoice; one over nothing is Paid at once, and credit is used up first."""
    invoice = issue(whmcs, client_id, bill.lines, Terms(gateway=bill.gateway, due=bill.due))
    facts = {"client": client_id, "total": invoice.total, "services": [line.relid for line in bill.lines]}
    whmcs.note("invoice.created", str(invoice.id), facts)
    announce(whmcs, invoice, mail=season.mail)
    return apply_automatically(whmcs, settle(whmcs, invoice), mail=season.mail)
