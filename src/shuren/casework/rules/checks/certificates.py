"""Certificates of a pack: an end gives them, and every word of theirs is one that the case surely tells."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.known import Known, nearest
from shuren.casework.rules.specs.certificate import OF_CASE, OF_HOLDER, CertificateSpec
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.rules.specs.form import FormSpec
from shuren.standards.data import Grade


def certificate_findings(certificate: CertificateSpec, known: Known) -> Iterator[Finding]:
    """What is wrong with a certificate, given the flows that end with it."""
    if "name" not in certificate.places:
        yield Finding("wording", _("正文里没有姓名。"), _("写上 {name}。"))
    flows = flows_giving(certificate.name, known)
    if not flows:
        yield Finding("name", _("没有办结会发“%(name)s”。") % {"name": certificate.name}, is_error=False)
    for place in certificate.places:
        if place not in OF_HOLDER | OF_CASE:
            for flow in flows:
                yield from _untold(place, flow, known.spec(DefinitionKind.FORM, flow.form))


def flows_giving(name: str, known: Known) -> list[FlowSpec]:
    flows = (spec for (kind, _key), spec in known.specs.items() if kind is DefinitionKind.FLOW)
    return [flow for flow in flows if any(end.certificate == name for end in flow.ends)]


def _untold(place: str, flow: FlowSpec, form: FormSpec | None) -> Iterator[Finding]:
    """Why a place of the wording may stay empty: neither the form nor what an office writes down on the way surely tells it."""
    fields = [*(form.fields if form else ()), *(field for stage in flow.stages for field in stage.fields)]
    titles = {field.title.zh: field for field in fields if field.title}
    field, said = titles.get(place), {"place": place, "flow": flow.key}
    if field is None:
        yield Finding("wording", _("流程 %(flow)s 和它的表单没有名为“%(place)s”的字段。") % said, nearest(place, titles))
    elif field.grade is Grade.SENSITIVE:
        yield Finding("wording", _("“%(place)s”是敏感信息，不能写进证书。") % said)
    elif field.required is not True:
        yield Finding("wording", _("流程 %(flow)s 的“%(place)s”可以不填，证书就发不出来。") % said, _("改用必填的字段。"))
