from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("interop", "0006_turns_of_delivery")]

    operations = [
        migrations.AddField(model_name="vendor", name="origin", field=models.CharField(blank=True, default="", max_length=64)),
    ]
