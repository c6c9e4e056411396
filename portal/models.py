"""What belongs to no app: the Salesforce token all processes share, and the alerts of the portal itself."""

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


class AlertEpisode(models.Model):
    """Whether one of the portal's own alerts is on, and whether its mail went out: one mail per episode."""

    name = models.CharField(max_length=40, primary_key=True)
    active = models.BooleanField(default=False)
    mailed_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.name}: {'on' if self.active else 'off'}"
