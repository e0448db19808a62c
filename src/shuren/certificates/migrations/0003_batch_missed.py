"""How many of a batch were gone when their turn came."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certificates", "0002_templates_and_certificates")]

    operations = [migrations.AddField("batch", "missed", models.PositiveIntegerField(default=0))]
