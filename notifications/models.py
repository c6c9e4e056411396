"""Every e-mail, once per cause (decisions.md 25)."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Email(models.Model):
    """Written in the transaction of what caused it; sent by queue `emails`; a second copy has the same Message-ID."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")

    SECRET_TEMPLATES: ClassVar = frozenset({"verification_code", "password_reset"})  # cannot be sent again once sent

    cause = models.CharField(max_length=120, unique=True)  # e.g. provisioned:<order id>
    template = models.CharField(max_length=60)
    to = models.EmailField()
    user_id = models.BigIntegerField(null=True, blank=True, db_index=True)
    language = models.CharField(max_length=2, default="en")
    context = models.JSONField(default=dict)
    secret_context = models.TextField(blank=True)  # encrypted; emptied once sent (codes and links that sign in)
    correlation_id = models.CharField(max_length=80, blank=True)
    message_id = models.CharField(max_length=120, unique=True)
    subject = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["next_try_at"], condition=models.Q(state="pending"), name="email_due")]

    def __str__(self) -> str:
        return f"{self.template} ({self.state})"
