"""The provisioning module: it works at the remote end and tells WHMCS how that went (whmcs-wire §3.3, §3.4)."""

from dataclasses import dataclass

from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of
from sandbox.whmcs.mishaps import module_failure
from sandbox.whmcs.ordering import module_queue
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.ordering.switches import Command

ALREADY = "Already provisioned"
MISSING = "Account not found"
NO_FUNCTION = "Function not supported by module"


@dataclass(frozen=True)
class Job:
    """What the module is told to do; the other fields belong to one command each."""

    command: Command
    reason: str = ""
    password: str = ""
    function: str = ""


def create(whmcs: Whmcs, service: Service) -> str:
    """Runs the module's create, as `run` does."""
    return run(whmcs, service, Job("create"))


def run(whmcs: Whmcs, service: Service, job: Job) -> str:
    """Runs one command; returns the module's error text, "" on success. Only success changes the service's status.

    An account that exists already is an error, even when WHMCS never heard that it was made (whmcs-wire §3.3); so is,
    for every other command, one that does not exist.
    """
    error = _refusal(whmcs, service, job)
    if not error:
        fault = module_failure(whmcs, service, job.command)
        if fault is None or fault.at == "after":
            _work(service, job)
        if fault is None:
            _record(whmcs, service, job)
        error = fault.text if fault else ""
    whmcs.services.put(service)
    module_queue.told(whmcs, service, job.command, error)
    return _told(whmcs, service, job, error)


def has_module(whmcs: Whmcs, service: Service) -> bool:
    """Whether the service's product is assigned to a module."""
    return bool(whmcs.products[service.pid].module)


def _refusal(whmcs: Whmcs, service: Service, job: Job) -> str:
    if job.command == "create":
        return ALREADY if service.provisioned else ""
    if not service.provisioned:
        return MISSING
    known = job.command != "custom" or job.function in whmcs.settings.module_functions
    return "" if known else NO_FUNCTION


def _work(service: Service, job: Job) -> None:
    """What happens at the remote end."""
    if job.command == "create":
        service.provisioned = True
        service.username = service.username or f"sx{service.id:06d}"
        service.password = service.password or f"pw-{service.id:06d}"
    if job.command == "terminate":
        service.provisioned = False


def _record(whmcs: Whmcs, service: Service, job: Job) -> None:
    """What WHMCS makes of a success."""
    if job.command in ("create", "unsuspend"):
        service.status, service.suspend_reason = "Active", ""
    elif job.command == "suspend":
        service.status, service.suspend_reason = "Suspended", job.reason
    elif job.command == "terminate":
        service.status, service.terminated = "Terminated", whmcs.today()
    elif job.command == "change_password":
        service.password = job.password or service.password


def _told(whmcs: Whmcs, service: Service, job: Job, error: str) -> str:
    """Notes the module's answer in the ledger once the change is on disk."""
    detail = {
        "order": service.order_id,
        "pids": [service.pid],
        "mark": mark_of([service]),
        "after": service.status,
        "exists": service.provisioned,
        "error": error,
    }
    whmcs.note(f"module.{job.command}", str(service.id), detail)
    return error
