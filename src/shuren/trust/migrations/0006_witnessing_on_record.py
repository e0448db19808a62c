from datetime import UTC, datetime

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("trust", "0005_entries_in_milliseconds"),
    ]

    operations = [
        migrations.AddField(
            model_name="cosignature",
            name="entry",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="cosignatures", to="trust.logentry"
            ),
        ),
        migrations.AddIndex(
            model_name="cosignature",
            index=models.Index(condition=models.Q(("entry__isnull", True)), fields=["id"], name="log_cosignature_waiting"),
        ),
        # The default lets the column come back.
        migrations.AlterField(
            model_name="log",
            name="made_at",
            field=models.DateTimeField(default=datetime(2026, 1, 1, tzinfo=UTC)),
        ),
        migrations.RemoveField(
            model_name="log",
            name="made_at",
        ),
    ]
