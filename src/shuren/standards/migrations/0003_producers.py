import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("standards", "0002_sources"),
    ]

    operations = [
        migrations.CreateModel(
            name="Producer",
            fields=[
                (
                    "element",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="producer",
                        serialize=False,
                        to="standards.element",
                    ),
                ),
                ("doors", models.JSONField(default=list)),
                ("org_ids", models.JSONField(default=list)),
                ("note", models.CharField(blank=True, max_length=300)),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="RefusedWrite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("element_code", models.CharField(max_length=80)),
                (
                    "door",
                    models.CharField(
                        choices=[
                            ("form", "form"),
                            ("register", "register"),
                            ("register_import", "register_import"),
                            ("api", "api"),
                            ("roster", "roster"),
                            ("directory", "directory"),
                            ("scim", "scim"),
                            ("oneroster", "oneroster"),
                            ("dataset", "dataset"),
                        ],
                        max_length=20,
                    ),
                ),
                ("org_id", models.BigIntegerField(default=0)),
                ("role", models.CharField(blank=True, max_length=40)),
                ("client_id", models.CharField(blank=True, max_length=120)),
                ("day", models.DateField()),
                ("count", models.PositiveIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["element_code", "-day"], name="refused_write_of_element"),
                    models.Index(condition=models.Q(("told_at__isnull", True)), fields=["told_at"], name="refused_write_untold"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("element_code", "door", "org_id", "role", "client_id", "day"), name="refused_write_once_a_day"
                    )
                ],
            },
        ),
    ]
