"""PostgreSQL keeps the trail: a row can be added, never changed or deleted."""

from django.db import migrations

KEEP = """
CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only';
END $$;
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit_auditentry
    FOR EACH ROW EXECUTE FUNCTION audit_keep();
"""
RELEASE = "DROP TRIGGER audit_keep ON audit_auditentry; DROP FUNCTION audit_keep();"


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [migrations.RunSQL(KEEP, RELEASE)]
