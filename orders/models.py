"""Cart, order and what happened to it."""

import secrets
import uuid
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from accounts.models import User


class Cart(models.Model):
    """What somebody wants to order: a visitor's (by id in the session) or a customer's. Placed once, then closed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="carts"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(closed_at=None, user__isnull=False), name="cart_one_open_per_user"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class CartLine(models.Model):
    """One service with its options and add-ons: it becomes one Salesforce Order (decisions.md 8)."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=180)
    quantity = models.PositiveSmallIntegerField(default=1)
    options = models.JSONField(default=dict)  # option key -> chosen value
    add_ons = models.JSONField(default=list)  # SKUs
    price_seen = models.JSONField(default=dict)  # {"monthly": yen, "one_time": yen} as shown when it was added
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


def new_number() -> str:
    """An order number that can be read out on the phone: SX-4827-193."""
    digits = f"{secrets.randbelow(10**7):07d}"
    return f"{settings.ORDER_NUMBER_PREFIX}-{digits[:4]}-{digits[4:]}"


class OrderQuerySet(models.QuerySet["Order"]):
    def for_user(self, user: "User") -> "OrderQuerySet":
        """The only way customer pages begin: an order of somebody else does not exist (security.md §2)."""
        return self.filter(user=user)

    def under_way(self) -> "OrderQuerySet":
        """Orders something still happens to: not refused, not cancelled, not provisioned. Failed ones are retried."""
        ended = (
            models.Q(local_state=Order.Local.REFUSED)
            | models.Q(progress=Order.Progress.PROVISIONED)
            | models.Q(sf_status__in=["Cancelled", "Activated"])
            | models.Q(sf_activation_status="Provisioned")
        )
        return self.exclude(ended)


class Order(models.Model):
    """The portal's copy of one Salesforce Order, and what the customer is told about it (decisions.md 12–14)."""

    class Local(models.TextChoices):
        SUBMITTED = "submitted", _("submitted, not yet in Salesforce")
        PLACED = "placed", _("placed")
        REFUSED = "refused", _("refused")

    class Progress(models.TextChoices):
        """What the live or last provisioning attempt says; wins over a mirrored Failed (decisions.md 13)."""

        NONE = "", _("none")
        ACTIVATING = "Activating", _("activating")
        CHECKING = "Checking", _("checking")
        PROVISIONED = "Provisioned", _("provisioned")
        FAILED = "Failed", _("failed")

    number = models.CharField(max_length=16, unique=True, default=new_number, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="orders", null=True)
    submission = models.UUIDField(db_index=True, default=uuid.uuid4)  # orders of one submit are shown together
    cart_hash = models.CharField(max_length=64)
    cart_line = models.PositiveSmallIntegerField(default=0)
    portal_ref = models.CharField(max_length=64, unique=True)
    correlation_id = models.CharField(max_length=80)
    local_state = models.CharField(max_length=12, choices=Local.choices, default=Local.SUBMITTED)
    refusal = models.CharField(max_length=40, blank=True)
    sf_order_id = models.CharField(max_length=18, unique=True, null=True, blank=True)
    sf_order_number = models.CharField(max_length=30, blank=True, db_index=True)
    sf_opportunity_id = models.CharField(max_length=18, blank=True, db_index=True)
    sf_status = models.CharField(max_length=40, blank=True)
    sf_activation_status = models.CharField(max_length=40, blank=True)
    sf_activation_error = models.TextField(blank=True)
    sf_modstamp = models.DateTimeField(null=True, blank=True)
    progress = models.CharField(max_length=12, choices=Progress.choices, blank=True)
    whmcs_order_id = models.PositiveBigIntegerField(null=True, blank=True, db_index=True)
    category = models.CharField(max_length=20)
    terms_version = models.CharField(max_length=20)
    terms_accepted_at = models.DateTimeField()
    placed_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    provisioned_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    next_try_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "cart_hash", "cart_line"], name="order_once_per_cart_line")
        ]
        indexes = [models.Index(fields=["local_state", "next_try_at"])]

    def __str__(self) -> str:
        return self.number


class OrderLine(models.Model):
    """One OrderItem: the service, its activation, or an add-on, with the price the customer saw."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    position = models.PositiveSmallIntegerField()
    sku = models.CharField(max_length=180)
    name_en = models.CharField(max_length=255)
    name_ja = models.CharField(max_length=255, blank=True)
    item_class = models.CharField(max_length=20)
    billing_cycle = models.CharField(max_length=20)
    quantity = models.PositiveSmallIntegerField(default=1)
    unit_price = models.PositiveIntegerField()
    options = models.JSONField(default=dict)
    sf_pricebook_entry_id = models.CharField(max_length=18, blank=True)
    sf_order_item_id = models.CharField(max_length=18, blank=True)
    whmcs_service_id = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="line_position")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class OrderEvent(models.Model):
    """What happened to an order, who did it and why. Only ever added to."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(auto_now_add=True)
    what = models.CharField(max_length=40)
    actor = models.CharField(max_length=80)  # "customer", "salesforce", "portal", or a staff e-mail
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["order", "at", "id"]

    def __str__(self) -> str:
        return f"{self.what} by {self.actor}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("an OrderEvent is written once")
        super().save(*args, **kwargs)


class RefreshCursor(models.Model):
    """How far the mirror of Salesforce has come: the newest SystemModstamp seen of what `name` reads."""

    name = models.CharField(max_length=40, primary_key=True)
    modstamp = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
