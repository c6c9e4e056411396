"""What CS sees of orders: everything, with the remote ids; what changes an order goes through the same flows."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db import DataError, IntegrityError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from audit import trail
from audit.confirming import confirmation, reason_of
from integrations.errors import OutsideError
from journal.admin import ReadOnly
from orders import by_support, held, places, revived
from orders.by_support import Decision
from orders.models import Agreement, Cancellation, Order, OrderEvent, OrderLine
from orders.refresh import NotThere, refresh_order
from orders.status import status_of

SEARCHED = (
    "sf_order_id",
    "sf_order_number",
    "sf_opportunity_id",
    "portal_ref",
    "user__email",
    "user__link__sf_account_no",
    "user__link__sf_account_id",
)
SEARCHED_NUMBERS = ("whmcs_order_id", "user__link__whmcs_client_id")


class FixedFilter(admin.SimpleListFilter):
    """A filter over one column whose values are known: Django need not ask a large table for them."""

    values: tuple[str, ...] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(value, value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class SalesforceStatus(FixedFilter):
    title = _("status in Salesforce")
    parameter_name = "sf_status"
    values = ("Draft", "Pending Review", "Approved", "Activated", "Cancelled")


class ActivationStatus(FixedFilter):
    title = pgettext_lazy("staff", "activation status")
    parameter_name = "sf_activation_status"
    values = ("Pending Review", "Activating", "Provisioned", "Failed")


class OnHold(admin.SimpleListFilter):
    """Orders that customers have to bring something for before they are placed."""

    title = _("on hold")
    parameter_name = "on_hold"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("waits for something"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(local_state=Order.Local.SUBMITTED).exclude(on_hold=[])


class Revived(admin.SimpleListFilter):
    """Orders that go on though a customer cancelled them: somebody has to talk to each of these customers."""

    title = _("goes on after being cancelled")
    parameter_name = "revived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("by the customer"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        return queryset.filter(pk__in=revived.unwanted()) if self.value() == "yes" else queryset


class OrderLineInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OrderLine
    fields = ("sku", "name_en", "item_class", "billing_cycle", "quantity", "unit_price", "options", "sf_order_item_id")
    extra = 0


class OrderEventInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    model = OrderEvent
    fields = readonly_fields = ("at", "what", "actor", "detail")
    extra = 0


@admin.register(Order)
class OrderAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("number", "customer", "category", "state", "sf_order_number", "whmcs_order_id", "created_at")
    list_filter = ("local_state", OnHold, Revived, SalesforceStatus, ActivationStatus, "progress")
    list_select_related = ("user",)
    show_full_result_count = False
    ordering = ("-id",)
    search_fields = ("number",)  # what is really searched: get_search_results
    search_help_text = _(
        "Order number, Salesforce id or number, WHMCS order or client id, e-mail address, customer number"
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "number",
                    "user",
                    "category",
                    "state",
                    "local_state",
                    "refusal",
                    "missing",
                    "wish",
                    "attempts",
                )
            },
        ),
        (
            "Salesforce",
            {
                "fields": (
                    "sf_order_number",
                    ("sf_status", "sf_activation_status"),
                    "sf_activation_error",
                    "sf_order_id",
                    "sf_opportunity_id",
                )
            },
        ),
        ("WHMCS", {"fields": ("whmcs_order_id", "progress")}),
        (
            _("Times"),
            {
                "fields": (
                    ("created_at", "placed_at"),
                    ("approved_at", "provisioned_at"),
                    ("cancelled_at", "updated_at"),
                )
            },
        ),
        (
            _("Technical"),
            {
                "fields": (
                    ("submission", "cart_line"),
                    "cart_hash",
                    "portal_ref",
                    "correlation_id",
                    ("terms_version", "terms_accepted_at"),
                    "confirmed",
                    "cleared_at",
                    ("tries", "next_try_at", "lease_until"),
                    "sf_modstamp",
                )
            },
        ),
    )
    inlines = (OrderLineInline, OrderEventInline)
    actions = ("refresh_from_salesforce", "place_again", "mark_cancelled")

    @admin.display(description=_("customer"))
    def customer(self, order: Order) -> str:
        return order.user.email if order.user else "–"

    @admin.display(description=_("customer sees"))
    def state(self, order: Order) -> str:
        return str(status_of(order))

    @admin.display(description=_("goes to"))
    def goes_to(self, order: Order) -> str:
        place = places.kept(order.place)
        return f"{place.label}: {place.words}" if place else "–"

    @admin.display(description=_("waits for"))
    def missing(self, order: Order) -> str:
        return ", ".join(str(task.name) for task in held.tasks(order) if task.blocks) or "–"

    @admin.display(description=_("customer wants it cancelled"))
    def wish(self, order: Order) -> str:
        wish = Cancellation.objects.filter(order=order).first()
        return f"{wish.get_state_display()}, {timezone.localtime(wish.asked_at):%Y-%m-%d %H:%M}" if wish else "–"

    @admin.display(description=_("important matters confirmed"))
    def confirmed(self, order: Order) -> str:
        agreement = Agreement.objects.filter(order=order).first()
        if agreement is None:
            return "–"
        told = ((section["title"], " ".join(section["sentences"])) for section in agreement.matters)
        return format_html_join("", "<p><b>{}</b><br>{}</p>", told)

    @admin.display(description=_("attempts"))
    def attempts(self, order: Order) -> str:
        if not order.sf_order_id:
            return "–"
        address = f"{reverse('admin:provisioning_attempt_changelist')}?{urlencode({'q': order.sf_order_id})}"
        return format_html('<a href="{}">{}</a>', address, _("Show the attempts to provision it"))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """Whole numbers and ids only, each by its own index: one OR over all columns would read the whole table."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = [Order.objects.filter(number=term.upper())]
        found += [Order.objects.filter(**{column: term.lower() if "@" in term else term}) for column in SEARCHED]
        if term.isascii() and term.isdigit() and len(term) < 18:
            found += [Order.objects.filter(**{column: int(term)}) for column in SEARCHED_NUMBERS]
        first, *others = (orders.order_by().values("pk") for orders in found)
        return queryset.filter(pk__in=[row["pk"] for row in first.union(*others)[:500]]), False

    @admin.action(description=_("Refresh from Salesforce"), permissions=["view"])
    def refresh_from_salesforce(self, request: HttpRequest, orders: QuerySet[Order]) -> None:
        """Reads each chosen order now and mirrors what changed."""
        changed = 0
        for order in orders:
            try:
                changed += refresh_order(order, actor=_staff(request))
            except NotThere:
                text = _("%(number)s: Salesforce does not have this order any more, or does not show it to the portal.")
                messages.error(request, text % {"number": order.number})
            except (OutsideError, IntegrityError, DataError) as error:
                messages.error(request, f"{order.number}: {error}")
        messages.info(request, _("%(count)s orders changed.") % {"count": changed})

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Nobody edits an order; who might may decide what becomes of it."""
        return request.user.has_perm("orders.change_order")

    @admin.action(description=_("Place again what was refused"), permissions=["decide"])
    def place_again(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        effect = gettext("The order is sent to Salesforce again, at the prices that the customer saw, within a minute.")
        return _decide(request, orders, by_support.place_again, effect)

    @admin.action(description=_("Mark as cancelled: it was deleted in Salesforce"), permissions=["decide"])
    def mark_cancelled(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        effect = gettext("The order is over, and its customer is written to. It must not be in Salesforce any more.")
        return _decide(request, orders, by_support.mark_cancelled, effect)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return [
            *(field.name for field in Order._meta.fields),
            "state",
            "goes_to",
            "missing",
            "wish",
            "attempts",
            "confirmed",
        ]


def _decide(
    request: HttpRequest, orders: QuerySet[Order], act: Callable[[int, Decision], None], effect: str
) -> HttpResponse | None:
    """Asks for the reason, then carries the decision out on each order, with an entry in the trail."""
    name, reason = act.__name__, reason_of(request)
    if not reason:
        label = str(getattr(OrderAdmin, name).short_description)
        return confirmation(request, orders, action=name, label=label, effect=effect)
    for order in orders:
        try:
            act(order.pk, Decision(_staff(request), reason))
        except (by_support.NotPossible, OutsideError) as error:
            messages.error(request, f"{order.number}: {error}")
            continue
        subject = f"order:{order.number}"
        trail.record_request(request, f"order.{name}", user_id=order.user_id, subject=subject, reason=reason)
        messages.success(request, gettext("%(number)s: done") % {"number": order.number})
    return None


def _staff(request: HttpRequest) -> str:
    return str(getattr(request.user, "email", ""))[:80]
