"""What CS sees of the catalogue. The mirror is written by the sync alone, so everything here is for reading."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from catalog import billing
from catalog.eligibility.admin import EligibilityRequestAdmin
from catalog.freshness import freshness
from catalog.models import CatalogSync, Product, WhmcsProduct
from catalog.prices import validities
from journal.admin import ReadOnly

__all__ = ["CatalogSyncAdmin", "EligibilityRequestAdmin", "ProductAdmin", "WhmcsProductAdmin"]


class Offered(admin.SimpleListFilter):
    """Whether customers see the product, and if not, why."""

    title = _("customers")
    parameter_name = "customers"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("sold", _("can buy it")), ("hidden", _("do not see it: something is wrong")), ("gone", _("withdrawn"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        if self.value() == "sold":
            return queryset.filter(withdrawn_at=None, broken=[], accessible=True)
        if self.value() == "hidden":
            return queryset.filter(withdrawn_at=None).exclude(broken=[])
        return queryset.exclude(withdrawn_at=None) if self.value() == "gone" else queryset


class InWhmcs(admin.SimpleListFilter):
    """Whether WHMCS has the same price (decisions.md 10)."""

    title = _("WHMCS")
    parameter_name = "whmcs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("differs", _("another price"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        return billing.priced_differently(queryset) if self.value() == "differs" else queryset


class Fresh:
    """A list above which the age of the mirror stands."""

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Django's list with `freshness` for its template."""
        context = {**(extra_context or {}), "freshness": freshness()}
        answer: HttpResponse = super().changelist_view(request, context)  # type: ignore[misc]
        return answer


@admin.register(Product)
class ProductAdmin(Fresh, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("sku", "named", "category", "cost", "in_whmcs", "billing_cycle", "state")
    list_filter = (Offered, InWhmcs, "category", "item_class")
    show_full_result_count = False
    search_fields = ("sku", "name_en", "name_ja", "sf_product_id__exact", "whmcs_product_id__exact")
    fieldsets = (
        (None, {"fields": ("sku", "name_en", "name_ja", "state", "cost", "in_whmcs", "price_history")}),
        (_("What customers read"), {"fields": ("description_en", "description_ja", "attributes", "display_order")}),
        (
            _("How it is sold"),
            {"fields": ("category", "item_class", "billing_cycle", "accessible", "activation_sku", "identity")},
        ),
        (_("What may be chosen, and where"), {"fields": ("eligibility_values", "options")}),
        (
            _("In the other systems"),
            {"fields": ("sf_product_id", "sf_pricebook_entry_id", "whmcs_product_id", "withdrawn_at", "synced_at")},
        ),
    )
    readonly_fields = ("state", "cost", "in_whmcs", "price_history")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        return billing.with_billing(super().get_queryset(request))

    @admin.display(description=_("name"), ordering="name_en")
    def named(self, product: Product) -> str:
        """The name in the reader's language."""
        return product.name

    @admin.display(description=_("price"), ordering="price")
    def cost(self, product: Product) -> str:
        """In yen, tax included; a dash where Salesforce has none."""
        return "–" if product.price is None else f"¥{product.price:,}"

    @admin.display(description=_("in WHMCS"))
    def in_whmcs(self, product: Any) -> str:
        """WHMCS' price, said in words where it is not ours; empty while WHMCS was not asked."""
        if product.billed_pid is None:
            return "–"
        if product.billed is None:
            return str(_("not sold in this cycle"))
        if product.billed == product.price:
            return str(_("the same"))
        return str(_("%(price)s: differs") % {"price": f"{product.billed.normalize():f}"})

    @admin.display(description=_("state"))
    def state(self, product: Product) -> str:
        """One line: for sale, or every reason why not."""
        if product.withdrawn_at:
            return str(_("withdrawn"))
        if product.broken:
            return "; ".join(product.broken)
        return str(_("for sale") if product.accessible else _("not to be bought by itself"))

    @admin.display(description=_("prices and when they were valid"))
    def price_history(self, product: Product) -> SafeString:
        """A table of periods; a product that is being added has none."""
        return render_to_string("admin/catalog/_prices.html", {"validities": validities(product)})


@admin.register(WhmcsProduct)
class WhmcsProductAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("pid", "name", "monthly", "annually", "mark_field_id", "seen_at")
    show_full_result_count = False
    search_fields = ("pid__exact", "name")


@admin.register(CatalogSync)
class CatalogSyncAdmin(Fresh, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("started_at", "kind", "ok", "changed", "summary")
    list_filter = ("ok", "changed", "kind")
    show_full_result_count = False

    @admin.display(description=_("what it did"))
    def summary(self, run: CatalogSync) -> str:
        """Counts, or why it refused."""
        if not run.ok:
            return run.error
        counts = {name: len(run.report.get(name, ())) for name in ("added", "changed", "withdrawn", "broken")}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "–"
