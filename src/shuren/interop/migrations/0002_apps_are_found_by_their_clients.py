from django.db import migrations, models


def empty_to_null(apps, schema_editor):
    app = apps.get_model("interop", "App")
    for name in ("client_id", "sandbox_client_id"):
        app.objects.filter(**{name: ""}).update(**{name: None})


def null_to_empty(apps, schema_editor):
    app = apps.get_model("interop", "App")
    for name in ("client_id", "sandbox_client_id"):
        app.objects.filter(**{f"{name}__isnull": True}).update(**{name: ""})


class Migration(migrations.Migration):
    dependencies = [("interop", "0001_vendors_apps_and_messages")]

    operations = [
        migrations.RemoveConstraint(model_name="app", name="app_client_once"),
        migrations.RemoveConstraint(model_name="app", name="app_sandbox_once"),
        migrations.AlterField(model_name="app", name="client_id", field=models.CharField(max_length=80, null=True)),
        migrations.AlterField(model_name="app", name="sandbox_client_id", field=models.CharField(max_length=80, null=True)),
        migrations.RunPython(empty_to_null, null_to_empty),
        migrations.AlterField(model_name="app", name="client_id", field=models.CharField(max_length=80, null=True, unique=True)),
        migrations.AlterField(
            model_name="app", name="sandbox_client_id", field=models.CharField(max_length=80, null=True, unique=True)
        ),
        migrations.AddField(model_name="installation", name="consent_texts", field=models.JSONField(default=list)),
    ]
