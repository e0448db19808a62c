from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("casework", "0007_entries_pending")]

    operations = [
        migrations.AddField(
            model_name="entryrevision",
            name="act",
            field=models.CharField(blank=True, default="", max_length=10),
            preserve_default=False,
        ),
    ]
