"""AddBillableItem (whmcs-wire §3.5)."""

from sandbox.whmcs.actions.checks import amount_of
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.billing.billable import ACTIONS, PERIODS
from sandbox.whmcs.billing.records import BillableItem
from sandbox.whmcs.dates import NO_DATE, is_date
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import sent_amount
from sandbox.whmcs.php import PhpArray, text, to_int

_MOST_TIMES = 1000


def add_billable_item(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Notes something to be billed; the daily automation bills it as `invoiceaction` says, `noinvoice` never.

    The answer says `status` instead of `result`, as the documented sample does (§1.5).
    """
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None:
        raise Refused("Client ID not Found")
    if not text(form.get("description")):
        raise Refused("You must provide a description")
    action = text(form.get("invoiceaction")).lower() or "noinvoice"
    if action not in ACTIONS:
        raise Refused("Invalid Invoice Action")
    _check_recurrence(form, action)
    due = _due(whmcs, form, action)
    unit = text(form.get("unit"))
    if unit not in ("hours", "quantity"):
        raise Refused("Invalid Unit, please specify either 'hours' or 'quantity'")
    item = BillableItem(
        id=whmcs.billable_items.next_id(),
        client_id=client.id,
        description=text(form.get("description")),
        unit=unit,
        quantity=str(sent_amount(form.get("quantity")) or 1),
        amount=amount_of(text(form.get("amount"))),
        action=action,
        due=due,
        every=to_int(form.get("recur")),
        period=text(form.get("recurcycle")).lower(),
        left=min(to_int(form.get("recurfor")), _MOST_TIMES) if action == "recur" else 1,
    )
    whmcs.billable_items.put(item)
    detail = {"client": client.id, "amount": item.amount, "quantity": item.quantity, "action": action}
    return Answer({"billableid": item.id}, key=str(item.id), detail=detail, verdict="status")


def _check_recurrence(form: PhpArray, action: str) -> None:
    if action != "recur":
        return
    unit, times = to_int(form.get("recur")), to_int(form.get("recurfor"))
    if not 0 < unit <= _MOST_TIMES or times <= 0 or text(form.get("recurcycle")).lower() not in PERIODS:
        raise Refused("Recurring must have a unit, cycle and limit")


def _due(whmcs: Whmcs, form: PhpArray, action: str) -> str:
    due = text(form.get("duedate"))
    if not due and action == "duedate":
        raise Refused("Due date is required")
    if due and not is_date(due):
        raise Refused("Invalid Date Format - Expected: 'YYYY-mm-dd'")
    return due or (whmcs.today() if action == "recur" else NO_DATE)
