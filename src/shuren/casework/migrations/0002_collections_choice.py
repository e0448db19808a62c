import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("casework", "0001_engine"),
    ]

    operations = [
        migrations.AddField(
            model_name="collection",
            name="choice",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="collection",
            name="freeze_job_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="collection",
            name="frozen_with",
            field=models.CharField(blank=True, max_length=10),
        ),
        migrations.AddField(
            model_name="collection",
            name="issue_job_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="collection",
            name="urge_job_id",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="collectiontarget",
            name="earlier_case",
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="casework.case"),
        ),
        migrations.AddField(
            model_name="collectiontarget",
            name="reason",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AlterField(
            model_name="collection",
            name="state",
            field=models.CharField(
                choices=[
                    ("issuing", "issuing"),
                    ("open", "open"),
                    ("freezing", "freezing"),
                    ("frozen", "frozen"),
                    ("cancelled", "cancelled"),
                ],
                max_length=10,
            ),
        ),
    ]
