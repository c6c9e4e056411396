"""What becomes of an order: accepted, pending again, cancelled, fraud, deleted (whmcs-wire §3.3)."""

from dataclasses import dataclass
from typing import Literal

from sandbox.whmcs import mails, module
from sandbox.whmcs.answers import Payload
from sandbox.whmcs.billing.invoices import name_of, set_status
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.marks import mark_of, services_of
from sandbox.whmcs.ordering.records import Order, Service, ServiceAddon

STATUSES = ("Pending", "Active", "Fraud", "Cancelled")
_OVER = ("Cancelled", "Fraud", "Terminated", "Completed")
_WELCOME = "Other Product/Service Welcome Email"


@dataclass(frozen=True)
class Acceptance:
    """How an order is accepted: whether modules run, whether welcome mails go out, and with which login and server."""

    run_modules: bool = True
    mail: bool = False
    server_id: int = 0
    username: str = ""
    password: str = ""


def accept(whmcs: Whmcs, order: Order, how: Acceptance) -> str:
    """Sets up what is pending and makes the order Active; returns the error text of a module that failed.

    With a failure the order stays Pending, and what was set up before stays set up (§3.3).
    """
    failure = ""
    for service in services_of(whmcs, order):
        if service.status == "Pending" and not failure:
            failure = _set_up(whmcs, service, how)
    if not failure:
        for addon in whmcs.addons.find("order_id", order.id):
            _activate(whmcs, addon)
        order.status = "Active"
        whmcs.orders.put(order)
    return failure


def _set_up(whmcs: Whmcs, service: Service, how: Acceptance) -> str:
    """Brings one pending service on its way; returns the module's error text or ""."""
    service.server_id = how.server_id or service.server_id
    service.username = how.username or service.username
    service.password = how.password or service.password
    failure = ""
    if not module.has_module(whmcs, service):
        service.status = _without_module(whmcs, service)
    elif how.run_modules:
        failure = module.create(whmcs, service)
    whmcs.services.put(service)
    if how.mail and service.status != "Pending":
        mails.send(whmcs, service.client_id, _WELCOME, product=name_of(whmcs, service), service=str(service.id))
    return failure


def _without_module(whmcs: Whmcs, service: Service) -> str:
    """Versions differ in what a product without a module becomes (§3.3): the installation's switches decide."""
    settings = whmcs.settings
    if settings.moduleless_stays_pending:
        return "Pending"
    return settings.one_time_status if whmcs.products[service.pid].paytype == "onetime" else "Active"


def _activate(whmcs: Whmcs, addon: ServiceAddon) -> None:
    if addon.status == "Pending":
        addon.status = "Active"
        whmcs.addons.put(addon)


def end(whmcs: Whmcs, order: Order, status: Literal["Cancelled", "Fraud"]) -> None:
    """Gives the order its last status; its services and its unpaid invoice follow if the installation is set so.

    Cancelling spares what works already; fraud does not. No module runs, and a paid invoice stays paid.
    """
    order.status = status
    whmcs.orders.put(order)
    if not whmcs.settings.cancel_order_cascades:
        return
    for service in services_of(whmcs, order):
        if service.status == "Pending" or (status == "Fraud" and service.status not in _OVER):
            service.status = status
            whmcs.services.put(service)
    for addon in whmcs.addons.find("order_id", order.id):
        if addon.status == "Pending" or (status == "Fraud" and addon.status not in _OVER):
            addon.status = status
            whmcs.addons.put(addon)
    invoice = whmcs.invoices.get(order.invoice_id)
    if invoice and invoice.status == "Unpaid":
        set_status(whmcs, invoice, "Cancelled")


def reopen(whmcs: Whmcs, order: Order) -> None:
    """Makes the order Pending again, with its services if the installation is set so; no module runs."""
    order.status = "Pending"
    whmcs.orders.put(order)
    if whmcs.settings.pending_order_cascades:
        for service in services_of(whmcs, order):
            service.status = "Pending"
            whmcs.services.put(service)


def delete(whmcs: Whmcs, order: Order) -> None:
    """Removes the order with its services, add-ons and invoice, as if they never were (§3.3)."""
    for service in services_of(whmcs, order):
        whmcs.services.delete(service.id)
    for addon in whmcs.addons.find("order_id", order.id):
        whmcs.addons.delete(addon.id)
    for upgrade in whmcs.upgrades.find("order_id", order.id):
        whmcs.upgrades.delete(upgrade.id)
    whmcs.invoices.delete(order.invoice_id)
    whmcs.orders.delete(order.id)


def facts(whmcs: Whmcs, order: Order, before: str) -> Payload:
    """What the ledger learns about a change of the order."""
    services = services_of(whmcs, order)
    return {
        "client": order.client_id,
        "pids": [service.pid for service in services],
        "services": {str(service.id): service.status for service in services},
        "mark": mark_of(services),
        "before": before,
        "after": order.status,
    }
