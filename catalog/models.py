"""What is for sale: the mirror of Product2 and its prices, and the runs that keep it."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from catalog.eligibility.models import EligibilityRequest

__all__ = ["CatalogSync", "EligibilityRequest", "Product"]


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
    category = models.CharField(max_length=20)
    item_class = models.CharField(max_length=20)
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
    synced_at = models.DateTimeField()

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


class CatalogSync(models.Model):
    """One run of the synchronisation: what it changed, or why it refused."""

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
