import datetime

import django.db.models.deletion
from django.db import migrations, models


class CreateMonthly(migrations.CreateModel):
    """A table that PostgreSQL cuts by the month of `stored`, with this month and the next; any other database has it whole."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        model = to_state.apps.get_model(app_label, self.name)
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        sql, params = schema_editor.table_sql(model)
        schema_editor.execute(f'{sql} PARTITION BY RANGE ("stored")', params or None)
        for index in model._meta.indexes:
            schema_editor.add_index(model, index)
        first = datetime.datetime.now(datetime.UTC).date().replace(day=1)
        for _month in range(2):
            after = (first + datetime.timedelta(days=31)).replace(day=1)
            table = model._meta.db_table
            schema_editor.execute(
                f"CREATE TABLE {table}_{first:%Y%m} PARTITION OF {table} "
                f"FOR VALUES FROM ('{first} 00:00:00+00') TO ('{after} 00:00:00+00')"
            )
            first = after


class CreateNumbered(migrations.CreateModel):
    """A table with a sequence beside it on PostgreSQL, from which several writers draw at once."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("CREATE SEQUENCE records_statement_order")

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        super().database_backwards(app_label, schema_editor, from_state, to_state)
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("DROP SEQUENCE records_statement_order")


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0008_offices_seconded_and_certified"),
        ("records", "0001_documents"),
    ]

    operations = [
        CreateMonthly(
            name="Mention",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "key", "stored", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("key", models.UUIDField()),
                ("stored", models.DateTimeField()),
                ("seq", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Reference",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "statement_id", "target_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("statement_id", models.UUIDField()),
                ("target_id", models.UUIDField(db_index=True)),
                ("stored", models.DateTimeField()),
                ("seq", models.BigIntegerField()),
                ("is_direct", models.BooleanField()),
                ("is_voiding", models.BooleanField()),
            ],
        ),
        CreateNumbered(
            name="StatementKey",
            fields=[
                ("statement_id", models.UUIDField(primary_key=True, serialize=False)),
                ("stored", models.DateTimeField()),
                ("seq", models.BigIntegerField()),
                ("digest", models.BinaryField()),
            ],
        ),
        CreateMonthly(
            name="Statement",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey("stored", "seq", blank=True, editable=False, primary_key=True, serialize=False),
                ),
                ("stored", models.DateTimeField()),
                ("seq", models.BigIntegerField()),
                ("statement_id", models.UUIDField()),
                ("timestamp", models.DateTimeField()),
                ("actor", models.UUIDField()),
                ("verb", models.UUIDField()),
                ("activity", models.UUIDField(null=True)),
                ("registration", models.UUIDField(null=True)),
                ("authority", models.UUIDField()),
                ("is_voided", models.BooleanField(default=False)),
                ("body", models.TextField()),
                (
                    "person",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="directory.person",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["actor", "stored", "seq"], name="records_statement_actor"),
                    models.Index(fields=["verb", "stored", "seq"], name="records_statement_verb"),
                    models.Index(fields=["activity", "stored", "seq"], name="records_statement_activity"),
                    models.Index(
                        condition=models.Q(("registration__isnull", False)),
                        fields=["registration", "stored"],
                        name="records_statement_attempt",
                    ),
                    models.Index(
                        condition=models.Q(("person__isnull", False)),
                        fields=["person", "stored"],
                        name="records_statement_person",
                    ),
                ]
            },
        ),
    ]
