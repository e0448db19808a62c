from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("standards", "0003_producers")]

    operations = [
        migrations.CreateModel(
            name="Edition",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("title", models.CharField(max_length=255)),
                ("digest", models.CharField(max_length=64)),
                ("body", models.CharField(max_length=100)),
                ("code_sets", models.JSONField(default=list)),
                ("counts", models.JSONField(default=dict)),
                ("breaks", models.JSONField(default=dict)),
                ("taken_at", models.DateTimeField()),
                ("taken_by", models.CharField(max_length=100)),
                ("undone_at", models.DateTimeField(null=True)),
                ("undone_by", models.CharField(blank=True, max_length=100)),
                ("import_id", models.BigIntegerField(null=True, unique=True)),
            ],
        ),
    ]
