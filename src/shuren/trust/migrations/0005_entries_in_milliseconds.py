from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# A leaf says milliseconds: what stood below them in a row was proved by nothing.
TRUNCATE = {
    "postgresql": "UPDATE trust_logentry SET at = date_trunc('milliseconds', at) WHERE at <> date_trunc('milliseconds', at)",
    "sqlite": "UPDATE trust_logentry SET at = substr(at, 1, 23) || '000' WHERE length(at) > 23 AND substr(at, 24, 3) <> '000'",
}


def truncate(_apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute(TRUNCATE[editor.connection.vendor])


class Migration(migrations.Migration):
    dependencies = [
        ("trust", "0004_document_certificates"),
    ]

    operations = [
        migrations.RunPython(truncate, migrations.RunPython.noop),
    ]
