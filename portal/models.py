"""What belongs to no app: the Salesforce token all processes share, and the trail of what staff did."""

from typing import Any

from django.conf import settings
from django.db import models


class SalesforceToken(models.Model):
    """One encrypted row for all processes (decisions.md 31); never in Redis."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ciphertext = models.TextField()
    obtained_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="token_one_row")]

    def __str__(self) -> str:
        return f"obtained {self.obtained_at:%Y-%m-%d %H:%M:%S}"


class StaffAction(models.Model):
    """Who among the staff did what, to what, and why. Only ever added to."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=120)
    reason = models.CharField(max_length=255, blank=True)
    correlation_id = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("a StaffAction is written once")
        super().save(*args, **kwargs)
