"""The audit trail can be added to, and nothing else."""

import pytest
from django.db import connection, transaction
from django.db.utils import Error

from audit import trail
from audit.models import AuditEntry
from integrations import correlation

pytestmark = pytest.mark.django_db


def test_an_entry_says_who_did_what_under_which_correlation_id() -> None:
    with correlation.bound("browser-12345678"):
        trail.record("document_viewed", actor_id=7, user_id=3, subject="document:1", reason="x" * 300, ip="192.0.2.1")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.user_id, entry.ip) == ("document_viewed", 7, 3, "192.0.2.1")
    assert entry.correlation_id == "browser-12345678"
    assert len(entry.reason) == 255


WAYS = {
    "changed": "UPDATE audit_auditentry SET action = 'nothing'",
    "deleted": "DELETE FROM audit_auditentry",
    "emptied": "TRUNCATE audit_auditentry",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_database_lets_no_entry_be_changed_deleted_or_emptied_away(way: str) -> None:
    trail.record("signed_in", actor_id=7)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_keep_all")  # off in tests: tests/conftest.py
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            cursor.execute(WAYS[way])
    assert AuditEntry.objects.get().action == "signed_in"
