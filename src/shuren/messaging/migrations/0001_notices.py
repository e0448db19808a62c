from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("person_id", models.BigIntegerField()),
                ("title", models.CharField(max_length=120)),
                ("body", models.CharField(blank=True, max_length=500)),
                ("url", models.CharField(blank=True, max_length=200)),
                ("key", models.CharField(blank=True, max_length=100)),
                ("at", models.DateTimeField()),
                ("read_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["person_id", "-at", "-id"], name="notice_person"),
                    models.Index(condition=models.Q(("read_at__isnull", True)), fields=["person_id"], name="notice_unread"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("key", ""), _negated=True), fields=("person_id", "key"), name="notice_once"
                    )
                ],
            },
        ),
    ]
