"""Every group of staff reads which orders WHMCS is looked at for."""

from django.db import migrations


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the row made here is the one Django then finds.
    kinds = apps.get_model("contenttypes", "ContentType").objects
    kind, _ = kinds.get_or_create(app_label="provisioning", model="inspection")
    read, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename="view_inspection", defaults={"name": "Can view inspection"}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["CS agent", "CS lead", "Operator"]):
        group.permissions.add(read)


class Migration(migrations.Migration):
    dependencies = [("portal", "0006_alert_episode"), ("provisioning", "0004_inspection")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
