import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("directory", "0004_consents"),
        ("trust", "0003_certificate_authorities"),
    ]

    operations = [
        migrations.CreateModel(
            name="DigitalCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("person", "Person"), ("unit", "Unit"), ("device", "Device")], max_length=10)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("asked", "Asked"),
                            ("allowed", "Allowed"),
                            ("issued", "Issued"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="asked",
                        max_length=10,
                    ),
                ),
                ("device", models.CharField(blank=True, max_length=100)),
                ("dns_name", models.CharField(blank=True, max_length=200)),
                ("algorithm", models.CharField(max_length=10)),
                ("request", models.TextField(blank=True)),
                ("asked_by", models.BigIntegerField(null=True)),
                ("asked_at", models.DateTimeField()),
                ("authority", models.CharField(blank=True, max_length=40)),
                ("days", models.PositiveIntegerField(null=True)),
                ("decided_at", models.DateTimeField(null=True)),
                ("refusal", models.CharField(blank=True, max_length=200)),
                ("reminded_at", models.DateTimeField(null=True)),
                (
                    "certificate",
                    models.OneToOneField(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="trust.certificate"
                    ),
                ),
                ("org", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.org")),
                (
                    "person",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="directory.person"
                    ),
                ),
                (
                    "renews",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="renewals",
                        to="certificates.digitalcertificate",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["org", "-id"], name="digital_org"),
                    models.Index(fields=["person", "-id"], name="digital_person"),
                ],
            },
        ),
    ]
