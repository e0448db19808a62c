"""Authorities founded below another were certified without a row, so that nothing could revoke them."""

from hashlib import sha256

from asn1crypto.x509 import Certificate
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

_SHORT = {"country_name": "C", "organization_name": "O", "common_name": "CN"}


def keep_authorities(apps: StateApps, _editor: BaseDatabaseSchemaEditor) -> None:
    authority, issued = apps.get_model("trust", "Authority"), apps.get_model("trust", "Certificate")
    for row in authority.objects.filter(parent__isnull=False, above=""):
        made = Certificate.load(bytes(row.certificate))
        names = [part for relative in made.subject.chosen for part in relative]
        texts = [f"{_SHORT.get(part['type'].native, part['type'].dotted)}={part.native['value']}" for part in names]
        issued.objects.get_or_create(
            authority_id=row.parent_id,
            serial=f"{made.serial_number:x}",
            defaults={
                "kind": "authority",
                "subject": ",".join(reversed(texts))[:400],
                "der": bytes(row.certificate),
                "spki_digest": sha256(made.public_key.dump()).hexdigest(),
                "begins_at": row.begins_at,
                "ends_at": row.ends_at,
            },
        )


class Migration(migrations.Migration):
    dependencies = [("trust", "0006_witnessing_on_record")]
    operations = [migrations.RunPython(keep_authorities, migrations.RunPython.noop)]
