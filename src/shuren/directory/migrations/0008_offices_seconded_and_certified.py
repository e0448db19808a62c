from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("directory", "0007_consent_signed_on")]

    operations = [
        migrations.AddField("grant", "office", models.JSONField(null=True)),
        migrations.AddField("affiliation", "certified_at", models.DateTimeField(null=True)),
    ]
