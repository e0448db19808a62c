from django.db import migrations, models

CLIENT = {"null": True, "on_delete": models.PROTECT, "related_name": "+", "to": "identity.client"}


class Migration(migrations.Migration):
    dependencies = [("identity", "0010_account_states")]

    operations = [
        migrations.AddField("client", "is_governed", models.BooleanField(default=False)),
        migrations.AddField("casservice", "client", models.ForeignKey(**CLIENT)),
        migrations.AddField("samlservice", "client", models.ForeignKey(**CLIENT)),
    ]
