from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casework", "0006_entries_of_ends")]

    operations = [
        migrations.AddField(model_name="entry", name="pending_import_id", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="entry", name="replaces_id", field=models.BigIntegerField(null=True)),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(removed_at__isnull=False, revision__gt=0),
                fields=["register", "-changed_at"],
                name="entry_removed",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(condition=models.Q(import_id__isnull=False), fields=["import_id"], name="entry_import"),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(
                condition=models.Q(pending_import_id__isnull=False),
                fields=["pending_import_id", "replaces_id"],
                name="entry_pending",
            ),
        ),
    ]
