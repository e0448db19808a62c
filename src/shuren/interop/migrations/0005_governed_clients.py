from django.db import migrations, models


def govern_clients(apps, schema_editor):
    """Clients of apps in the register are asked for at every door from now on."""
    app, client = apps.get_model("interop", "App"), apps.get_model("identity", "Client")
    for column in ("client_id", "sandbox_client_id"):
        of_apps = app.objects.exclude(**{column: None}).values(column)
        client.objects.filter(client_id__in=of_apps).update(is_governed=True)


class Migration(migrations.Migration):
    dependencies = [("interop", "0004_scim_records"), ("identity", "0011_services_of_apps")]

    operations = [
        migrations.AlterField(
            "appversion",
            "kind",
            models.CharField(choices=[("oidc", "oidc"), ("cas", "cas"), ("saml", "saml"), ("lti", "lti")], max_length=8),
        ),
        migrations.RunPython(govern_clients, migrations.RunPython.noop),
    ]
