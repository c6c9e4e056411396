"""Remote calls that must not be repeated, what exists in the outside systems, and when each periodic round last ran."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class RemoteCall(models.Model):
    """One non-repeatable call: committed as INTENT before it is sent (reliability.md §2, steps)."""

    class State(models.TextChoices):
        INTENT = "INTENT", _("about to be sent")
        DONE = "DONE", _("done")
        FAILED = "FAILED", _("refused: nothing was done there")
        UNKNOWN = "UNKNOWN", _("outcome unknown")

    subject = models.CharField(max_length=80)  # e.g. order:801…; what must happen at most once
    operation = models.CharField(max_length=40)  # e.g. whmcs.AddOrder
    owner = models.CharField(max_length=80)  # e.g. attempt:<uuid>; an owner sends a call at most once (S8)
    state = models.CharField(max_length=8, choices=State.choices, default=State.INTENT)
    deadline_at = models.DateTimeField()
    quarantine_until = models.DateTimeField()  # after this the request cannot still be executing there
    result = models.JSONField(default=dict, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_text = models.CharField(max_length=255, blank=True)
    released_by = models.CharField(max_length=80, blank=True)  # staff who said "it does not exist there"
    release_reason = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "operation", "owner"], name="call_once_per_owner"),
            models.UniqueConstraint(
                fields=["subject", "operation"],
                condition=models.Q(state__in=["INTENT", "UNKNOWN"]),
                name="call_one_open_per_subject",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "quarantine_until"]),
            models.Index(fields=["operation"], condition=~models.Q(error_code=""), name="call_in_doubt"),
        ]

    def __str__(self) -> str:
        return f"{self.operation} for {self.subject}: {self.state}"


class RemoteFact(models.Model):
    """Something of ours that exists in an outside system; survives attempts (reliability.md §2)."""

    class State(models.TextChoices):
        LIVE = "live", _("live")
        GONE = "gone", _("cancelled or replaced")

    subject = models.CharField(max_length=80)
    kind = models.CharField(max_length=40)  # whmcs_order, esim, whmcs_client, …
    remote_id = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, blank=True)  # of what was asked (decisions.md 23)
    state = models.CharField(max_length=4, choices=State.choices, default=State.LIVE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "kind"], condition=models.Q(state="live"), name="fact_one_live_per_subject"
            ),
            models.UniqueConstraint(fields=["kind", "remote_id"], name="fact_one_subject_per_remote_id"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.remote_id} of {self.subject}"


class Round(models.Model):
    """When each periodic round last ran and what it did; read by its guard, by health, metrics and the admin."""

    name = models.CharField(max_length=40, primary_key=True)
    started_at = models.DateTimeField(null=True)
    succeeded_at = models.DateTimeField(null=True)
    actions = models.JSONField(default=dict)  # totals: action -> count

    def __str__(self) -> str:
        return self.name
