"""Signed answers for machines are kept for a while, say the truth at once, and are not signed without end for one address."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import OCSPNonce, load_der_x509_certificate, ocsp
from django.core.cache import cache
from django.test import Client
from tests.cast import Cast

from shuren.certificates.models import Certificate
from shuren.certificates.services import present
from shuren.certificates.services.present import status_list
from shuren.certificates.services.revoke import revoke_certificate
from shuren.certificates.views import pki
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from shuren.trust.data import CertificateKind, KeyAlgorithm, SubjectName


@pytest.fixture(autouse=True)
def fresh() -> None:
    cache.clear()


def test_a_status_list_is_signed_again_when_something_was_revoked(
    cast: Cast, certificate_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = Certificate.objects.get(pk=certificate_id)
    signed: list[object] = []
    proved = present.proved

    def counted(*arguments: Any, **more: Any) -> Any:
        signed.append(more)
        return proved(*arguments, **more)

    monkeypatch.setattr(present, "proved", counted)
    before = [status_list(row.status_list_id, now=cast.now + timedelta(seconds=second)) for second in range(3)]
    assert len(signed) == 1
    assert before[0] == before[2]
    answer = Client().get(f"/status-lists/{row.status_list_id}")
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    revoke_certificate(actor=cast.actor("school_admin"), certificate_id=row.pk, reason="发错了", now=cast.now)
    after = status_list(row.status_list_id, now=cast.now + timedelta(seconds=4))
    assert after["credentialSubject"]["encodedList"] != before[0]["credentialSubject"]["encodedList"]
    assert len(signed) == 2


@pytest.fixture
def question(cast: Cast) -> Any:
    wanted: dict[str, Any] = {"algorithm": KeyAlgorithm.ES256, "actor": SYSTEM, "now": cast.now}
    trust.found_authority(code="region", title="云杉省教育证书", **wanted)
    facts, _file = trust.issue_with_key(
        authority="region",
        kind=CertificateKind.UNIT,
        subject=SubjectName(common_name="x"),
        passphrase="a passphrase",
        days=9,
        **wanted,
    )
    pair = [load_der_x509_certificate(der) for der in (facts.der, trust.authority("region").chain[0])]

    def made(nonce: bytes = b"") -> bytes:
        builder = ocsp.OCSPRequestBuilder().add_certificate(pair[0], pair[1], hashes.SHA256())
        if nonce:
            builder = builder.add_extension(OCSPNonce(nonce), critical=False)
        return builder.build().public_bytes(serialization.Encoding.DER)

    return made


def test_caches_between_may_keep_what_serves_others(question: Any) -> None:
    def headers(content: bytes) -> str:
        text = base64.b64encode(content).decode().replace("/", "%2F").replace("+", "%2B")
        return str(Client().get(f"/pki/region/ocsp/{text}").headers["Cache-Control"])

    assert headers(question()) == "max-age=300, public, no-transform, must-revalidate"
    assert headers(question(b"n" * 16)) == "no-store"
    assert headers(b"junk") == "no-store"
    posted = Client().post("/pki/region/ocsp", question(), content_type="application/ocsp-request")
    assert posted.headers["Cache-Control"] == "no-store"


def test_one_address_does_not_have_us_sign_without_end(question: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pki, "_SIGNED_PER_MINUTE", 3)
    client = Client(REMOTE_ADDR="10.1.2.4")
    kind = "application/ocsp-request"
    answers = [client.post("/pki/region/ocsp", question(b"n" * 16), content_type=kind).content for _turn in range(8)]
    states = [ocsp.load_der_ocsp_response(answer).response_status.name for answer in answers]
    assert states[:3] == ["SUCCESSFUL"] * 3
    assert "TRY_LATER" in states[3:]
    stamps = [client.post("/pki/timestamp", b"", content_type="application/timestamp-query").status_code for _turn in range(8)]
    assert 429 in stamps
    other = Client(REMOTE_ADDR="10.1.2.5").post("/pki/region/ocsp", question(b"n" * 16), content_type=kind).content
    assert ocsp.load_der_ocsp_response(other).response_status.name == "SUCCESSFUL"
