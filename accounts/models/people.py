"""Who the customer is: the portal's user, and the link to the other two systems."""

import unicodedata
from typing import Any, ClassVar

from django.contrib.auth.base_user import BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class UserManager(BaseUserManager["User"]):
    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person who signs in by e-mail: a customer, or staff."""

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail address"), unique=True)
    given_name = models.CharField(_("given names"), max_length=60)
    family_name = models.CharField(_("family name"), max_length=60)
    language = models.CharField(
        _("language"), max_length=2, choices=[("en", "English"), ("ja", "日本語")], default="en"
    )
    phone = models.CharField(_("phone"), max_length=16, blank=True)  # E.164
    news_mails = models.BooleanField(_("news by e-mail"), default=False)
    terms_version = models.CharField(max_length=20, blank=True)
    terms_accepted_at = models.DateTimeField(null=True, blank=True)
    second_factor_hold_until = models.DateTimeField(null=True, blank=True)  # decisions.md 37

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="user_email_any_case")]

    def set_password(self, raw_password: str | None) -> None:
        """The same characters are the same password, however a keyboard composes them."""
        super().set_password(None if raw_password is None else _composed(raw_password))

    def check_password(self, raw_password: str | None) -> bool:
        """Hashes in the one form that `set_password` stores."""
        return super().check_password(None if raw_password is None else _composed(raw_password))

    def get_full_name(self) -> str:
        """Family name first, as Salesforce and its Cases have it; on pages `names.full_name` orders by language."""
        return f"{self.family_name} {self.given_name}".strip()

    def get_short_name(self) -> str:
        return self.given_name


def _composed(password: str) -> str:
    """One form for the same characters: devices write が as one character or as two (Unicode NFC)."""
    return unicodedata.normalize("NFC", password)


class CustomerLink(models.Model):
    """This user is that Account and that WHMCS client; with the few Account values the portal decides by.

    A provisional link (decisions.md 2) is not unique, names no WHMCS client, and counts as no link wherever the
    Account's data would be shown, used or changed.
    """

    CLOSED = "Inactive"  # portal_status, Portal_Status__c: no sign-in (decisions.md 6)

    class State(models.TextChoices):
        PROVISIONAL = "provisional", _("provisional")
        LINKED = "linked", _("linked")

    class CardWarning(models.TextChoices):
        EXPIRING = "expiring", _("expires this month or next")
        EXPIRED = "expired", _("has expired")

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="link")
    state = models.CharField(max_length=12, choices=State.choices)
    sf_account_id = models.CharField(max_length=18)
    sf_contact_id = models.CharField(max_length=18, blank=True)
    sf_account_no = models.CharField(max_length=40)
    whmcs_client_id = models.PositiveBigIntegerField(null=True, blank=True)
    internet_eligibility = models.CharField(max_length=255, blank=True)
    internet_eligibility_status = models.CharField(max_length=20, blank=True)
    internet_eligibility_requested_at = models.DateTimeField(null=True, blank=True)  # of the check those two are about
    identity_status = models.CharField(max_length=20, blank=True)
    portal_status = models.CharField(max_length=20, blank=True)
    has_payment_method = models.BooleanField(null=True, blank=True)  # as last seen; None before anybody asked
    payment_ask_at = models.DateTimeField(null=True, blank=True)  # when WHMCS is asked next unasked; None: at once
    payment_page_opened_at = models.DateTimeField(null=True, blank=True)  # the last time the customer left for it
    card_warning = models.CharField(max_length=8, choices=CardWarning.choices, blank=True)  # as last seen
    address_on_file = models.JSONField(default=dict, blank=True)  # offered on the address form until that is saved
    account_refreshed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=[name], condition=models.Q(state="linked"), name=f"link_{name}")
            for name in ("sf_account_id", "sf_account_no", "whmcs_client_id")
        ] + [
            models.CheckConstraint(
                condition=models.Q(state="provisional", whmcs_client_id=None)
                | models.Q(state="linked", whmcs_client_id__isnull=False),
                name="link_client_iff_linked",
            )
        ]

    def __str__(self) -> str:
        return f"{self.sf_account_no} ({self.state})"
