"""The actions of the external API that this installation knows, by their lower-case names."""

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.whmcs.actions import (
    accounts,
    adding_order,
    addons,
    automation,
    billable_items,
    cancel_requests,
    catalogue,
    clients,
    editing_invoices,
    invoices,
    module_commands,
    order_changes,
    orders,
    payments,
    promotions,
    services,
    signon,
    transactions,
    updating_service,
    upgrading,
)
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
    Action("AddOrder", adding_order.add_order, ignores=adding_order.IGNORED),
    Action("AcceptOrder", order_changes.accept_order, ignores=frozenset({"registrar", "sendregistrar"})),
    Action("PendingOrder", order_changes.pending_order),
    Action("CancelOrder", order_changes.cancel_order),
    Action("FraudOrder", order_changes.fraud_order),
    Action("DeleteOrder", order_changes.delete_order),
    Action("OrderFraudCheck", orders.order_fraud_check),
    Action("GetOrders", orders.get_orders),
    Action("GetOrderStatuses", orders.get_order_statuses),
    Action("GetPromotions", promotions.get_promotions),
    Action(
        "GetQuotes",
        promotions.get_quotes,
        ignores=frozenset({"quoteid", "userid", "subject", "stage", "datecreated", "lastmodified", "validuntil"}),
    ),
    Action("AcceptQuote", promotions.accept_quote, ignores=frozenset({"quoteid"})),
    Action("GetClientsProducts", services.get_clients_products),
    Action("GetClientsDomains", services.get_clients_domains, ignores=frozenset({"domain"})),
    Action("UpdateClientProduct", updating_service.update_client_product),
    Action("UpgradeProduct", upgrading.upgrade_product),
    Action("GetClientsAddons", addons.get_clients_addons),
    Action("UpdateClientAddon", addons.update_client_addon),
    Action("ModuleCreate", module_commands.module_create),
    Action("ModuleSuspend", module_commands.module_suspend),
    Action("ModuleUnsuspend", module_commands.module_unsuspend),
    Action("ModuleTerminate", module_commands.module_terminate),
    Action("ModuleChangePackage", module_commands.module_change_package),
    Action("ModuleChangePw", module_commands.module_change_password),
    Action("ModuleCustom", module_commands.module_custom),
    Action("GetModuleQueue", module_commands.get_module_queue),
    Action("AddCancelRequest", cancel_requests.add_cancel_request),
    Action("GetCancelledPackages", cancel_requests.get_cancelled_packages),
    Action("GetInvoices", invoices.get_invoices),
    Action("GetInvoice", invoices.get_invoice),
    Action("CreateInvoice", editing_invoices.create_invoice),
    Action("UpdateInvoice", editing_invoices.update_invoice),
    Action("GetAutomationLog", automation.get_automation_log),
    Action("GenInvoices", editing_invoices.gen_invoices, ignores=frozenset({"domainids", "addonids"})),
    Action("AddInvoicePayment", payments.add_invoice_payment),
    Action("CapturePayment", payments.capture_payment, ignores=frozenset({"cvv"})),
    Action("ApplyCredit", payments.apply_credit),
    Action("AddCredit", payments.add_credit),
    Action("GetCredits", payments.get_credits),
    Action("AddBillableItem", billable_items.add_billable_item),
    Action("GetTransactions", transactions.get_transactions),
    Action("AddTransaction", transactions.add_transaction),
    Action("UpdateTransaction", transactions.update_transaction),
)
BY_NAME = {action.name.lower(): action for action in _ALL}
