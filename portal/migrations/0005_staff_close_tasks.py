"""Every group of staff reads the tasks of provisioning and may close them."""

from django.db import migrations


def grant(apps, schema_editor):
    # Permissions are made after all migrations; the rows made here are the ones Django then finds.
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="provisioning", model="task"
    )
    permissions = [
        apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=kind, codename=f"{action}_task", defaults={"name": f"Can {action} task"}
        )[0]
        for action in ("view", "change")
    ]
    for group in apps.get_model("auth", "Group").objects.filter(name__in=["CS agent", "CS lead", "Operator"]):
        group.permissions.add(*permissions)


class Migration(migrations.Migration):
    dependencies = [("portal", "0004_leads_and_operators_read_the_audit_trail"), ("provisioning", "0002_task")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
