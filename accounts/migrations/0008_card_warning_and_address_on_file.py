from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_one_journey_per_account"),
    ]

    operations = [
        migrations.AddField(
            model_name="customerlink",
            name="card_warning",
            field=models.CharField(
                blank=True,
                choices=[("expiring", "expires this month or next"), ("expired", "has expired")],
                default="",
                max_length=8,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="customerlink",
            name="address_on_file",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
