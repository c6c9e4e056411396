"""PostgreSQL keeps the trail as a whole, too: emptying the table at once (TRUNCATE) passes no trigger of its rows."""

from django.db import migrations

KEEP = """
CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keep();
"""
RELEASE = "DROP TRIGGER audit_keep_all ON audit_auditentry;"


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]
    operations = [migrations.RunSQL(KEEP, RELEASE)]
