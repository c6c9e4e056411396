"""The provisioning module: it makes the service at the remote end and tells WHMCS whether that worked."""

from dataclasses import replace

from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of
from sandbox.whmcs.ordering.records import Service
from sandbox.whmcs.ordering.switches import ModuleFault
from sandbox.whmcs.products import products

ALREADY = "Already provisioned"


def create(whmcs: Whmcs, service: Service) -> str:
    """Runs the module's create; returns its error text, "" on success. Only success makes the service Active.

    An account that exists already is an error, even when WHMCS never heard that it was made (whmcs-wire §3.3).
    """
    fault = _due_fault(whmcs, service.pid)
    if service.provisioned:
        return _told(whmcs, service, ALREADY)
    if fault is None or fault.after_commit:
        service.provisioned = True
        service.username = f"sx{service.id:06d}"
        service.status = service.status if fault else "Active"
    whmcs.services.put(service)
    return _told(whmcs, service, fault.text if fault else "")


def has_module(service: Service) -> bool:
    """Whether the service's product is assigned to a module."""
    return bool(products()[service.pid].module)


def _due_fault(whmcs: Whmcs, pid: int) -> ModuleFault | None:
    """The fault that strikes this call; a fault meant for n calls is used up by them."""
    settings = whmcs.settings
    fault = settings.module_faults.get(str(pid))
    if fault is None or fault.remaining == 0:
        return None
    if fault.remaining > 0:
        spent = replace(fault, remaining=fault.remaining - 1)
        whmcs.save(replace(settings, module_faults={**settings.module_faults, str(pid): spent}))
    return fault


def _told(whmcs: Whmcs, service: Service, error: str) -> str:
    """Notes the module's answer in the ledger once the change is on disk."""
    detail = {
        "order": service.order_id,
        "pids": [service.pid],
        "mark": mark_of([service]),
        "after": service.status,
        "exists": service.provisioned,
        "error": error,
    }
    whmcs.note("module.create", str(service.id), detail)
    return error
