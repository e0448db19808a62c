"""Regions below certified on a page, authorities taken back, and the page on which anybody checks a certificate."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import resolve, reverse
from tests.cast import Cast, build_cast

from shuren.certificates.models import CertifiedRegion, DigitalCertificate
from shuren.certificates.rules.requests import key_fingerprint
from shuren.certificates.services.certify_region import certify_region
from shuren.certificates.services.digital import allow_certificate
from shuren.certificates.views import pki
from shuren.identity.data import Purpose
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.doors import purpose_of
from shuren.kernel.errors import Conflict, Refused
from shuren.kernel.models import AuditEntry, Event
from shuren.trust import api as trust
from shuren.trust.data import CertificateKind, KeyAlgorithm, SubjectName

pytestmark = pytest.mark.django_db
CERTIFY = "/authorities/region/certify/"


@pytest.fixture
def cast() -> Cast:
    cache.clear()
    found = build_cast()
    wanted: dict[str, Any] = {"algorithm": KeyAlgorithm.ES256, "actor": SYSTEM, "now": found.now}
    trust.found_authority(code="root", title="云杉省根证书", **wanted)
    trust.found_authority(code="region", title="云杉省教育证书", parent="root", **wanted)
    return found


def openssl(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)
    text = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, text
    return text


def request_of(folder: Path, name: str = "/C=CN/O=Linjiang/CN=Linjiang Education") -> bytes:
    new = ["-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k.pem", "-subj", name, "-utf8"]
    openssl(folder, "req", *new, "-out", "r.pem")
    return (folder / "r.pem").read_bytes()


def upload(client: Client, content: bytes, address: str = CERTIFY, field: str = "request", **fields: str) -> str:
    cache.clear()
    return client.post(address, {**fields, field: SimpleUploadedFile("a.pem", content)}).content.decode()


def below(title: str) -> str:
    row = CertifiedRegion.objects.get(title=title)
    return ids.encode("issued", row.certificate_id)


def test_a_region_is_certified_after_its_fingerprint_was_compared(cast: Cast, tmp_path: Path) -> None:
    keeper, content = cast.client("security_admin"), request_of(tmp_path)
    page = upload(keeper, content, title="临江市", days="730")
    fingerprint = key_fingerprint(trust.spki_of_request(content))
    assert "Linjiang Education" in page
    assert fingerprint in page
    assert not CertifiedRegion.objects.exists(), "nothing is certified before somebody compared"
    start = page.index('name="request_text" value="') + len('name="request_text" value="')
    said = {"title": "临江市", "days": "730", "request_text": page[start : page.index('"', start)]}
    assert fingerprint in keeper.post(CERTIFY, said).content.decode(), "it stays on the page"
    assert not CertifiedRegion.objects.exists()
    assert keeper.post(CERTIFY, {**said, "is_compared": "on"}).status_code == 302
    assert "临江市" in keeper.get("/authorities/").content.decode()
    assert AuditEntry.objects.filter(action="certificates.region_certified").count() == 1
    assert Event.objects.filter(name="certificates.region_certified").count() == 1
    chain = keeper.get(f"/authorities/below/{below('临江市')}/chain.pem").content
    names = [trust.subject_text(der) for der in trust.certificates_in(chain)]
    assert names[0] == "CN=Linjiang Education,O=Linjiang,C=CN", "the name is theirs, so that what they issued stays good"
    leaf = certified_by_them(tmp_path, chain)
    assert "leaf.pem: OK" in openssl(tmp_path, "verify", "-CAfile", "root.pem", "-untrusted", "chain.pem", "leaf.pem")
    assert "这张证书有效" in upload(Client(), leaf, "/pki/check/", "certificate")
    address = f"/authorities/below/{below('临江市')}/revoke/"
    assert "不能恢复" in keeper.get(address).content.decode()
    assert keeper.post(address, {"reason": "ca_compromise"}).status_code == 302
    assert "这张证书已经吊销" in keeper.post(address, {"reason": "ca_compromise"}).content.decode()
    page = upload(Client(), leaf, "/pki/check/", "certificate")
    assert "这张证书不可信" in page
    assert "已被吊销" in page
    (tmp_path / "list.crl").write_bytes(Client().get("/pki/region.crl").content)
    assert "CA Compromise" in openssl(tmp_path, "crl", "-inform", "DER", "-in", "list.crl", "-noout", "-text")


def certified_by_them(folder: Path, chain: bytes) -> bytes:
    """A leaf that the region below issued with its own key, followed by its chain."""
    (folder / "chain.pem").write_bytes(chain)
    (folder / "root.pem").write_text(trust.pem_chain([trust.authority("root").chain[0]]))
    (folder / "ca.pem").write_text(trust.pem_chain(trust.certificates_in(chain)[:1]))
    new = ["-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "l.pem", "-subj", "/CN=teacher"]
    openssl(folder, "req", *new, "-out", "l.csr")
    openssl(folder, "x509", "-req", "-in", "l.csr", "-CA", "ca.pem", "-CAkey", "k.pem", "-days", "30", "-out", "leaf.pem")
    return (folder / "leaf.pem").read_bytes() + chain


def test_what_is_not_certified(cast: Cast, tmp_path: Path) -> None:
    keeper = cast.client("security_admin")
    for content, words in (
        (b"junk", "申请文件不可用"),
        (trust.authority_request("region"), "自己的申请文件"),
        (request_of(tmp_path, "/CN=云杉省根证书"), "名称与本平台的证书机构"),
        (request_of(tmp_path, "/O=Nobody"), "申请里的名称不能用"),
        (request_of(tmp_path, "/CN=x/emailAddress=a@b.example"), "申请里的名称不能用"),
    ):
        assert words in upload(keeper, content, title="临江市", days="730"), words
    with pytest.raises(Refused):
        certify_region(
            actor=cast.actor("system_admin"),
            authority="region",
            title="临江市",
            request=request_of(tmp_path),
            days=30,
            now=cast.now,
        )
    assert not CertifiedRegion.objects.exists()
    assert cast.client("system_admin").get(CERTIFY).status_code == 403


def test_an_authority_of_our_own_is_taken_back(cast: Cast) -> None:
    keeper = cast.client("security_admin")
    (facts,) = trust.certificates_of_key("ca.region")
    address = f"/authorities/below/{ids.encode('issued', facts.id)}/revoke/"
    assert address in keeper.get("/authorities/").content.decode()
    assert cast.client("head").get(address).status_code == 403
    assert keeper.post(address, {"reason": "cessation_of_operation"}).status_code == 302
    assert "已吊销" in keeper.get("/authorities/").content.decode()
    assert "它签发的证书都不再有效" in Client().get("/pki/").content.decode()
    cast.client("teacher").post("/digital-certificates/ask/", {"kind": "person", "algorithm": "ES256"})
    asked = f"/digital-certificates/{ids.encode('digital', DigitalCertificate.objects.get().pk)}/allow/"
    assert 'value="region"' not in keeper.get(asked).content.decode()
    with pytest.raises(Conflict):
        allow_certificate(
            actor=cast.actor("security_admin"),
            id=DigitalCertificate.objects.get().pk,
            authority="region",
            days=30,
            now=cast.now,
        )
    leaf, _file = _person(cast, "root")
    other = ids.encode("issued", leaf)
    assert keeper.get(f"/authorities/below/{other}/revoke/").status_code == 404, "certificates of people have their own pages"


def _person(cast: Cast, authority: str) -> tuple[int, bytes]:
    facts, file = trust.issue_with_key(
        authority=authority,
        kind=CertificateKind.PERSON,
        subject=SubjectName(common_name="李晓敏"),
        algorithm=KeyAlgorithm.ES256,
        passphrase="long enough",
        days=30,
        actor=SYSTEM,
        now=cast.now,
    )
    return facts.id, file.content


def test_a_root_of_others_is_believed_and_said_to_be_theirs(cast: Cast, tmp_path: Path) -> None:
    new = [
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "k.pem",
        "-subj",
        "/CN=Next Door",
    ]
    openssl(tmp_path, "req", *new, "-addext", "keyUsage=critical,keyCertSign,cRLSign", "-out", "other.pem")
    root = trust.certificates_in((tmp_path / "other.pem").read_bytes())[0]
    leaf = certified_by_them(tmp_path, trust.pem_chain([root]).encode())
    page = upload(Client(), leaf, "/pki/check/", "certificate")
    assert "找不到可信的签发机构" in page
    trust.trust_root(title="邻省", certificate=root, fingerprint=trust.fingerprint_of(root), actor=SYSTEM, now=cast.now)
    page = upload(Client(), leaf, "/pki/check/", "certificate")
    assert "吊销情况未知" in page
    assert "邻省" in page
    assert "这张证书有效" not in page


def test_checking_takes_files_of_certificates_and_has_a_limit(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    person = trust.certificate(_person(cast, "region")[0])
    assert "这张证书有效" in upload(Client(), person.der, "/pki/check/", "certificate")
    for junk in (b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\x30\x03\x02\x01\x01"):
        assert "这不是证书文件" in upload(Client(), junk, "/pki/check/", "certificate")
    many = trust.pem_chain([person.der] * 11).encode()
    assert "最多 10 张证书" in upload(Client(), many, "/pki/check/", "certificate")
    monkeypatch.setattr(pki, "_CHECKS_PER_MINUTE", 2)
    client = Client(REMOTE_ADDR="10.1.2.3")
    answers = [client.post("/pki/check/", {"certificate": SimpleUploadedFile("a", person.der)}).status_code for _turn in range(5)]
    assert 429 in answers
    assert Client().get("/pki/check/").status_code == 200


@pytest.mark.parametrize("name", ["certify_region", "revoke_authority"])
def test_the_deciding_pages_ask_who_is_there(name: str) -> None:
    arguments = {"certify_region": ["region"], "revoke_authority": ["x"]}[name]
    assert purpose_of(resolve(reverse(f"certificates:{name}", args=arguments)).func) == Purpose.GRANT


def test_every_fault_has_its_words() -> None:
    known = {"expired", "not_yet", "revoked", "no_issuer", "too_long", "not_an_authority", "path_length", "unknown_extension"}
    assert known == pki._FAULTS.keys()
