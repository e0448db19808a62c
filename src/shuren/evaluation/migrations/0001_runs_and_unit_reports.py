import django.db.models.deletion
from django.db import migrations, models

import shuren.kernel.fields


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("assessment", "0001_tests_and_items"),
        ("directory", "0001_orgs_people_grants"),
    ]

    operations = [
        migrations.CreateModel(
            name="EvaluationRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("org_path", shuren.kernel.fields.PathField(max_length=200)),
                ("title", models.CharField(max_length=200)),
                ("programme", models.CharField(max_length=100)),
                ("scale_key", models.CharField(max_length=100)),
                ("held_date", models.DateField(null=True)),
                ("is_simulated", models.BooleanField(default=False)),
                ("source_note", models.TextField(blank=True)),
                ("declaration", models.JSONField()),
                ("declaration_hash", models.CharField(max_length=64)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("declared", "declared"),
                            ("running", "running"),
                            ("done", "done"),
                            ("failed", "failed"),
                            ("cancelled", "cancelled"),
                        ],
                        default="declared",
                        max_length=12,
                    ),
                ),
                ("calibration", models.JSONField(default=dict)),
                ("certificate", models.JSONField(default=dict)),
                ("truth", models.JSONField(default=list)),
                ("job_id", models.BigIntegerField(null=True)),
                ("error", models.TextField(blank=True)),
                ("declared_by_id", models.BigIntegerField(null=True)),
                ("declared_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "assessment",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="assessment.assessment"),
                ),
                ("org", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.org")),
            ],
        ),
        migrations.CreateModel(
            name="UnitReport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("org_path", shuren.kernel.fields.PathField(max_length=200)),
                (
                    "level",
                    models.CharField(
                        choices=[
                            ("city", "city"),
                            ("district", "district"),
                            ("school", "school"),
                            ("class", "class"),
                            ("pupil", "pupil"),
                        ],
                        max_length=10,
                    ),
                ),
                ("is_withheld", models.BooleanField(default=False)),
                ("body", models.BinaryField()),
                ("org", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.org")),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="unit_reports", to="evaluation.evaluationrun"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="evaluationrun",
            index=models.Index(fields=["org_path"], name="evaluation_run_path"),
        ),
        migrations.AddIndex(
            model_name="evaluationrun",
            index=models.Index(fields=["programme", "held_date"], name="evaluation_run_programme"),
        ),
        migrations.AddIndex(
            model_name="unitreport",
            index=models.Index(fields=["org_path", "run"], name="unit_report_path"),
        ),
        migrations.AddConstraint(
            model_name="unitreport",
            constraint=models.UniqueConstraint(fields=("run", "org"), name="unit_report_once"),
        ),
    ]
