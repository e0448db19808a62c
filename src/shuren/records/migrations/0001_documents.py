import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0008_offices_seconded_and_certified"),
    ]

    operations = [
        migrations.CreateModel(
            name="ActivityDefinition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("iri", models.TextField()),
                ("definition", models.TextField(default="{}")),
                ("updated_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=64, unique=True)),
                ("shelf", models.CharField(db_index=True, max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("state", "STATE"), ("activity", "ACTIVITY_PROFILE"), ("agent", "AGENT_PROFILE")], max_length=8
                    ),
                ),
                ("space", models.CharField(blank=True, max_length=100)),
                ("activity", models.TextField(blank=True)),
                ("agent", models.TextField(blank=True)),
                ("registration", models.CharField(blank=True, max_length=36)),
                ("document_id", models.TextField()),
                ("content_type", models.CharField(max_length=255)),
                ("content", models.BinaryField()),
                ("etag", models.CharField(max_length=40)),
                ("client_id", models.CharField(max_length=100)),
                ("updated_at", models.DateTimeField()),
                (
                    "person",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="directory.person"
                    ),
                ),
            ],
        ),
    ]
