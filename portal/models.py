"""What belongs to no app: the Salesforce token all processes share."""

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
