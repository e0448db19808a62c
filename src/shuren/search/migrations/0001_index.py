from django.db import migrations, models

import shuren.kernel.fields

# Of a reading and its key (`=wang`, `wang`) one at most then has no prefix index, which keeps a search under 50 ms.
# `ascii` cuts at spaces only, because every sign we write is declared a letter; words and readings are made by us.
SQLITE = {
    "create": [
        """CREATE VIRTUAL TABLE search_tokens USING fts5(
            tokens, detail=none, columnsize=0, prefix='2 3 5', tokenize="ascii tokenchars '=/._'"
        )"""
    ],
    "drop": ["DROP TABLE search_tokens"],
}
POSTGRESQL = {
    "create": [
        "ALTER TABLE search_entry ADD COLUMN tokens tsvector NOT NULL DEFAULT ''",
        "CREATE INDEX search_entry_tokens ON search_entry USING gin (tokens)",
    ],
    "drop": ["DROP INDEX search_entry_tokens", "ALTER TABLE search_entry DROP COLUMN tokens"],
}


def create_tokens(apps, schema_editor):
    run("create", schema_editor)


def drop_tokens(apps, schema_editor):
    run("drop", schema_editor)


def run(what, schema_editor):
    statements = POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in statements[what]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=20)),
                ("object_id", models.BigIntegerField()),
                ("title", models.CharField(max_length=200)),
                ("text", models.CharField(blank=True, max_length=500)),
                ("path", shuren.kernel.fields.PathField(blank=True, max_length=200)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "object_id"), name="search_entry_once"),
                ],
            },
        ),
        migrations.RunPython(create_tokens, drop_tokens, hints={"makes": True}),
    ]
