"""Every group of staff reads what customers changed about themselves and how far it got; support sends it again."""

from django.db import migrations

WHO = {"view": ["CS agent", "CS lead", "Operator"], "change": ["CS agent", "CS lead"]}


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the rows made here are the ones Django then finds.
    kinds = apps.get_model("contenttypes", "ContentType").objects
    kind, _ = kinds.get_or_create(app_label="accounts", model="profilesync")
    for action, groups in WHO.items():
        allowed, _ = apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=kind, codename=f"{action}_profilesync", defaults={"name": f"Can {action} profile sync"}
        )
        for group in apps.get_model("auth", "Group").objects.filter(name__in=groups):
            group.permissions.add(allowed)


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0010_staff_read_whmcs_products"),
        ("accounts", "0002_address_and_wishes"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
