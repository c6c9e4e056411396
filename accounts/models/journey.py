"""The way from a verified e-mail to a customer known in all three systems."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class SignupJourney(models.Model):
    """The way from a verified e-mail to a customer known in all three systems (decisions.md 1–5); resumable."""

    class Kind(models.TextChoices):
        NEW = "new", _("new customer")
        LEGACY = "legacy", _("with a customer number")

    class State(models.TextChoices):
        WAITING_EMAIL = "waiting_email", _("waiting for the e-mail to be verified")
        RUNNING = "running", _("setting up")
        NUMBER_UNMATCHED = "number_unmatched", _("customer number not matched")
        WAITING_CS = "waiting_cs", _("waiting for customer support")
        DONE = "done", _("done")

    class Step(models.TextChoices):
        ACCOUNT = "account", _("Salesforce account")
        CLIENT = "client", _("WHMCS client")
        LINK = "link", _("link")
        WRITE_BACK = "write_back", _("Salesforce write-back")
        WELCOME = "welcome", _("welcome e-mail")

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="journey")
    ref = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)  # Portal_Ref__c of the Account
    kind = models.CharField(max_length=8, choices=Kind.choices)
    source = models.CharField(max_length=20)  # Portal_Registration_Source__c
    claimed_number = models.CharField(max_length=40, blank=True)
    number_tries = models.PositiveSmallIntegerField(default=0)
    number_tried_on = models.DateField(null=True, blank=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING_EMAIL)
    step = models.CharField(max_length=12, choices=Step.choices, default=Step.ACCOUNT)
    sf_account_id = models.CharField(max_length=18, blank=True)
    sf_contact_id = models.CharField(max_length=18, blank=True)
    sf_account_no = models.CharField(max_length=40, blank=True)
    whmcs_client_id = models.PositiveBigIntegerField(null=True, blank=True)
    client_is_new = models.BooleanField(default=False)  # made by this journey, so without a way to pay
    state_since = models.DateTimeField(default=timezone.now, editable=False)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_try_at"])]
        constraints = [
            # Two people of one Account, at the same moment: the second waits outside, before anything is made in WHMCS.
            models.UniqueConstraint(
                fields=["sf_account_id"],
                condition=~models.Q(sf_account_id="") & ~models.Q(step="account") & ~models.Q(state="done"),
                name="journey_one_per_account",
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.state}/{self.step}"
