"""Services that are not paid for: suspended some days after the due date, terminated later (whmcs-wire §3.4)."""

from typing import Literal, TypeAlias

from sandbox.whmcs import mails, module
from sandbox.whmcs.billing.invoices import name_of
from sandbox.whmcs.billing.renewals import Season
from sandbox.whmcs.billing.settlement import OVERDUE
from sandbox.whmcs.dates import MONTHS, is_date, shifted
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.php import truthy

Verdict: TypeAlias = Literal["", "suspension", "termination"]


def verdict(service: Service, season: Season) -> Verdict:
    """What the automation does with the service today; nothing within the days of grace or with an exemption."""
    switches = season.switches
    if service.cycle not in MONTHS or not is_date(service.next_due) or _is_exempt(service, season.today):
        return ""
    if service.status == "Active" and switches.suspend_days:
        return "suspension" if service.next_due <= shifted(season.today, -switches.suspend_days) else ""
    if service.status == "Suspended" and switches.terminate_days:
        return "termination" if service.next_due <= shifted(season.today, -switches.terminate_days) else ""
    return ""


def _is_exempt(service: Service, today: str) -> bool:
    """An administrator may spare a service, until a day or for good."""
    until = service.override_until
    return truthy(service.override_suspend) and (not is_date(until) or until > today)


def carry_out(whmcs: Whmcs, service: Service, verdict: Verdict, *, mail: bool = True) -> str:
    """Suspends or terminates, through the module where there is one; returns its error."""
    job = module.Job("suspend", reason=OVERDUE) if verdict == "suspension" else module.Job("terminate")
    if service.provisioned and module.has_module(whmcs, service):
        error = module.run(whmcs, service, job)
        if error:
            return error
    elif verdict == "suspension":
        service.status, service.suspend_reason = "Suspended", OVERDUE
    else:
        service.status, service.terminated = "Terminated", whmcs.today()
    whmcs.services.put(service)
    if mail and verdict == "suspension":
        facts = {"product": name_of(whmcs, service), "service": str(service.id), "reason": OVERDUE}
        mails.send(whmcs, service.client_id, "Service Suspension Notification", **facts)
    return ""
