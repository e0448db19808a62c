from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("identity", "0011_services_of_apps")]

    operations = [
        migrations.AddField("authorization", "id_claims", models.TextField(blank=True, default=""), preserve_default=False)
    ]
