import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("datahub", "0003_catalogue_and_lineage"),
    ]

    operations = [
        migrations.CreateModel(
            name="Precedence",
            fields=[
                ("element_code", models.CharField(max_length=80, primary_key=True, serialize=False)),
                ("sources", models.JSONField(default=list)),
                ("tie", models.CharField(choices=[("agreed", "agreed"), ("first", "first")], max_length=10)),
                ("revision", models.PositiveIntegerField(default=1)),
                ("changed_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="Candidate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("element_code", models.CharField(max_length=80)),
                ("subject_kind", models.CharField(choices=[("person", "person"), ("org", "org")], max_length=10)),
                ("subject_id", models.BigIntegerField()),
                ("source", models.CharField(max_length=60)),
                ("value", models.CharField(blank=True, max_length=500)),
                ("value_sealed", models.BinaryField(null=True)),
                ("digest", models.CharField(max_length=64)),
                ("seen_at", models.DateTimeField()),
                ("evidence", models.CharField(blank=True, max_length=200)),
            ],
            options={
                "indexes": [models.Index(fields=["subject_kind", "subject_id"], name="candidate_of_subject")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("element_code", "subject_kind", "subject_id", "source", "digest"), name="candidate_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Golden",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("element_code", models.CharField(max_length=80)),
                ("subject_kind", models.CharField(choices=[("person", "person"), ("org", "org")], max_length=10)),
                ("subject_id", models.BigIntegerField()),
                ("source", models.CharField(blank=True, max_length=60)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("rule", models.CharField(blank=True, max_length=12)),
                ("evidence", models.JSONField(default=list)),
                ("values", models.PositiveSmallIntegerField(default=0)),
                ("told", models.CharField(blank=True, max_length=16)),
                (
                    "verdict",
                    models.CharField(
                        choices=[("agreed", "agreed"), ("open", "open"), ("accepted", "accepted"), ("overruled", "overruled")],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("revision", models.PositiveIntegerField(default=0)),
                ("changed_at", models.DateTimeField()),
                (
                    "candidate",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="datahub.candidate"
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["element_code", "verdict", "id"], name="golden_by_verdict"),
                    models.Index(fields=["subject_kind", "subject_id"], name="golden_of_subject"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("element_code", "subject_kind", "subject_id"), name="golden_once")
                ],
            },
        ),
    ]
