"""GetStats (whmcs-wire §3.6): incomes formatted for people, everything else counted."""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

from sandbox.whmcs.actions.support import status_counts
from sandbox.whmcs.answers import Answer, Payload
from sandbox.whmcs.dates import NO_DATE, shifted
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import ZERO, formatted, written
from sandbox.whmcs.php import PhpArray, to_int

_MOST_DAYS = 90


@dataclass
class _Days:
    """Counts and sums by day."""

    orders: Counter[str] = field(default_factory=Counter)
    by_status: Counter[tuple[str, str]] = field(default_factory=Counter)
    income: dict[str, Decimal] = field(default_factory=dict)
    expenditure: dict[str, Decimal] = field(default_factory=dict)
    tickets: Counter[str] = field(default_factory=Counter)


def get_stats(whmcs: Whmcs, form: PhpArray) -> Answer:
    """The figures of now, and of the last `timeline_days` days, 90 at most, when that was sent."""
    days = _counted(whmcs)
    today = whmcs.today()
    timeline = min(to_int(form.get("timeline_days")), _MOST_DAYS)
    extra = {"timeline_data": _timeline(days, today, timeline)} if timeline > 0 else {}
    return Answer(
        {
            **_income(days, today),
            "orders_pending": whmcs.orders.count("status", "Pending"),
            **_orders_of("today", today, days),
            **_orders_of("yesterday", shifted(today, -1), days),
            "orders_thismonth_total": sum(count for day, count in days.orders.items() if day[:7] == today[:7]),
            "orders_thisyear_total": sum(count for day, count in days.orders.items() if day[:4] == today[:4]),
            **_tickets(whmcs),
            "cancellations_pending": whmcs.cancel_requests.count("open", True),
            "todoitems_due": sum(_is_due(each.status, each.due, today) for each in whmcs.to_do_items.all()),
            "networkissues_open": 0,
            "billableitems_uninvoiced": whmcs.billable_items.count("open", True),
            "quotes_valid": 0,
            "staff_online": 0,
            **extra,
        }
    )


def _is_due(status: str, due: str, today: str) -> bool:
    return status != "Completed" and NO_DATE < due <= today


def _counted(whmcs: Whmcs) -> _Days:
    days = _Days()
    for order in whmcs.orders.walk():
        days.orders[order.date[:10]] += 1
        days.by_status[order.date[:10], order.status] += 1
    for moved in whmcs.transactions.walk():
        day = moved.date[:10]
        days.income[day] = days.income.get(day, ZERO) + Decimal(moved.amount_in)
        days.expenditure[day] = days.expenditure.get(day, ZERO) + Decimal(moved.amount_out) + Decimal(moved.fees)
    for ticket in whmcs.tickets.walk():
        days.tickets[ticket.date[:10]] += 1
    return days


def _income(days: _Days, today: str) -> Payload:
    parts = {"today": today, "thismonth": today[:7], "thisyear": today[:4], "alltime": ""}
    return {f"income_{name}": formatted(_earned(days, beginning)) for name, beginning in parts.items()}


def _earned(days: _Days, beginning: str) -> Decimal:
    came = sum((each for day, each in days.income.items() if day.startswith(beginning)), ZERO)
    return came - sum((each for day, each in days.expenditure.items() if day.startswith(beginning)), ZERO)


def _orders_of(name: str, day: str, days: _Days) -> Payload:
    statuses = ("cancelled", "pending", "fraud", "active")
    counts = {f"orders_{name}_{status}": days.by_status[day, status.title()] for status in statuses}
    return {**counts, f"orders_{name}_total": days.orders[day]}


def _tickets(whmcs: Whmcs) -> Payload:
    statuses = whmcs.settings.ticket_statuses
    counts = status_counts(whmcs, None)
    flagged = sum(1 for each in whmcs.tickets.walk() if each.flag and each.status != "Closed")
    named = {"open": "Open", "answered": "Answered", "customerreply": "Customer-Reply", "closed": "Closed"}
    named |= {"onhold": "On Hold", "inprogress": "In Progress"}
    return {
        "tickets_allactive": sum(counts[each.title] for each in statuses if each.active),
        "tickets_awaitingreply": sum(counts[each.title] for each in statuses if each.awaiting),
        "tickets_flaggedtickets": flagged,
        **{f"tickets_{name}": counts[title] for name, title in named.items()},
    }


def _timeline(days: _Days, today: str, length: int) -> Payload:
    dates = [shifted(today, -back) for back in range(length)]
    return {
        "new_orders": {day: days.orders[day] for day in dates},
        "accepted_orders": {day: days.by_status[day, "Active"] for day in dates},
        "income": {day: written(days.income.get(day, ZERO)) for day in dates},
        "expenditure": {day: written(days.expenditure.get(day, ZERO)) for day in dates},
        "new_tickets": {day: days.tickets[day] for day in dates},
    }
