"""How staff narrow down the list of orders. No filter asks the table for its values."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders import revived
from orders.models import Cancellation, Order, OrderQuerySet, of_open_accounts

Words = Mapping[str, "str | Promise"]  # value -> what staff read


class FixedFilter(admin.SimpleListFilter):
    """A filter whose values are known beforehand."""

    values: Words = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(self.values.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        value = self.value()
        return queryset.filter(self.condition(value)) if value and value in self.values else queryset

    def condition(self, value: str) -> Q:
        """The orders of one value; by default those whose column of the filter's name has it."""
        return Q(**{str(self.parameter_name): value})


class SalesforceStatus(FixedFilter):
    title = _("status in Salesforce")
    parameter_name = "sf_status"
    values = {name: name for name in ("Draft", "Pending Review", "Approved", "Activated", "Cancelled")}


class ActivationStatus(FixedFilter):
    title = pgettext_lazy("staff", "activation status")
    parameter_name = "sf_activation_status"
    values = {name: name for name in ("Pending Review", "Activating", "Provisioned", "Failed")}


class Age(FixedFilter):
    """Orders under way, by how long ago they were submitted."""

    title = _("under way for")
    parameter_name = "under_way_for"
    values = {"1": _("more than a day"), "4": _("more than four days"), "14": _("more than two weeks")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        narrowed = super().queryset(request, queryset)
        return narrowed.under_way() if self.value() in self.values and isinstance(narrowed, OrderQuerySet) else narrowed

    def condition(self, value: str) -> Q:
        return Q(created_at__lt=timezone.now() - timedelta(days=int(value)))


def waits_for_customer() -> Q:
    """Orders that were not placed yet because something of their customer's is missing."""
    return Q(local_state=Order.Local.SUBMITTED) & of_open_accounts() & ~Q(on_hold=[])


class WaitsFor(FixedFilter):
    """Whose turn it is."""

    title = _("waits for")
    parameter_name = "waits_for"
    values = {
        "customer": _("the customer"),
        "support": _("customer support"),
        "salesforce": _("Salesforce, to be placed"),
        "provisioning": _("provisioning"),
    }

    def condition(self, value: str) -> Q:
        submitted = Q(local_state=Order.Local.SUBMITTED)
        customers = of_open_accounts()  # nobody tries an order of anybody else by itself
        placed = Q(local_state=Order.Local.PLACED) & ~Q(progress=Order.Progress.PROVISIONED)
        alive = Q(progress__in=[Order.Progress.ACTIVATING, Order.Progress.CHECKING])
        activating = placed & (alive | Q(progress="", sf_status="Approved", sf_activation_status="Activating"))
        failed = placed & ~alive & (Q(progress=Order.Progress.FAILED) | Q(sf_activation_status="Failed"))
        reviewed = placed & Q(sf_status__in=["Draft", "Pending Review"], progress="")
        wish = Q(cancellation__state=Cancellation.State.REFUSED) & placed & ~Q(sf_status="Cancelled")
        return {
            "customer": waits_for_customer(),
            "support": submitted & ~customers | reviewed | failed & ~Q(sf_status="Cancelled") | wish,
            "salesforce": submitted & customers & Q(on_hold=[]),
            "provisioning": activating & ~Q(sf_status="Cancelled"),
        }[value]


class Revived(FixedFilter):
    """Orders that go on though a customer cancelled them: somebody has to talk to each of these customers."""

    title = _("goes on after being cancelled")
    parameter_name = "revived"
    values = {"yes": _("by the customer")}

    def condition(self, value: str) -> Q:
        return Q(pk__in=revived.unwanted())
