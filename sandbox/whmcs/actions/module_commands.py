"""The Module* commands and GetModuleQueue (whmcs-wire §3.4)."""

from sandbox.whmcs import module
from sandbox.whmcs.actions.updating_service import facts
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.dates import NO_TIME
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.records import ModuleJob, Service
from sandbox.whmcs.php import PhpArray, text, to_int, truthy


def module_create(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Runs the module for one service, whatever its status; a second create is passed to the module again."""
    return _run(whmcs, form, module.Job("create"))


def module_suspend(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Success makes the service Suspended, with `suspendreason`."""
    return _run(whmcs, form, module.Job("suspend", reason=text(form.get("suspendreason"))))


def module_unsuspend(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Success makes the service Active."""
    return _run(whmcs, form, module.Job("unsuspend"))


def module_terminate(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Success makes the service Terminated, and the account is gone."""
    return _run(whmcs, form, module.Job("terminate"))


def module_change_package(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Tells the module which product the service is now; no status changes."""
    return _run(whmcs, form, module.Job("change_package"))


def module_change_password(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Success keeps `servicepassword`, when it is sent, as the service's password."""
    return _run(whmcs, form, module.Job("change_password", password=text(form.get("servicepassword"))))


def module_custom(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Runs one of the module's own functions, `func_name`; no status changes."""
    return _run(whmcs, form, module.Job("custom", function=text(form.get("func_name"))))


def _run(whmcs: Whmcs, form: PhpArray, job: module.Job) -> Answer:
    """`accountid` is the older name of `serviceid` (since 7.7)."""
    service = _wanted(whmcs, form)
    before = service.status
    failure = module.run(whmcs, service, job)
    return Answer(key=str(service.id), detail=facts(service, before), failure=failure)


def _wanted(whmcs: Whmcs, form: PhpArray) -> Service:
    number = next((form[name] for name in ("serviceid", "accountid") if truthy(form.get(name))), None)
    if number is None:
        raise Refused("Service ID is required")
    service = whmcs.services.get(to_int(number))
    if service is None:
        raise Refused("Service ID not found")
    if not module.has_module(whmcs, service):
        raise Refused("Service not assigned to a module")
    return service


def get_module_queue(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Commands that failed, oldest first; one that succeeded later is marked as completed."""
    service, since = to_int(form.get("relatedId")), text(form.get("since"))
    jobs = whmcs.module_jobs.find("service_id", service) if service else whmcs.module_jobs.walk()
    wanted = (text(form.get("moduleName")), text(form.get("moduleAction")))
    rows = [_row(each) for each in jobs if _matches(each, *wanted) and each.tried >= since]
    if text(form.get("serviceType")) not in ("", "service"):
        rows = []
    return Answer({"count": len(rows), "queue": rows})


def _matches(job: ModuleJob, name: str, action: str) -> bool:
    return name in ("", job.module) and action in ("", job.action)


def _row(job: ModuleJob) -> Payload:
    return {
        "id": job.id,
        "serviceType": "service",
        "serviceId": job.service_id,
        "moduleName": job.module,
        "moduleAction": job.action,
        "lastAttempt": job.tried,
        "lastAttemptError": job.error,
        "numRetries": job.retries,
        "completed": int(job.completed != NO_TIME),
        "createdAt": job.created,
        "updatedAt": job.tried,
    }
