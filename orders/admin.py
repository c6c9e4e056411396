"""What CS sees of orders: everything, with the remote ids; what changes an order goes through the same flows."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import DataError, IntegrityError, transaction
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from audit import trail
from audit.confirming import confirmation, reason_of
from integrations.errors import OutsideError
from journal.admin import ReadOnly
from notifications import sending
from orders import by_support, held, places, staff_page, staff_search, withdrawing
from orders.by_support import Decision
from orders.models import Agreement, Cancellation, Order, OrderEvent, OrderLine
from orders.refresh import NotThere, refresh_order
from orders.staff_filters import ActivationStatus, Age, Revived, SalesforceStatus, WaitsFor
from orders.status import status_of


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
    list_filter = (WaitsFor, Age, Revived, "local_state", SalesforceStatus, ActivationStatus, "progress")
    list_select_related = ("user",)
    show_full_result_count = False
    ordering = ("-id",)
    search_fields = ("number",)  # what is really searched: get_search_results
    search_help_text = _(
        "Order number, Salesforce id or number, WHMCS order or client id, e-mail address, customer number, phone "
        "number, postal code, or name"
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
    actions = ("refresh_from_salesforce", "place_again", "withdraw", "customer_keeps", "mark_cancelled")

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
        """By whole values (orders.staff_search)."""
        term = search_term.strip()
        return (queryset.filter(pk__in=staff_search.matching(term)) if term else queryset), False

    def get_urls(self) -> list[URLPattern]:
        note, again = self.admin_site.admin_view(self.keep_note), self.admin_site.admin_view(self.send_again)
        return [
            path("<int:order_id>/note/", note, name="orders_order_note"),
            path("<int:order_id>/mails/<int:email_id>/", again, name="orders_order_send_again"),
            *super().get_urls(),
        ]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Adds what stands around the order, and what whoever may decide can do about it."""
        context |= staff_page.around(context["original"]) | {"may_decide": self.has_decide_permission(request)}
        return super().render_change_form(request, context, *args, **kwargs)

    def keep_note(self, request: HttpRequest, order_id: int) -> HttpResponse:
        """POST: the note for colleagues, which the order's log and the trail tell of without its words."""
        order = self._to_be_decided(request, order_id)
        with transaction.atomic():
            by_support.keep_note(order.pk, request.POST.get("note", ""), by=_staff(request))
            trail.record_request(request, "order.keep_note", user_id=order.user_id, subject=f"order:{order.number}")
        messages.success(request, _("The note is kept."))
        return redirect("admin:orders_order_change", order_id)

    def send_again(self, request: HttpRequest, order_id: int, email_id: int) -> HttpResponse:
        """POST: another copy of an e-mail about this order."""
        order = self._to_be_decided(request, order_id)
        if not staff_page.mails(order).filter(pk=email_id).exists():
            raise Http404
        sending.resend(email_id)  # none of an order's e-mails holds a code
        trail.record_request(request, "order.send_again", user_id=order.user_id, subject=f"email:{email_id}")
        messages.success(request, _("Another copy is on its way."))
        return redirect("admin:orders_order_change", order_id)

    def _to_be_decided(self, request: HttpRequest, order_id: int) -> Order:
        if request.method != "POST" or not self.has_decide_permission(request):
            raise PermissionDenied
        return get_object_or_404(Order, pk=order_id)

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

    @admin.action(description=_("Take back what is not in Salesforce yet"), permissions=["decide"])
    def withdraw(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        effect = gettext("The order is over before Salesforce hears of it, and its customer is written to.")
        seen: dict[int, Order] = {}

        def look(order_id: int) -> None:
            seen[order_id] = withdrawing.look(order_id)

        def withdraw(order_id: int, decision: Decision) -> None:
            withdrawing.withdraw(seen[order_id], decision)

        return _decide(request, orders, withdraw, effect, look=look)

    @admin.action(description=_("The customer keeps it, though they had cancelled it"), permissions=["decide"])
    def customer_keeps(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        effect = gettext(
            "The customer has agreed to the order. Its page no longer says that it costs nothing unless they keep it."
        )
        return _decide(request, orders, by_support.customer_keeps, effect)

    @admin.action(description=_("Mark as cancelled: it was deleted in Salesforce"), permissions=["decide"])
    def mark_cancelled(self, request: HttpRequest, orders: QuerySet[Order]) -> HttpResponse | None:
        effect = gettext("The order is over, and its customer is written to. It must not be in Salesforce any more.")
        return _decide(request, orders, by_support.mark_cancelled, effect, look=by_support.look_that_it_is_gone)

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
    request: HttpRequest,
    orders: QuerySet[Order],
    act: Callable[[int, Decision], None],
    effect: str,
    *,
    look: Callable[[int], None] = lambda order_id: None,
) -> HttpResponse | None:
    """Asks for the reason, then carries the decision out on each order and leaves an entry in the trail: both or none.

    `look` is what is asked of Salesforce before, outside of that transaction.
    """
    name, reason = act.__name__, reason_of(request)
    if not reason:
        label = str(getattr(OrderAdmin, name).short_description)
        return confirmation(request, orders, action=name, label=label, effect=effect)
    for order in orders:
        try:
            look(order.pk)
            with transaction.atomic():
                act(order.pk, Decision(_staff(request), reason))
                subject = f"order:{order.number}"
                trail.record_request(request, f"order.{name}", user_id=order.user_id, subject=subject, reason=reason)
        except (by_support.NotPossible, OutsideError) as error:
            messages.error(request, f"{order.number}: {error}")
            continue
        messages.success(request, gettext("%(number)s: done") % {"number": order.number})
    return None


def _staff(request: HttpRequest) -> str:
    return str(getattr(request.user, "email", ""))[:80]
