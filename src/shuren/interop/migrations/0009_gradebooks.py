import django.db.models.deletion
from django.db import migrations, models

import shuren.kernel.fields


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0009_rows_say_when_they_changed"),
        ("interop", "0008_person_erased"),
    ]

    operations = [
        migrations.CreateModel(
            name="Mark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("owner", shuren.kernel.fields.BytewiseField(blank=True, max_length=64)),
                ("kind", models.CharField(max_length=24)),
                ("sourced_id", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("body", models.JSONField(default=dict)),
                ("org_path", shuren.kernel.fields.PathField(max_length=200)),
                ("line_item", shuren.kernel.fields.BytewiseField(blank=True, max_length=64)),
                ("modified_at", models.DateTimeField()),
                (
                    "class_org",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="directory.org",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="directory.person",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["class_org", "kind", "owner"], name="mark_class"),
                    models.Index(fields=["line_item", "kind", "owner"], name="mark_line_item"),
                    models.Index(fields=["owner", "kind", "modified_at"], name="mark_modified"),
                ],
                "constraints": [models.UniqueConstraint(fields=("owner", "kind", "sourced_id"), name="mark_once")],
            },
        ),
    ]
