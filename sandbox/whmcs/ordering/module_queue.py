"""The module queue: commands that failed, until the same command of the same service succeeds (whmcs-wire §3.3)."""

from sandbox.whmcs.dates import NO_TIME
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.records import ModuleJob, Service
from sandbox.whmcs.ordering.switches import Command

ACTIONS: dict[Command, str] = {
    "create": "CreateAccount",
    "suspend": "SuspendAccount",
    "unsuspend": "UnsuspendAccount",
    "terminate": "TerminateAccount",
    "change_package": "ChangePackage",
    "change_password": "ChangePassword",
    "custom": "Custom",
}


def told(whmcs: Whmcs, service: Service, command: Command, error: str) -> None:
    """Takes the outcome of one command into the queue: a failure opens a job or counts on it, a success closes it."""
    action = ACTIONS[command]
    waiting = whmcs.module_jobs.find("service_id", service.id)
    job = next((each for each in waiting if each.action == action and each.completed == NO_TIME), None)
    if error:
        whmcs.module_jobs.put(_failed(whmcs, job, error) if job else _opened(whmcs, service, action, error))
    elif job:
        job.completed = whmcs.timestamp()
        whmcs.module_jobs.put(job)


def _failed(whmcs: Whmcs, job: ModuleJob, error: str) -> ModuleJob:
    job.error, job.tried, job.retries = error, whmcs.timestamp(), job.retries + 1
    return job


def _opened(whmcs: Whmcs, service: Service, action: str, error: str) -> ModuleJob:
    now = whmcs.timestamp()
    module = whmcs.products[service.pid].module
    return ModuleJob(whmcs.module_jobs.next_id(), service.id, module, action, error, created=now, tried=now)
