"""Requests to look up which fibre reaches an address (product.md §5)."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import User


class EligibilityRequest(models.Model):
    """One address that somebody asked about, as they typed it; it is not the customer's own address (decisions.md 16).

    Without a user it is a visitor's, whose session knows its `ref`. One open request per customer: another address is
    another request, which takes the place of the first.
    """

    class State(models.TextChoices):
        KEPT = "kept", _("kept until there is an account")
        SUBMITTED = "submitted", _("on its way to Salesforce")
        ASKED = "asked", _("being checked")
        ANSWERED = "answered", _("answered")
        SUPERSEDED = "superseded", _("replaced by a newer request")

    class Home(models.TextChoices):
        FLAT = "flat", _("Flat or apartment")
        HOUSE = "house", _("House")

    OPEN = (State.KEPT, State.SUBMITTED, State.ASKED)

    ref = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)  # Portal_Ref__c of Case and Opportunity
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True, related_name="eligibility_requests")
    postal_code = models.CharField(_("postal code"), max_length=7)  # seven digits, without the hyphen
    prefecture = models.PositiveSmallIntegerField(_("prefecture"))  # JIS X 0401, 1 (Hokkaido) to 47 (Okinawa)
    city = models.CharField(_("city or ward"), max_length=40)
    street = models.CharField(_("town and number"), max_length=120)
    building = models.CharField(_("building"), max_length=80, blank=True)
    room = models.CharField(_("room"), max_length=20, blank=True)
    home = models.CharField(_("kind of home"), max_length=5, choices=Home.choices)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.KEPT)
    requested_at = models.DateTimeField(null=True, blank=True)  # the Account's request time, whole seconds
    answered_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(_("answer"), max_length=255, blank=True)  # Internet_Eligibility__c
    offered = models.BooleanField(_("plans fit"), null=True, blank=True)  # None until it is answered
    sf_account_id = models.CharField(max_length=18, blank=True)
    sf_opportunity_id = models.CharField(max_length=18, blank=True)
    sf_case_id = models.CharField(max_length=18, blank=True)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("address check")
        verbose_name_plural = _("address checks")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(state__in=["kept", "submitted", "asked"]),
                name="eligibility_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(user__isnull=False) | models.Q(state__in=["kept", "superseded"]),
                name="eligibility_visitors_wait",
            ),
            models.CheckConstraint(
                condition=models.Q(state="answered", offered__isnull=False)
                | (~models.Q(state="answered") & models.Q(offered=None)),
                name="eligibility_answer_iff_answered",
            ),
        ]
        indexes = [models.Index(fields=["state", "next_try_at"], name="eligibility_due")]

    def __str__(self) -> str:
        return f"{self.ref} ({self.state})"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN
