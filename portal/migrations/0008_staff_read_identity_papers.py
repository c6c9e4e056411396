"""Support sees how identity checks stand; only leads may open the papers themselves (security.md §5)."""

from django.db import migrations

READ = ["view_identitycheck", "view_identitydocument"]
PERMISSIONS = {
    "CS agent": READ,
    "CS lead": [*READ, "open_identitydocument"],
    "Operator": ["view_identitycheck"],
}


def grant(apps, schema_editor):
    groups = apps.get_model("auth", "Group").objects
    for name, codenames in PERMISSIONS.items():
        groups.get(name=name).permissions.add(*(_permission(apps, codename) for codename in codenames))


def _permission(apps, codename):
    # Permissions are made after all migrations; the rows made here are the ones Django then finds.
    action, _, model = codename.partition("_")
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label="accounts", model=model)
    meta = apps.get_model("accounts", model)._meta
    names = {codename: f"Can {action} {meta.verbose_name}"} | dict(meta.permissions)
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": names[codename]}
    )
    return permission


class Migration(migrations.Migration):
    dependencies = [("portal", "0007_staff_read_inspections"), ("accounts", "0005_identity_checks")]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
