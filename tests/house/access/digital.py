"""Digital certificates of people, units and devices, and the region's authorities."""

from typing import Any

from django.apps import apps

from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from shuren.trust.data import CertificateKind, KeyAlgorithm, SubjectName
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, NOBODY, ROOT, Address, Area, act, form, page, public, roles

KEEPER = roles("security_admin")

DIGITAL: dict[str, Address] = {
    "certificates:pki": public("GET"),
    "certificates:revocation_list": Address(near=EVERYBODY, far=EVERYBODY, objects={"code": "authority"}, stranger=200),
    "certificates:authority_certificate": Address(near=EVERYBODY, far=EVERYBODY, objects={"code": "authority"}, stranger=200),
    "certificates:authority_chain": Address(near=EVERYBODY, far=EVERYBODY, objects={"code": "authority"}, stranger=200),
    "certificates:ocsp": Address(near=EVERYBODY, far=EVERYBODY, objects={"code": "authority"}, methods=("POST",), stranger=200),
    "certificates:ocsp_by_address": Address(
        near=EVERYBODY, far=EVERYBODY, objects={"code": "authority", "question": "question"}, stranger=200
    ),
    "certificates:timestamp": public("POST"),
    "certificates:check_certificate": public("GET", "POST"),
    "certificates:authorities": page(KEEPER, denied=403),
    "certificates:found_authority": form(KEEPER, NOBODY, 403),
    "certificates:authority_request": page(KEEPER, KEEPER, denied=403, code="authority"),
    "certificates:accept_authority": form(KEEPER, KEEPER, 403, code="authority"),
    "certificates:certify_region": form(KEEPER, KEEPER, 403, code="authority"),
    "certificates:region_chain": page(KEEPER, KEEPER, denied=403, issued_id="below"),
    "certificates:revoke_authority": form(KEEPER, KEEPER, 403, issued_id="below"),
    "certificates:trust_root": form(KEEPER, NOBODY, 403),
    "certificates:distrust_root": act(KEEPER, KEEPER, 403, root_id="trusted_root"),
    "certificates:digital": page(EVERYBODY),
    "certificates:ask_digital": form(EVERYBODY),
    "certificates:digital_one": page(MANAGERS | KEEPER, ROOT | KEEPER, digital_id="asked"),
    "certificates:digital_file": page(MANAGERS | KEEPER, ROOT | KEEPER, digital_id="issued"),
    "certificates:allow_digital": form(KEEPER, KEEPER, digital_id="asked"),
    "certificates:refuse_digital": form(KEEPER, KEEPER, digital_id="asked"),
    "certificates:fetch_digital": form(MANAGERS, ROOT, digital_id="allowed"),
    "certificates:withdraw_digital": act(MANAGERS, ROOT, digital_id="asked"),
    "certificates:renew_digital": form(MANAGERS, ROOT, digital_id="issued"),
    "certificates:revoke_digital": form(MANAGERS | KEEPER, ROOT | KEEPER, digital_id="issued"),
}
EXCEPTIONS = {("certificates:withdraw_digital", "security_admin"): 403}


def digital_places(cast: Cast) -> dict[str, tuple[str, str]]:
    wanted: dict[str, Any] = {"algorithm": KeyAlgorithm.ES256, "actor": SYSTEM, "now": cast.now}
    trust.found_authority(code="region", title="云杉省教育证书", **wanted)
    trust.found_authority(code="lower", title="临江市教育证书", parent="region", **wanted)
    root = trust.authority("region").chain[0]
    fingerprint = trust.fingerprint_of(root)
    root_id = trust.trust_root(title="邻省", certificate=root, fingerprint=fingerprint, actor=SYSTEM, now=cast.now)

    def asked(org: str, status: str) -> str:
        facts = {"kind": "unit", "status": status, "org_id": cast.orgs[org].id, "asked_at": cast.now, "algorithm": "ES256"}
        if status == "issued":
            subject = SubjectName(common_name=cast.orgs[org].name)
            certificate, _file = trust.issue_with_key(
                authority="region", kind=CertificateKind.UNIT, subject=subject, passphrase="a passphrase", days=365, **wanted
            )
            facts["certificate_id"] = certificate.id
        row = apps.get_model("certificates.DigitalCertificate").objects.create(authority="region", days=365, **facts)
        return ids.encode("digital", row.pk)

    found = {status: (asked("school", status), asked("far_school", status)) for status in ("asked", "allowed", "issued")}
    lower = ids.encode("issued", trust.certificates_of_key("ca.lower")[0].id)
    same = {"authority": "region", "below": lower, "question": "AAAA", "trusted_root": ids.encode("root", root_id)}
    return found | {key: (value, value) for key, value in same.items()}


AREA = Area(DIGITAL, digital_places, EXCEPTIONS)
