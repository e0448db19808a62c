"""Since when the holder of a digital certificate is gone, and the regions whose authority is certified here."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("certificates", "0004_batch_import"), ("trust", "0003_certificate_authorities")]

    operations = [
        migrations.AddField("digitalcertificate", "left_at", models.DateTimeField(null=True)),
        migrations.CreateModel(
            "CertifiedRegion",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100)),
                ("given_by", models.BigIntegerField(null=True)),
                ("given_at", models.DateTimeField()),
                (
                    "certificate",
                    models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trust.certificate"),
                ),
            ],
        ),
    ]
