"""Requests for cancellation: made by a customer, carried out by the daily automation (whmcs-wire §3.4)."""

from sandbox.whmcs import module
from sandbox.whmcs.billing.invoices import set_status
from sandbox.whmcs.dates import is_date
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.ordering.records import CancelRequest, Service

IMMEDIATE, AT_END = "Immediate", "End of Billing Period"


def request(whmcs: Whmcs, service: Service, kind: str, reason: str) -> CancelRequest:
    """Notes the wish; unpaid invoices over this service alone go with it if the installation is set so."""
    now, number = whmcs.timestamp(), whmcs.cancel_requests.next_id()
    made = CancelRequest(number, service.id, service.client_id, kind, reason, now, now)
    if whmcs.settings.cancel_request_cancels_invoices:
        _cancel_invoices(whmcs, service)
    return whmcs.cancel_requests.put(made)


def is_due(request: CancelRequest, service: Service, today: str) -> bool:
    """Whether the automation ends the service now: at once, or when the period that was paid for is over."""
    return request.type == IMMEDIATE or not is_date(service.next_due) or service.next_due <= today


def carry_out(whmcs: Whmcs, request: CancelRequest, service: Service) -> str:
    """Ends the service, at the remote end first; returns the module's error, with which the request stays open."""
    if service.provisioned and module.has_module(whmcs, service):
        error = module.run(whmcs, service, module.Job("terminate"))
        if error:
            return error
    service.status, service.terminated = "Cancelled", whmcs.today()
    whmcs.services.put(service)
    for addon in whmcs.addons.find("service_id", service.id):
        addon.status, addon.terminated = "Cancelled", whmcs.today()
        whmcs.addons.put(addon)
    close(whmcs, request)
    return ""


def close(whmcs: Whmcs, request: CancelRequest) -> None:
    """Marks the request as dealt with."""
    request.open, request.updated = False, whmcs.timestamp()
    whmcs.cancel_requests.put(request)


def _cancel_invoices(whmcs: Whmcs, service: Service) -> None:
    for invoice in whmcs.invoices.find("client_id", service.client_id):
        billed = {(line.type, line.relid) for line in invoice.lines}
        if invoice.status == "Unpaid" and billed <= {("Hosting", service.id), ("PromoHosting", service.id)}:
            set_status(whmcs, invoice, "Cancelled")
