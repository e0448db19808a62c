import django.db.models.deletion
from django.db import migrations, models

import shuren.kernel.fields


class Migration(migrations.Migration):
    dependencies = [
        ("trust", "0002_signing_keys"),
    ]

    operations = [
        migrations.CreateModel(
            name="Authority",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", shuren.kernel.fields.BytewiseField(max_length=40)),
                ("title", models.CharField(max_length=100)),
                ("key_name", models.CharField(max_length=120)),
                ("key_version", models.PositiveIntegerField()),
                ("algorithm", models.CharField(max_length=10)),
                ("certificate", models.BinaryField()),
                ("above", models.TextField(blank=True)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("crl", models.BinaryField(null=True)),
                ("crl_number", models.PositiveBigIntegerField(default=0)),
                ("crl_next_at", models.DateTimeField(null=True)),
                (
                    "parent",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="children", to="trust.authority"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Certificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("person", "person"),
                            ("unit", "unit"),
                            ("device", "device"),
                            ("timestamp", "timestamp"),
                            ("authority", "authority"),
                        ],
                        max_length=10,
                    ),
                ),
                ("serial", shuren.kernel.fields.BytewiseField(max_length=40)),
                ("subject", models.CharField(max_length=400)),
                ("der", models.BinaryField()),
                ("spki_digest", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("begins_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField()),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("unspecified", "unspecified"),
                            ("key_compromise", "key_compromise"),
                            ("ca_compromise", "ca_compromise"),
                            ("affiliation_changed", "affiliation_changed"),
                            ("superseded", "superseded"),
                            ("cessation_of_operation", "cessation_of_operation"),
                            ("privilege_withdrawn", "privilege_withdrawn"),
                        ],
                        max_length=25,
                    ),
                ),
                (
                    "authority",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="certificates", to="trust.authority"
                    ),
                ),
                (
                    "renewed_from",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="renewals", to="trust.certificate"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrustedRoot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("title", models.CharField(max_length=100)),
                ("certificate", models.BinaryField()),
                ("sha256", shuren.kernel.fields.BytewiseField(max_length=64)),
                ("added_at", models.DateTimeField()),
                ("removed_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("removed_at__isnull", True)), fields=("sha256",), name="trusted_root_once"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="authority",
            constraint=models.UniqueConstraint(fields=("code",), name="authority_code"),
        ),
        migrations.AddIndex(
            model_name="certificate",
            index=models.Index(
                condition=models.Q(("revoked_at__isnull", False)), fields=["authority", "id"], name="certificate_revoked"
            ),
        ),
        migrations.AddIndex(
            model_name="certificate",
            index=models.Index(fields=["ends_at"], name="certificate_ends"),
        ),
        migrations.AddIndex(
            model_name="certificate",
            index=models.Index(fields=["spki_digest"], name="certificate_key"),
        ),
        migrations.AddConstraint(
            model_name="certificate",
            constraint=models.UniqueConstraint(fields=("authority", "serial"), name="certificate_serial"),
        ),
    ]
