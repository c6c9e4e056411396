"""A customer asks that the account be closed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class ClosingRequest(models.Model):
    """Asked for by the customer, carried out by customer support; one open request per customer."""

    class State(models.TextChoices):
        ASKED = "asked", _("asked for")
        WITHDRAWN = "withdrawn", _("taken back")
        CARRIED_OUT = "carried_out", _("carried out")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="closing_requests")
    state = models.CharField(max_length=12, choices=State.choices, default=State.ASKED)
    asked_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=models.Q(state="asked"), name="closing_one_open")
        ]

    def __str__(self) -> str:
        return f"user {self.user_id} ({self.state})"
