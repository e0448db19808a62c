"""Collections that come again follow each other."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casework", "0009_case_tallies")]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="repeats",
            field=models.CharField(blank=True, max_length=5),
        ),
        migrations.AddField(
            model_name="collection",
            name="repeat_workdays",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="collection",
            name="follows",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="followed_by", to="casework.collection"
            ),
        ),
    ]
