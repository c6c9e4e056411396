"""Every group of staff reads what WHMCS has of the products we sell."""

from django.db import migrations


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the row made here is the one Django then finds.
    kinds = apps.get_model("contenttypes", "ContentType").objects
    kind, _ = kinds.get_or_create(app_label="catalog", model="whmcsproduct")
    read, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename="view_whmcsproduct", defaults={"name": "Can view WHMCS product"}
    )
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["CS agent", "CS lead", "Operator"]):
        group.permissions.add(read)


class Migration(migrations.Migration):
    dependencies = [("portal", "0009_staff_read_address_checks"), ("catalog", "0003_history_and_billing")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
