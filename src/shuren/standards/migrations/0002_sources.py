from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("standards", "0001_elements_and_codes")]

    operations = [
        migrations.AddField(model_name="element", name="source", field=models.CharField(blank=True, default="", max_length=200)),
        migrations.AddField(
            model_name="element", name="department", field=models.CharField(blank=True, default="", max_length=120)
        ),
    ]
