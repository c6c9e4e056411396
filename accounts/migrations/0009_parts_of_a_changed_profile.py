from django.db import migrations, models
from django.db.models import F


def everything(apps, schema_editor):
    """What was on its way before parts had names is sent whole."""
    rows = apps.get_model("accounts", "ProfileSync").objects.exclude(whmcs_has=F("wanted"), salesforce_has=F("wanted"))
    rows.update(parts=["address", "language", "names", "news", "phone"])


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_card_warning_and_address_on_file"),
    ]

    operations = [
        migrations.AddField(
            model_name="profilesync",
            name="parts",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.RunPython(everything, migrations.RunPython.noop),
    ]
