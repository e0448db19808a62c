from django.db import migrations, models

import shuren.kernel.fields


class Migration(migrations.Migration):
    dependencies = [("trust", "0001_evidence_log")]

    operations = [
        migrations.CreateModel(
            name="Key",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", shuren.kernel.fields.BytewiseField(max_length=120)),
                ("version", models.PositiveIntegerField()),
                (
                    "algorithm",
                    models.CharField(
                        choices=[("Ed25519", "Ed25519"), ("ES256", "ES256"), ("RS256", "RS256"), ("SM2", "SM2")], max_length=10
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("active", "active"), ("retired", "retired"), ("revoked", "revoked")], max_length=10
                    ),
                ),
                (
                    "store",
                    models.CharField(
                        choices=[("sealed", "sealed"), ("file", "file"), ("environment", "environment"), ("pkcs11", "pkcs11")],
                        max_length=12,
                    ),
                ),
                ("sealed", models.BinaryField(null=True)),
                ("reference", models.CharField(blank=True, max_length=300)),
                ("public", models.BinaryField()),
                ("key_id", models.CharField(max_length=43)),
                ("created_at", models.DateTimeField()),
                ("retired_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("name", "version"), name="key_version"),
                    models.UniqueConstraint(condition=models.Q(("status", "active")), fields=("name",), name="key_active"),
                ],
            },
        ),
    ]
