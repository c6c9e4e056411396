"""Cases the portal opens in Salesforce."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class Case(models.Model):
    """A Salesforce Case to be made, once per cause; found again by Portal_Ref__c (decisions.md 5)."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        OPENED = "opened", _("opened")

    ref = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    cause = models.CharField(max_length=120, unique=True)
    user_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    kind = models.CharField(max_length=40)  # Case.Type
    subject = models.CharField(max_length=255)
    description = models.TextField()
    sf_account_id = models.CharField(max_length=18, blank=True)
    sf_opportunity_id = models.CharField(max_length=18, blank=True)
    sf_case_id = models.CharField(max_length=18, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.kind} ({self.state})"
