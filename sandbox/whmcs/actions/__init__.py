"""The actions of the external API that this installation knows, by their lower-case names."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.whmcs.actions import accounts, adding_order, catalogue, clients, invoices, orders, services, signon
from sandbox.whmcs.answers import Answer
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray

Run = Callable[[Whmcs, PhpArray], Answer]


@dataclass(frozen=True)
class Action:
    """One action under its canonical name, which is also its name in the ledger.

    `ignores` are documented parameters that change nothing here, as they change little elsewhere.
    """

    name: str
    run: Run
    ignores: frozenset[str] = frozenset()


_ALL = (
    Action("AddClient", accounts.add_client),
    Action("UpdateClient", accounts.update_client),
    Action("GetClientsDetails", clients.get_clients_details),
    Action("GetClients", clients.get_clients),
    Action("GetPayMethods", signon.get_pay_methods),
    Action("CreateSsoToken", signon.create_sso_token),
    Action("GetProducts", catalogue.get_products),
    Action("GetCurrencies", catalogue.get_currencies),
    Action("GetPaymentMethods", catalogue.get_payment_methods),
    Action("AddOrder", adding_order.add_order),
    Action("AcceptOrder", orders.accept_order),
    Action("CancelOrder", orders.cancel_order),
    Action("GetOrders", orders.get_orders),
    Action("GetOrderStatuses", orders.get_order_statuses),
    Action("GetClientsProducts", services.get_clients_products),
    Action("UpdateClientProduct", services.update_client_product),
    Action("ModuleCreate", services.module_create),
    Action("GetInvoices", invoices.get_invoices),
    Action("GetInvoice", invoices.get_invoice),
    Action("UpdateInvoice", invoices.update_invoice),
)
BY_NAME = {action.name.lower(): action for action in _ALL}
