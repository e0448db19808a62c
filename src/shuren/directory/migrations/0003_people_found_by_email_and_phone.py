from django.db import migrations, models
from django.db.models.functions import Lower

from shuren.kernel.operations import AddIndexMeanwhile


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("directory", "0002_rosters_pending_and_applied"),
    ]

    operations = [
        AddIndexMeanwhile(
            model_name="person",
            index=models.Index(Lower("email"), condition=models.Q(("email__gt", "")), name="person_email"),
        ),
        AddIndexMeanwhile(
            model_name="person",
            index=models.Index(fields=["phone"], condition=models.Q(("phone__gt", "")), name="person_phone"),
        ),
    ]
