"""Cart, order and what happened to it."""

import secrets
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import CustomerLink, User


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


def _local(state: str) -> models.Q:
    return models.Q(local_state=state)


def _cancelled() -> models.Q:
    in_salesforce = _local(Order.Local.PLACED) & models.Q(sf_status="Cancelled")
    return _local(Order.Local.REFUSED) | in_salesforce & ~models.Q(progress=Order.Progress.PROVISIONED)


def _active() -> models.Q:
    by_portal = models.Q(progress=Order.Progress.PROVISIONED)
    by_salesforce = models.Q(sf_activation_status="Provisioned") & ~models.Q(sf_status="Cancelled")
    by_hand = models.Q(progress="", sf_activation_status="", sf_status="Activated")
    return _local(Order.Local.PLACED) & (by_portal | by_salesforce | by_hand)


def of_open_accounts() -> models.Q:
    """Orders of those for whom something may be placed, as accounts.links.opened says of one of them."""
    real = models.Q(user__is_active=True, user__link__state=CustomerLink.State.LINKED)
    return real & ~models.Q(user__link__portal_status=CustomerLink.CLOSED)


class OrderQuerySet(models.QuerySet["Order"]):
    """Its three parts are those of `status.status_of`: active, cancelled, and all else is under way."""

    def for_user(self, user: User) -> "OrderQuerySet":
        """The only way customer pages begin: an order of somebody else does not exist (security.md §2).

        One that customer support made in Salesforce is the user's only while the link to its Account is real. Comes
        with its cancellation, which the status is told by: no further query.
        """
        linked = models.Q(
            user__link__state=CustomerLink.State.LINKED, user__link__sf_account_id=models.F("sf_account_id")
        )
        return self.filter(models.Q(sf_account_id="") | linked, user=user).select_related("cancellation")

    def under_way(self) -> "OrderQuerySet":
        """Orders something still happens to: not refused, not cancelled, not active. Failed ones are retried."""
        return self.exclude(_cancelled() | _active())

    def on_their_way(self) -> "OrderQuerySet":
        """Submitted orders that nothing keeps from being placed: their customer is known, and nothing is missing."""
        return self.filter(_local(Order.Local.SUBMITTED) & of_open_accounts(), on_hold=[])

    def active(self) -> "OrderQuerySet":
        """Orders that came to a service."""
        return self.filter(_active())

    def not_cancelled(self) -> "OrderQuerySet":
        """Orders under way and active ones."""
        return self.exclude(_cancelled())

    def cancelled(self) -> "OrderQuerySet":
        """Cancelled orders, and those that were not accepted."""
        return self.filter(_cancelled())


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
    # When nothing that the order needs was missing; nowhere as long as its customer is not known for certain.
    cleared_at = models.DateTimeField(null=True, blank=True)
    on_hold = models.JSONField(default=list, blank=True)  # keys of the tasks that keep it from being placed
    # The Account of an Order that customer support made in Salesforce; empty for one of the portal's.
    sf_account_id = models.CharField(max_length=18, blank=True, db_index=True)
    sf_order_id = models.CharField(max_length=18, unique=True, null=True, blank=True)
    sf_order_number = models.CharField(max_length=30, blank=True, db_index=True)
    sf_opportunity_id = models.CharField(max_length=18, blank=True, db_index=True)
    sf_status = models.CharField(max_length=255, blank=True)  # as long as a picklist's values can be
    sf_activation_status = models.CharField(max_length=255, blank=True)
    sf_activation_error = models.TextField(blank=True)
    sf_modstamp = models.DateTimeField(null=True, blank=True)
    progress = models.CharField(max_length=12, choices=Progress.choices, blank=True)
    support_note = models.TextField(blank=True)  # what colleagues should know; goes when its customer is erased
    whmcs_order_id = models.PositiveBigIntegerField(null=True, blank=True, db_index=True)
    category = models.CharField(max_length=20)
    place = models.JSONField(default=dict, blank=True)  # where it is installed or delivered: orders.places
    terms_version = models.CharField(max_length=20, blank=True)
    terms_accepted_at = models.DateTimeField(null=True, blank=True)  # nowhere for an order made in Salesforce
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

    @property
    def made_in_salesforce(self) -> bool:
        """Customer support made it there: the portal shows it and changes nothing about it."""
        return bool(self.sf_account_id)


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
    unit_price = models.IntegerField()  # yen; below zero for a discount that support gives
    options = models.JSONField(default=dict)
    # Language -> the chosen options as the customer read them, whatever the catalogue says later.
    options_in_words = models.JSONField(default=dict, blank=True)
    sf_pricebook_entry_id = models.CharField(max_length=18, blank=True)
    sf_order_item_id = models.CharField(max_length=18, blank=True)
    whmcs_service_id = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["order", "position"]
        constraints = [models.UniqueConstraint(fields=["order", "position"], name="line_position")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class Agreement(models.Model):
    """What the customer confirmed before an order: the important matters word for word as they were shown.

    The terms' version and the time stand on the order; both texts are one edition.
    """

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="agreement")
    language = models.CharField(max_length=10)
    matters = models.JSONField()  # orders.matters.summary

    def __str__(self) -> str:
        return f"{self.order_id} ({self.language})"


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


class Cancellation(models.Model):
    """A customer's wish to cancel an order in review, and what became of it. It counts once Salesforce has it."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked")
        DONE = "done", _("cancelled")
        TOO_LATE = "too_late", _("approved before")
        REFUSED = "refused", _("refused by Salesforce")
        KEPT = "kept", _("kept after all")  # was cancelled, lives again, and the customer agreed

    order = models.OneToOneField(Order, on_delete=models.CASCADE, related_name="cancellation")
    state = models.CharField(max_length=8, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=255, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_try_at"], condition=models.Q(state="asked"), name="order_cancellation_due")
        ]

    def __str__(self) -> str:
        return f"{self.order_id} ({self.state})"


class AccountRead(models.Model):
    """For this link the orders of the Account were read as a whole; from then on its changes are enough."""

    link = models.OneToOneField(CustomerLink, on_delete=models.CASCADE, related_name="orders_read")
    sf_account_id = models.CharField(max_length=18)  # of then; another one is read anew
    read_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.sf_account_id


class RefreshCursor(models.Model):
    """How far the mirror of Salesforce has come: the newest SystemModstamp seen of what `name` reads."""

    name = models.CharField(max_length=40, primary_key=True)
    modstamp = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
