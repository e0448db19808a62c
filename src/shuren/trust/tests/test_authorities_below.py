"""Authorities below others: on record, revocable, and told by the authority above; OpenSSL is asked, and answers are kept."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import ocsp
from django.apps import apps

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.trust import api
from shuren.trust.data import CertificateFacts, CertificateKind, KeyAlgorithm, RevocationReason
from shuren.trust.services.authority import publish
from shuren.trust.tests.test_authorities import ALGORITHMS, NOW, ask, issued, openssl, two_authorities, written

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def address(settings: Any) -> None:
    settings.SHUREN_PUBLIC_URL = "https://edu.example"


def below(code: str = "region") -> CertificateFacts:
    (found,) = api.certificates_of_key(f"ca.{code}")
    return found


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_authority_below_is_on_record(algorithm: KeyAlgorithm) -> None:
    two_authorities(algorithm)
    found = below()
    assert (found.authority, found.kind, found.der) == ("root", CertificateKind.AUTHORITY, api.authority("region").chain[0])
    assert found.ends_at == api.authority("region").ends_at
    assert api.certificates_of_key("ca.root") == [], "a root answers for itself"
    leaf = issued(algorithm)
    assert api.validate_certificate(leaf.der, now=NOW).is_valid
    api.revoke_certificate(id=found.id, reason=RevocationReason.CA_COMPROMISE, actor=SYSTEM, now=NOW)
    assert api.validate_certificate(leaf.der, now=NOW).faults == ("revoked",)
    with pytest.raises(Conflict):
        issued(algorithm)
    with pytest.raises(Conflict):
        api.found_authority(code="lower", title="县", algorithm=algorithm, parent="region", actor=SYSTEM, now=NOW)


def test_what_stands_below_a_revoked_one_issues_nothing_either() -> None:
    two_authorities(KeyAlgorithm.ES256)
    api.found_authority(code="lower", title="县", algorithm=KeyAlgorithm.ES256, parent="region", actor=SYSTEM, now=NOW)
    leaf = issued(authority="lower")
    api.revoke_certificate(id=below().id, reason=RevocationReason.CESSATION_OF_OPERATION, actor=SYSTEM, now=NOW)
    assert "revoked" in api.validate_certificate(leaf.der, now=NOW).faults
    with pytest.raises(Conflict):
        issued(authority="lower")
    wanted = {"algorithm": KeyAlgorithm.ES256, "kind": CertificateKind.DOCUMENT, "common_name": "印章", "now": NOW}
    (_own, root) = api.own_chain(key="seal", **wanted)  # type: ignore[arg-type]
    assert root == api.authority("root").chain[0]


def test_openssl_hears_of_it_from_the_authority_above(tmp_path: Path) -> None:
    two_authorities(KeyAlgorithm.ES256)
    written(tmp_path, issued())
    asking = ["-issuer", "root.pem", "-cert", "region.pem"]
    openssl(tmp_path, "ocsp", *asking, "-reqout", "q.der", "-no_nonce")

    def states() -> tuple[str, bool]:
        now = datetime.now(UTC)
        (tmp_path / "a.der").write_bytes(api.answer_ocsp("root", (tmp_path / "q.der").read_bytes(), now=now))
        answer = openssl(tmp_path, "ocsp", *asking, "-respin", "a.der", "-no_nonce", "-CAfile", "root.pem")
        lists = ""
        for code in ("root", "region"):
            (tmp_path / f"{code}.crl").write_bytes(api.crl_of(code, now=now))
            lists += openssl(tmp_path, "crl", "-inform", "DER", "-in", f"{code}.crl")
        (tmp_path / "lists.pem").write_text(lists)
        check = [
            "verify",
            "-crl_check_all",
            "-CRLfile",
            "lists.pem",
            "-CAfile",
            "root.pem",
            "-untrusted",
            "region.pem",
            "leaf.pem",
        ]
        is_refused = "revoked" in answer
        text = openssl(tmp_path, *check, fails=is_refused)
        assert ("certificate revoked" in text) == is_refused
        return answer, is_refused

    answer, is_refused = states()
    assert "region.pem: good" in answer
    assert not is_refused
    api.revoke_certificate(id=below().id, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=NOW - timedelta(minutes=1))
    answer, is_refused = states()
    assert "region.pem: revoked" in answer
    assert "superseded" in answer
    assert is_refused


def test_those_founded_before_are_entered() -> None:
    two_authorities(KeyAlgorithm.SM2)
    before = below()
    rows = apps.get_model("trust.Certificate").objects
    kept = list(
        rows.filter(pk=before.id).values("authority_id", "kind", "serial", "subject", "spki_digest", "begins_at", "ends_at")
    )
    rows.filter(pk=before.id).delete()
    enter = import_module("shuren.trust.migrations.0007_authorities_below_on_record").keep_authorities
    enter(apps, None)
    enter(apps, None)
    after = below()
    assert list(rows.filter(pk=after.id).values(*kept[0])) == kept
    assert after.der == before.der


def test_an_answer_without_a_nonce_is_signed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_authorities(KeyAlgorithm.ES256)
    found = issued()
    question, fresh = ask(tmp_path, found, nonce=False), ask(tmp_path, found)
    signed: list[datetime] = []
    build = publish.build_ocsp

    def counted(*arguments: Any, **more: Any) -> bytes:
        signed.append(more["now"])
        return build(*arguments, **more)

    monkeypatch.setattr(publish, "build_ocsp", counted)
    answers = [api.answer_ocsp("region", question, now=NOW + timedelta(seconds=second)) for second in range(5)]
    assert (len(signed), len(set(answers))) == (1, 1)
    for second in range(3):
        api.answer_ocsp("region", fresh, now=NOW + timedelta(seconds=second))
    assert len(signed) == 4, "a nonce wants an answer of its own"
    api.revoke_certificate(id=found.id, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=NOW)
    told = ocsp.load_der_ocsp_response(api.answer_ocsp("region", question, now=NOW + timedelta(seconds=9)))
    assert told.certificate_status.name == "REVOKED"
