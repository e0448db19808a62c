"""Entries move to another org by a flow, and ends say several of them: what is in force is written the new way."""

from typing import Any

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def say_several(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """`entry: …` of an end becomes `entries: [ … ]`; the digest stays, so that a pack is compared as it was installed."""
    of_flows: tuple[tuple[Any, dict[str, str]], ...] = (
        (apps.get_model("casework", "DefinitionVersion"), {"definition__kind": "flow"}),
        (apps.get_model("casework", "DefinitionDraft"), {"kind": "flow"}),
    )
    for model, flows in of_flows:
        for row in model.objects.filter(**flows).iterator():
            ends = row.body.get("ends")
            if isinstance(ends, list) and any(isinstance(end, dict) and "entry" in end for end in ends):
                row.body["ends"] = [_several(end) for end in ends]
                row.save(update_fields=["body"])


def _several(end: Any) -> Any:
    if not isinstance(end, dict) or "entry" not in end:
        return end
    kept = {key: value for key, value in end.items() if key != "entry"}
    return {**kept, "entries": [end["entry"]]} if end["entry"] else kept


class Migration(migrations.Migration):
    dependencies = [
        ("casework", "0005_definition_drafts"),
        ("directory", "0008_offices_seconded_and_certified"),
    ]

    operations = [
        migrations.AddField(
            model_name="entryrevision",
            name="org",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="directory.org",
            ),
        ),
        migrations.RunPython(say_several, migrations.RunPython.noop),
    ]
