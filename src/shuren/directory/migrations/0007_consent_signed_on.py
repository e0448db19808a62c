from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("directory", "0006_subject_requests")]

    operations = [migrations.AddField("consent", "signed_on", models.DateField(null=True))]
