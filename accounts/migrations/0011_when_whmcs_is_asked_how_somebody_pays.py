from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_scans_that_wait"),
    ]

    operations = [
        migrations.AddField(
            model_name="customerlink",
            name="payment_ask_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="customerlink",
            name="payment_page_opened_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="signupjourney",
            name="client_is_new",
            field=models.BooleanField(default=False),
        ),
    ]
