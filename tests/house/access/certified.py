"""Certificates: given by a school and by one far away, held by pupils, checked by anybody."""

from dataclasses import replace

from shuren.certificates.data import CertificateKind, Layout, NewTemplate, Recipient
from shuren.certificates.models import Certificate, Share
from shuren.certificates.services.give import give_certificate
from shuren.certificates.services.give_batch import give_batch
from shuren.certificates.services.share import share_certificates
from shuren.certificates.services.write_template import add_template
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, ROOT, Address, Area, act, form, page, public, roles

GIVERS = MANAGERS | roles("head")
HOLDERS = roles("pupil parent")

CERTIFIED: dict[str, Address] = {
    "certificates:verify": public("GET", "POST"),
    "certificates:verify_number": replace(page(EVERYBODY, EVERYBODY, number="number"), stranger=200),
    "certificates:wallet": page(EVERYBODY),
    "certificates:record": page(HOLDERS, holder_id="holder"),
    "certificates:record_print": page(HOLDERS, holder_id="holder"),
    "certificates:share": act(HOLDERS, holder_id="holder"),
    "certificates:end_share": act(HOLDERS, share_id="share"),
    "certificates:shared": replace(page(EVERYBODY, EVERYBODY, secret="secret"), stranger=200),  # a kind of object
    "certificates:start": page(GIVERS, denied=403, granted=302),
    "certificates:desk": page(GIVERS, ROOT, org_id="school"),
    "certificates:add_template": form(GIVERS, ROOT, org_id="school"),
    "certificates:give": form(GIVERS, ROOT, org_id="school", template_id="template"),
    "certificates:give_class": form(GIVERS, ROOT, org_id="school", template_id="template"),
    "certificates:given": page(EVERYBODY),
    "certificates:batch": page(GIVERS, ROOT, granted=302, batch_id="batch"),
    "certificates:templates": page(EVERYBODY),
    "certificates:template": page(GIVERS, ROOT, template_id="template"),
    "certificates:change_template": form(GIVERS, ROOT, template_id="template"),
    "certificates:retire_template": act(GIVERS, ROOT, template_id="template"),
    "certificates:preview": page(GIVERS, ROOT, template_id="template"),
    "certificates:certificate": page(GIVERS | HOLDERS, ROOT, certificate_id="certificate"),
    "certificates:print_certificate": page(GIVERS | HOLDERS, ROOT, certificate_id="certificate"),
    "certificates:credential": page(GIVERS | HOLDERS, ROOT, certificate_id="certificate"),
    "certificates:revoke": form(GIVERS, ROOT, certificate_id="certificate"),
    "certificates:correct": form(GIVERS, ROOT, certificate_id="certificate"),
    "certificates:renew": form(GIVERS, ROOT, certificate_id="certificate"),
    "certificates:open_credential": replace(page(EVERYBODY, EVERYBODY, number="number"), stranger=200),
    "certificates:open_proof": replace(page(EVERYBODY, EVERYBODY, granted=404, number="number"), stranger=404),  # no head yet
    "certificates:open_original": replace(page(EVERYBODY, EVERYBODY, number="number"), stranger=200),
    "certificates:open_token": replace(page(EVERYBODY, EVERYBODY, number="number"), stranger=200),
    "certificates:achievement": replace(page(EVERYBODY, EVERYBODY, key="achievement"), stranger=200),
    "certificates:status_list": replace(page(EVERYBODY, EVERYBODY, number="status_list"), stranger=200),
    "certificates:issuer": replace(page(EVERYBODY, EVERYBODY, org_id="school"), stranger=200),
    "certificates:ob_discovery": public("GET"),
    "certificates:ob_credentials": public("GET", granted=401, stranger=401),
    "certificates:ob_profile": public("GET", granted=401, stranger=401),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A template, a certificate and a share link near, and the same far away."""
    template = NewTemplate(
        kind=CertificateKind.HONOUR,
        name="三好学生",
        name_en="",
        criteria="全面发展。",
        wording="{name}",
        layout=Layout.PLAIN,
        seal_text="学校",
        valid_months=12,
    )
    found: dict[str, list[str]] = {}
    for school, giver, holder, keeper in (
        ("school", "head", "pupil", "pupil"),
        ("far_school", "far_head", "far_pupil", "far_pupil"),
    ):
        actor, org = cast.actor(giver), cast.orgs[school]
        person = cast.people[holder]
        template_id = add_template(actor=actor, org_id=org.id, template=template, now=cast.now)
        recipient = Recipient(person.id)
        given = give_certificate(actor=actor, org_id=org.id, template_id=template_id, recipient=recipient, now=cast.now)
        batch_id = give_batch(actor=actor, org_id=org.id, template_id=template_id, recipients=[recipient], now=cast.now)
        keeping = replace(cast.actor("head"), person_id=cast.people[keeper].id)
        secret = share_certificates(actor=keeping, holder_id=person.id, days=7, now=cast.now)
        row = Certificate.objects.get(pk=given)
        for kind, value in (
            ("school", org.public_id),
            ("template", ids.encode("template", template_id)),
            ("certificate", ids.encode("certificate", given)),
            ("batch", ids.encode("batch", batch_id)),
            ("holder", person.public_id),
            ("share", ids.encode("share", Share.objects.get(holder_id=person.id).pk)),
            ("secret", secret),
            ("number", row.number),
            ("achievement", f"{ids.encode('template', template_id)}-1"),
            ("status_list", str(row.status_list_id)),
        ):
            found.setdefault(kind, []).append(value)
    return {kind: (near, far) for kind, (near, far) in found.items()}


AREA = Area(addresses=CERTIFIED, places=places)
