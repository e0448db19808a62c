import django.db.models.deletion
from django.db import migrations, models

_WAITING = models.Q(status="waiting")


class Migration(migrations.Migration):
    dependencies = [("interop", "0005_governed_clients")]

    operations = [
        migrations.CreateModel(
            name="DeliveryTurn",
            fields=[
                (
                    "app",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="interop.app",
                    ),
                ),
                ("taken_until", models.DateTimeField(null=True)),
                ("rests_until", models.DateTimeField(null=True)),
                ("failing_since", models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveIndex(model_name="delivery", name="delivery_due"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["app", "next_at", "id"], name="delivery_due", condition=_WAITING),
        ),
    ]
