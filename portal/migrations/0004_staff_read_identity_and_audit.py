"""What the groups of staff may do with identity papers, closing requests and the audit trail."""

from django.db import migrations

PERMISSIONS = {
    "CS agent": {
        "accounts": [
            "view_address",
            "view_profilesync",
            "view_identitycheck",
            "view_identitydocument",
            "view_closingrequest",
        ]
    },
    "CS lead": {
        "accounts": [
            "view_address",
            "view_profilesync",
            "view_identitycheck",
            "view_identitydocument",
            "open_identitydocument",
            "view_closingrequest",
            "change_closingrequest",
        ],
        "audit": ["view_auditentry"],
    },
    "Operator": {
        "accounts": ["view_profilesync", "view_identitycheck", "view_closingrequest"],
        "audit": ["view_auditentry"],
    },
}


def grant(apps, schema_editor):
    group_model = apps.get_model("auth", "Group")
    for name, by_app in PERMISSIONS.items():
        group, _ = group_model.objects.get_or_create(name=name)
        group.permissions.add(*(_permission(apps, app, code) for app, codes in by_app.items() for code in codes))


def _permission(apps, app_label, codename):
    # Permissions are made after all migrations; the rows made here are the ones Django then finds.
    action, _, model = codename.partition("_")
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label=app_label, model=model)
    verbose = apps.get_model(app_label, model)._meta.verbose_name
    return apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": f"Can {action} {verbose}"}
    )[0]


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0003_audit_has_its_own_app"),
        ("accounts", "0002_address_identity_closing"),
        ("audit", "0002_append_only"),
    ]
    operations = [migrations.RunPython(grant, migrations.RunPython.noop)]
