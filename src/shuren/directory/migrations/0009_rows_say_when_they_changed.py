from django.db import migrations, models

_TABLES = ("academicsession", "affiliation", "course", "enrollment", "org", "person")
_INDEXED = ("enrollment", "org", "person")
_CHANGED = models.Q(modified_at__isnull=False)


class Migration(migrations.Migration):
    dependencies = [("directory", "0008_offices_seconded_and_certified")]

    operations = [
        migrations.AddField("appliedroster", "shown_at", models.DateTimeField(null=True)),
        *(migrations.AddField(table, "modified_at", models.DateTimeField(editable=False, null=True)) for table in _TABLES),
        *(
            migrations.AddIndex(table, models.Index(fields=["modified_at", "id"], name=f"{table}_modified", condition=_CHANGED))
            for table in _INDEXED
        ),
        migrations.AddIndex(
            "enrollment",
            models.Index(fields=["end_date"], name="enrollment_end", condition=models.Q(end_date__isnull=False)),
        ),
    ]
