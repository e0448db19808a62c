"""Templates that packs bring along, put in where the region has none of that name."""

from datetime import datetime

from django.db import transaction

from shuren.casework import api as casework
from shuren.certificates.data import CertificateKind, Layout, NewTemplate
from shuren.certificates.models import Template
from shuren.certificates.services.write_template import add_template
from shuren.directory import api as directory
from shuren.kernel.data import SYSTEM


@transaction.atomic
def bring_templates(*, pack: str = "", now: datetime) -> int:
    """Make the templates of the installed packs, or of one, at the root org; returns how many were made.

    A name that the root org ever had, retired ones included, is left alone: what the region decided stays. Before there is
    a root org nothing is made.
    """
    root = directory.root_org()
    if root is None:
        return 0
    known = set(Template.objects.filter(org_id=root.id).values_list("name", flat=True))
    wanted = {one.name: one for one in casework.certificates_brought(pack) if one.name not in known}
    for one in wanted.values():
        template = NewTemplate(
            kind=CertificateKind(one.kind),
            name=one.name,
            name_en=one.name_en,
            criteria=one.criteria,
            wording=one.wording,
            layout=Layout(one.layout),
            seal_text=one.seal_text,
            valid_months=one.valid_months,
            levels=one.levels,
            fields=one.fields,
        )
        add_template(actor=SYSTEM, org_id=root.id, template=template, now=now)
    return len(wanted)
