from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("work", "0001_job"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="title_words",
            field=models.JSONField(default=dict),
        ),
    ]
