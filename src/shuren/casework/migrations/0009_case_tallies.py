"""Cases are counted by where they stand, and each knows when its stage is over."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

import shuren.kernel.fields


def say_when_stages_are_over(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    """Of cases under way; what is counted of them comes with the first run of the job."""
    runs = apps.get_model("casework", "StageRun").objects.filter(case=models.OuterRef("pk"), left_at__isnull=True)
    latest = models.Subquery(runs.order_by("-pk").values("due_at")[:1])
    apps.get_model("casework", "Case").objects.filter(state="running").update(stage_due_at=latest)


class Migration(migrations.Migration):
    dependencies = [
        ("casework", "0008_entry_revisions_act"),
        ("directory", "0008_offices_seconded_and_certified"),
    ]

    operations = [
        migrations.CreateModel(
            name="CaseTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("org_path", shuren.kernel.fields.PathField(blank=True, max_length=200)),
                ("state", models.CharField(max_length=10)),
                ("stage", models.CharField(blank=True, max_length=60)),
                ("cases", models.BigIntegerField(default=0)),
                ("asked", models.BigIntegerField(default=0)),
                ("saved", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.AddField(
            model_name="case",
            name="stage_due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="case",
            name="tallied_stage",
            field=models.CharField(blank=True, max_length=60),
        ),
        migrations.AddField(
            model_name="case",
            name="tallied_state",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.RunPython(say_when_stages_are_over, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(
                    models.Q(("tallied_state", models.F("state")), _negated=True),
                    models.Q(("tallied_stage", models.F("stage")), _negated=True),
                    _connector="OR",
                ),
                fields=["id"],
                name="case_untallied",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("submitted_at__isnull", False)), fields=["definition", "-id", "org_path"], name="case_latest"
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=models.Q(("stage_due_at__isnull", False), ("state", "running")),
                fields=["definition", "stage_due_at", "org_path", "stage"],
                name="case_late",
            ),
        ),
        migrations.AddField(
            model_name="casetally",
            name="definition",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="casework.definition"),
        ),
        migrations.AddField(
            model_name="casetally",
            name="org",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.org"),
        ),
        migrations.AddIndex(
            model_name="casetally",
            index=models.Index(fields=["definition", "org_path"], name="case_tally_place"),
        ),
        migrations.AddConstraint(
            model_name="casetally",
            constraint=models.UniqueConstraint(
                condition=models.Q(("org__isnull", False)),
                fields=("definition", "org", "state", "stage"),
                name="case_tally_of_org",
            ),
        ),
        migrations.AddConstraint(
            model_name="casetally",
            constraint=models.UniqueConstraint(
                condition=models.Q(("org__isnull", True)), fields=("definition", "state", "stage"), name="case_tally_of_region"
            ),
        ),
    ]
