"""The audit trail is read by CS leads and Operators; nobody changes it."""

from django.db import migrations


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the row made here is the one Django then finds.
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="audit", model="auditentry")
    read, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename="view_auditentry", defaults={"name": "Can view audit entry"}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["CS lead", "Operator"]):
        group.permissions.add(read)


class Migration(migrations.Migration):
    dependencies = [("portal", "0003_audit_has_its_own_app"), ("audit", "0002_append_only")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
