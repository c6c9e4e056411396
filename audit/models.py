"""Who did what, to what, and why: staff, customers and the portal itself. Only ever added to."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEntry(models.Model):
    """One deed. PostgreSQL itself refuses to change or delete a row and to empty the table (see the migrations).

    Nobody is named: people and things stand here by their ids, so that an erased customer leaves no personal data.
    """

    at = models.DateTimeField(_("time"), auto_now_add=True, db_index=True)
    actor_id = models.BigIntegerField(_("done by user"), null=True, blank=True, db_index=True)  # null: the portal
    user_id = models.BigIntegerField(_("about user"), null=True, blank=True, db_index=True)
    action = models.CharField(_("action"), max_length=60)
    subject = models.CharField(_("subject"), max_length=120, blank=True)  # e.g. order:SX-4F7K2M
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    ip = models.GenericIPAddressField(_("IP address"), null=True, blank=True)
    correlation_id = models.CharField(max_length=80, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit trail")
        indexes = [models.Index(fields=["action", "at"]), models.Index(fields=["subject"])]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}".strip()
