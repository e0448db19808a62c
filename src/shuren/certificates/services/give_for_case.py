"""Certificates that cases end with: the template of that name, given by the unit that decided, delivered to the applicant."""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework import api as casework
from shuren.certificates.data import Recipient
from shuren.certificates.models import Certificate, Template
from shuren.certificates.selectors.issuer import base_url
from shuren.certificates.selectors.templates import current_of, usable_templates
from shuren.certificates.services.give import give_certificate
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM


@transaction.atomic
def give_for_case(*, case_id: int, name: str, now: datetime) -> int | None:
    """Give the certificate called `name` for a closed case and deliver it; None where there is nobody or nothing to give.

    It is given by the nearest unit at or above the case that may use a template of that name; where an org built the flow itself,
    only with templates of its own branch, or whoever builds could give what their office may not. A field of the template is
    filled with what the form says under the same title. Run twice it gives one. What was not given stands in the audit trail.
    """
    found = casework.result_of(case_id)
    if found is None:
        return None
    case, texts = found
    holder_id = case.subject_person_id or case.filer_person_id
    giving = _template_for(case.org_id, name, within=case.built_within)
    missing = _missing(giving, holder_id, texts)
    if giving is None or holder_id is None or missing:
        details = {"certificate": name, "case": case.number, "reason": missing}
        audit.record(
            actor=SYSTEM, action="certificates.case_without_certificate", target=f"case:{case.id}", details=details, now=now
        )
        return None
    org, template = giving
    values = {field: texts[field][:100] for field in current_of(template).fields}
    certificate_id = give_certificate(
        actor=replace(SYSTEM, name=org.name),
        org_id=org.id,
        template_id=template.pk,
        recipient=Recipient(holder_id, values),
        key=f"case:{case.id}:{template.pk}",
        now=now,
    )
    row = Certificate.objects.select_related("version").get(pk=certificate_id)
    path = f"/verify/{row.number}/"
    casework.deliver_result(case.id, number=row.number, name=row.version.name, url=path, address=f"{base_url()}{path}", now=now)
    return certificate_id


def _template_for(org_id: int, name: str, *, within: str) -> tuple[OrgData, Template] | None:
    """The nearest unit at or above the org that may give with a template of that name, and the template."""
    own = directory.orgs_by_ids([org_id])
    for org in [*own.values(), *reversed(directory.ancestors_of(org_id))]:
        named = (row for row in usable_templates(org) if row.name == name and row.org_path.startswith(within))
        template = next(named, None)
        if template is not None:
            return org, template
    return None


def _missing(giving: tuple[OrgData, Template] | None, holder_id: int | None, texts: dict[str, str]) -> str:
    if giving is None:
        return _("没有这个名称的证书模板")
    if holder_id is None:
        return _("申请人没有账号，请打印纸质结果")
    missing = [field for field in current_of(giving[1]).fields if not texts.get(field, "").strip()]
    return _("表单没有填写“%(field)s”") % {"field": missing[0]} if missing else ""
