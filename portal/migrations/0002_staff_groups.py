"""The groups of staff and what they may do (product.md §10). Nobody may delete."""

from django.db import migrations

READ_BY_CS = {
    "accounts": ["user", "customerlink", "signupjourney"],
    "catalog": ["product", "catalogsync"],
    "orders": ["cart", "cartline", "order", "orderline", "orderevent"],
    "provisioning": ["attempt", "step", "inboxevent", "outbox"],
    "journal": ["remotecall", "remotefact"],
    "notifications": ["email"],
    "support": ["case"],
}
READ_BY_OPERATORS = {
    **READ_BY_CS,
    "provisioning": [*READ_BY_CS["provisioning"], "eventcursor", "pause"],
    "journal": [*READ_BY_CS["journal"], "round"],
}
CHANGED_BY_AGENTS = {
    "accounts": ["signupjourney"],
    "notifications": ["email"],
    "support": ["case"],
    "orders": ["order"],
}
CHANGED_BY_LEADS = {
    **CHANGED_BY_AGENTS,
    "accounts": ["signupjourney", "customerlink", "user"],
    "provisioning": ["attempt", "outbox"],
}
CHANGED_BY_OPERATORS = {
    "notifications": ["email"],
    "support": ["case"],
    "provisioning": ["attempt", "outbox", "pause"],
    "catalog": ["product"],
}
GROUPS = {
    "CS agent": (READ_BY_CS, CHANGED_BY_AGENTS),
    "CS lead": (READ_BY_CS, CHANGED_BY_LEADS),
    "Operator": (READ_BY_OPERATORS, CHANGED_BY_OPERATORS),
}


def make_groups(apps, schema_editor):
    Group = apps.get_model("auth", "Group")
    for name, (reads, changes) in GROUPS.items():
        group, _ = Group.objects.get_or_create(name=name)
        permissions = [*_permissions(apps, "view", reads), *_permissions(apps, "change", changes)]
        group.permissions.add(*permissions)


def _permissions(apps, action, models):
    # Permissions are made after all migrations; the rows made here are the ones Django then finds.
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    for app_label, names in models.items():
        for model in names:
            verbose = apps.get_model(app_label, model)._meta.verbose_name
            kind, _ = ContentType.objects.get_or_create(app_label=app_label, model=model)
            yield Permission.objects.get_or_create(
                content_type=kind, codename=f"{action}_{model}", defaults={"name": f"Can {action} {verbose}"}
            )[0]


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0001_initial"),
        ("accounts", "0001_initial"),
        ("catalog", "0001_initial"),
        ("orders", "0001_initial"),
        ("provisioning", "0001_initial"),
        ("journal", "0001_initial"),
        ("notifications", "0001_initial"),
        ("support", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
