"""What is for sale: the mirror of Product2 and its prices, and the runs that keep it."""

from typing import Any

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from catalog.eligibility.models import EligibilityRequest

__all__ = ["CatalogSync", "EligibilityRequest", "Product", "WhmcsProduct"]


def _who(version: Any) -> str:
    """Who made a version of a product: the run's kind, never a person, since the sync alone writes products."""
    return str(version.history_user_id)


def _set_who(version: Any, who: str | None) -> None:
    version.history_user_id = who or ""


class Product(models.Model):
    """One Product2 with its JPY entry of the portal's pricebook (decisions.md 9). Written by the sync alone."""

    class Category(models.TextChoices):
        INTERNET = "Internet", _("Internet")
        SIM = "SIM", _("SIM / eSIM")
        VPN = "VPN", _("VPN")

    class ItemClass(models.TextChoices):
        SERVICE = "Service", _("service")
        ACTIVATION = "Activation", _("activation")
        ADD_ON = "Add-on", _("add-on")

    class BillingCycle(models.TextChoices):
        MONTHLY = "Monthly", _("monthly")
        ANNUALLY = "Annually", _("annually")
        ONE_TIME = "One-time", _("one-time")

    class Identity(models.TextChoices):
        NONE = "None", _("none")
        UPLOAD = "Upload", _("document upload")
        OTHER = "Other", _("other verification")

    sf_product_id = models.CharField(max_length=18, unique=True)
    sf_pricebook_entry_id = models.CharField(max_length=18, blank=True)
    sku = models.CharField(max_length=180, db_index=True)
    name_en = models.CharField(max_length=255)
    name_ja = models.CharField(max_length=255, blank=True)
    description_en = models.TextField(blank=True)
    description_ja = models.TextField(blank=True)
    category = models.CharField(max_length=20, choices=Category)
    item_class = models.CharField(max_length=20, choices=ItemClass)
    billing_cycle = models.CharField(max_length=20)
    price = models.PositiveIntegerField(_("price in yen, tax included"), null=True)
    whmcs_product_id = models.PositiveIntegerField(null=True)
    options = models.JSONField(_("configuration options"), default=list)
    attributes = models.JSONField(default=dict)
    eligibility_values = models.JSONField(default=list)
    activation_sku = models.CharField(max_length=180, blank=True)
    identity = models.CharField(max_length=10, default=Identity.NONE)
    display_order = models.IntegerField(default=0)
    accessible = models.BooleanField(_("may be bought"), default=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    broken = models.JSONField(_("reasons it is hidden"), default=list, blank=True)
    faults = models.JSONField(default=list, blank=True)  # those of them that the record itself shows, without others
    search_text = models.TextField(default="", blank=True)  # catalog/search.py
    synced_at = models.DateTimeField()
    history = HistoricalRecords(
        excluded_fields=["synced_at", "search_text"],
        history_user_id_field=models.CharField(_("by"), max_length=20, default="", blank=True),
        history_user_getter=_who,
        history_user_setter=_set_who,
    )

    class Meta:
        ordering = ["category", "display_order", "sku"]
        constraints = [
            models.UniqueConstraint(  # broken products may share a SKU: that is one of the reasons to be broken
                fields=["sku"], condition=models.Q(withdrawn_at=None, broken=[]), name="product_sku_on_sale"
            )
        ]

    def __str__(self) -> str:
        return self.name_en

    @property
    def name(self) -> str:
        return self.name_ja if get_language() == "ja" and self.name_ja else self.name_en

    @property
    def description(self) -> str:
        return self.description_ja if get_language() == "ja" and self.description_ja else self.description_en

    @property
    def is_monthly(self) -> bool:
        return self.billing_cycle == self.BillingCycle.MONTHLY


class WhmcsProduct(models.Model):
    """One product as WHMCS has it, read by catalog.billing: its mark field and its prices in yen."""

    pid = models.PositiveIntegerField(_("product id"), unique=True)
    name = models.CharField(max_length=255)
    mark_field_id = models.PositiveIntegerField(_("mark field"), null=True, blank=True)
    monthly = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)  # also a one-time price
    annually = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ["pid"]
        verbose_name = _("WHMCS product")

    def __str__(self) -> str:
        return f"{self.pid} {self.name}"


class CatalogSync(models.Model):
    """One run of the synchronisation: what it changed, or why it refused."""

    class Kind(models.TextChoices):
        FULL = "full", _("the whole catalogue")
        CHANGES = "changes", _("changes")
        BILLING = "billing", _("WHMCS")  # judged anew after WHMCS' products were read; nothing came from Salesforce

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.FULL)
    seen_until = models.DateTimeField(null=True, blank=True)  # Salesforce's clock: the newest change this run knew
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    ok = models.BooleanField(default=False)
    changed = models.BooleanField(default=False)  # something of the mirror; pages cached by browsers depend on it
    report = models.JSONField(default=dict)  # {"added": [sku], "changed": […], "withdrawn": […], "broken": {sku: […]}}
    error = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["-started_at"]
        get_latest_by = "started_at"

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {'ok' if self.ok else 'refused'}"
