"""Which import is filling a batch, so that what a killed one left is found again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certificates", "0003_batch_missed")]

    operations = [
        migrations.AddField("batch", "import_id", models.BigIntegerField(null=True)),
        migrations.AddIndex(
            "batch", models.Index(fields=["import_id"], name="batch_unstarted", condition=models.Q(job_id__isnull=True))
        ),
    ]
