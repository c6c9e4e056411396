"""Every group of staff reads the requests to check an address."""

from django.db import migrations


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the row made here is the one Django then finds.
    kinds = apps.get_model("contenttypes", "ContentType").objects
    kind, _ = kinds.get_or_create(app_label="catalog", model="eligibilityrequest")
    read, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename="view_eligibilityrequest", defaults={"name": "Can view address check"}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["CS agent", "CS lead", "Operator"]):
        group.permissions.add(read)


class Migration(migrations.Migration):
    dependencies = [("portal", "0008_staff_read_identity_papers"), ("catalog", "0002_address_checks")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
