from typing import Any

from django.db import migrations, models


def move_titles(apps: Any, schema_editor: Any) -> None:
    """What offered columns were described by becomes their title; keys that columns no longer have go."""
    datasets = apps.get_model("datahub", "Dataset").objects
    for stored in datasets.exclude(columns={}).iterator(chunk_size=200):
        for told in stored.columns.values():
            told.setdefault("title_zh", told.pop("description", ""))
        stored.save(update_fields=["columns"])


class Migration(migrations.Migration):
    dependencies = [
        ("datahub", "0011_view_sources"),
    ]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="title_en",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="dataset",
            name="title_zh",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.RunPython(move_titles, migrations.RunPython.noop),
    ]
