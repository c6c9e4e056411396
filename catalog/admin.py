"""What CS sees of the catalogue. The mirror is written by the sync alone, so everything here is for reading."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from catalog.eligibility.admin import EligibilityRequestAdmin
from catalog.models import CatalogSync, Product
from journal.admin import ReadOnly

__all__ = ["CatalogSyncAdmin", "EligibilityRequestAdmin", "ProductAdmin"]


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


@admin.register(Product)
class ProductAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("sku", "name_en", "category", "item_class", "price", "billing_cycle", "whmcs_product_id", "state")
    list_filter = (Offered, "category", "item_class")
    show_full_result_count = False
    search_fields = ("sku", "name_en", "name_ja", "sf_product_id__exact", "whmcs_product_id__exact")

    @admin.display(description=_("state"))
    def state(self, product: Product) -> str:
        """One line: for sale, or every reason why not."""
        if product.withdrawn_at:
            return str(_("withdrawn"))
        if product.broken:
            return "; ".join(product.broken)
        return str(_("for sale") if product.accessible else _("not to be bought by itself"))


@admin.register(CatalogSync)
class CatalogSyncAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("started_at", "ok", "changed", "summary")
    list_filter = ("ok", "changed")
    show_full_result_count = False

    @admin.display(description=_("what it did"))
    def summary(self, run: CatalogSync) -> str:
        """Counts, or why it refused."""
        if not run.ok:
            return run.error
        counts = {name: len(run.report.get(name, ())) for name in ("added", "changed", "withdrawn", "broken")}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "–"
