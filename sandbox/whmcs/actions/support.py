"""GetSupportDepartments, GetSupportStatuses and GetTicketCounts (whmcs-wire §3.6)."""

from collections import Counter
from collections.abc import Iterable

from sandbox.whmcs.answers import Answer, Payload
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Settings
from sandbox.whmcs.support.records import Ticket


def get_support_departments(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Departments with what waits in them; those the administrator is not in only with `ignore_dept_assignments`."""
    settings = whmcs.settings
    everywhere = truthy(form.get("ignore_dept_assignments"))
    shown = [each for each in settings.departments if everywhere or each.id in settings.admin_departments]
    rows = []
    for department in shown:
        counts = Counter(each.status for each in whmcs.tickets.find("dept_id", department.id))
        awaiting, active = _work(settings, counts)
        figures = {"awaitingreply": str(awaiting), "opentickets": str(active)}
        rows.append({"id": str(department.id), "name": department.name, **figures})
    return Answer({"totalresults": len(rows), "departments": {"department": rows}})


def _work(settings: Settings, counts: Counter[str]) -> tuple[int, int]:
    """How many wait for the staff, and how many are not closed."""
    awaiting = sum(counts[each.title] for each in settings.ticket_statuses if each.awaiting)
    return awaiting, sum(counts[each.title] for each in settings.ticket_statuses if each.active)


def get_support_statuses(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Every status with its colour and how many tickets it holds, in one department or in all."""
    department = text(form.get("deptid"))
    counts = status_counts(whmcs, [to_int(department)] if department else None)
    rows = [
        {"title": each.title, "count": counts[each.title], "color": each.color}
        for each in whmcs.settings.ticket_statuses
    ]
    return Answer({"totalresults": len(rows), "statuses": {"status": rows}})


def get_ticket_counts(whmcs: Whmcs, form: PhpArray) -> Answer:
    """How much work there is, in the administrator's departments unless told otherwise."""
    settings = whmcs.settings
    everywhere = truthy(form.get("ignoreDepartmentAssignments"))
    departments = [each.id for each in settings.departments if everywhere or each.id in settings.admin_departments]
    counts = status_counts(whmcs, departments)
    awaiting, active = _work(settings, counts)
    statuses: Payload = {}
    if truthy(form.get("includeCountsByStatus")):
        for each in settings.ticket_statuses:
            name = "".join(letter for letter in each.title.lower() if letter.isalnum())
            statuses[name] = {"title": each.title, "count": counts[each.title]}
    return Answer(
        {
            "filteredDepartments": departments,
            "allActive": active,
            "awaitingReply": awaiting,
            "flaggedTickets": sum(1 for each in _in(whmcs, departments) if each.flag and each.status != "Closed"),
            "status": statuses,
        }
    )


def status_counts(whmcs: Whmcs, departments: list[int] | None) -> Counter[str]:
    """How many tickets have each status, in these departments or, counted by index, in all."""
    if departments is not None:
        return Counter(each.status for each in _in(whmcs, departments))
    known = whmcs.settings.ticket_statuses
    return Counter({each.title: whmcs.tickets.count("status", each.title) for each in known})


def _in(whmcs: Whmcs, departments: list[int]) -> Iterable[Ticket]:
    return (each for number in departments for each in whmcs.tickets.find("dept_id", number))
