"""Where the customer lives, and how far WHMCS and Salesforce know what the customer last said."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class Address(models.Model):
    """A Japanese address as the customer typed it, in kanji or in romaji."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="address")
    postal_code = models.CharField(_("postal code"), max_length=7)  # seven digits, without the hyphen
    prefecture = models.PositiveSmallIntegerField(_("prefecture"))  # JIS X 0401, 1 (Hokkaido) to 47 (Okinawa)
    city = models.CharField(_("city or ward"), max_length=40)
    street = models.CharField(_("town and number"), max_length=120)
    building = models.CharField(_("building"), max_length=80, blank=True)
    room = models.CharField(_("room"), max_length=20, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"address of user {self.user_id}"


class ProfileSync(models.Model):
    """How far what the customer changed about themselves has reached the other two systems.

    `wanted` grows with every change; a system is up to date when its number equals it. `parts` names what changed since
    both were: nothing else is sent, so that staff's corrections of the rest stay. The values themselves are read when
    they are sent: the latest always wins, and sending twice is harmless.
    """

    class Part(models.TextChoices):
        NAMES = "names"
        PHONE = "phone"
        ADDRESS = "address"
        EMAIL = "email"
        LANGUAGE = "language"
        NEWS = "news"

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="profile_sync")
    parts = models.JSONField(default=list, blank=True)  # of Part
    wanted = models.PositiveIntegerField(default=1)
    whmcs_has = models.PositiveIntegerField(default=0)
    salesforce_has = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)  # None: nothing is to be done
    due_since = models.DateTimeField(null=True, blank=True)  # the oldest change that is still to be sent
    lease_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["next_try_at"], name="profile_sync_due")]

    def __str__(self) -> str:
        return f"user {self.user_id}: WHMCS {self.whmcs_has}, Salesforce {self.salesforce_has} of {self.wanted}"
