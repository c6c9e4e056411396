"""Since when a sign-up is where it is, and since when changed details are to be sent."""

import django.utils.timezone
from django.db import migrations, models


def from_what_is_known(apps, schema_editor):
    # The last change of a row is the best guess for those from before; without one they would look new.
    apps.get_model("accounts", "SignupJourney").objects.update(state_since=models.F("updated_at"))
    waiting = apps.get_model("accounts", "ProfileSync").objects.filter(next_try_at__isnull=False)
    waiting.update(due_since=models.F("updated_at"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_when_whmcs_is_asked_how_somebody_pays")]
    operations = [
        migrations.AddField(
            model_name="profilesync",
            name="due_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="signupjourney",
            name="state_since",
            field=models.DateTimeField(default=django.utils.timezone.now, editable=False),
        ),
        migrations.RunPython(from_what_is_known, migrations.RunPython.noop),
    ]
