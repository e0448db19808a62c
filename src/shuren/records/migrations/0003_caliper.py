import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0009_rows_say_when_they_changed"),
        ("records", "0002_statements"),
    ]

    operations = [
        migrations.CreateModel(
            name="CaliperEntity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("client_id", models.CharField(max_length=100)),
                ("iri", models.TextField()),
                ("type", models.CharField(max_length=40)),
                ("body", models.TextField()),
                ("updated_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CaliperEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event_id", models.UUIDField()),
                ("client_id", models.CharField(max_length=100)),
                ("sensor", models.TextField()),
                ("type", models.CharField(max_length=40)),
                ("action", models.CharField(max_length=40)),
                ("actor", models.TextField()),
                ("object", models.TextField()),
                ("at", models.DateTimeField()),
                ("month", models.CharField(max_length=7)),
                ("received_at", models.DateTimeField()),
                ("body", models.TextField()),
                (
                    "person",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="directory.person"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["month", "type"], name="records_caliper_month")],
                "constraints": [models.UniqueConstraint(fields=("event_id", "client_id"), name="records_caliper_event_once")],
            },
        ),
    ]
