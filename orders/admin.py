"""What CS sees of orders: everything, with the remote ids; what changes an order goes through the same flows."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.admin import ReadOnly
from integrations.errors import OutsideError
from orders.models import Order, OrderEvent, OrderLine
from orders.refresh import refresh_order
from orders.status import status_of


class OrderLineInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OrderLine
    fields = (
        "sku",
        "name_en",
        "item_class",
        "billing_cycle",
        "quantity",
        "unit_price",
        "options",
        "sf_order_item_id",
        "whmcs_service_id",
    )
    extra = 0


class OrderEventInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OrderEvent
    fields = ("at", "what", "actor", "detail")
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("number", "customer", "category", "state", "sf_order_number", "whmcs_order_id", "created_at")
    list_filter = ("local_state", "sf_status", "sf_activation_status", "progress", "category")
    list_select_related = ("user",)
    show_full_result_count = False
    search_fields = (
        "=number",
        "=sf_order_id",
        "=sf_order_number",
        "=sf_opportunity_id",
        "=portal_ref",
        "=user__email",
        "=user__link__sf_account_no",
        "=whmcs_order_id",
    )
    search_help_text = _("Order number, Salesforce id or number, WHMCS order id, e-mail address or customer number")
    date_hierarchy = None
    inlines = (OrderLineInline, OrderEventInline)
    actions = ("refresh_from_salesforce",)

    @admin.display(description=_("customer"), ordering="user__email")
    def customer(self, order: Order) -> str:
        return order.user.email if order.user else "–"

    @admin.display(description=_("customer sees"))
    def state(self, order: Order) -> str:
        return str(status_of(order))

    @admin.action(description=_("Refresh from Salesforce"), permissions=["view"])
    def refresh_from_salesforce(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        """Reads each chosen order now and mirrors what changed."""
        changed = 0
        for order in orders:
            try:
                changed += refresh_order(order, actor=_staff(request))
            except OutsideError as error:
                messages.error(request, f"{order.number}: {error}")
        messages.info(request, _("%(count)s orders changed.") % {"count": changed})


def _staff(request: HttpRequest) -> str:
    return str(getattr(request.user, "email", ""))[:80]
