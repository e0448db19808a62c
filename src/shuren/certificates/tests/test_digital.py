"""Digital certificates from asking to taking back, and what OpenSSL finds at the public addresses."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.cast import Cast, build_cast

from shuren.certificates.models.digital import AskedKind, DigitalCertificate
from shuren.certificates.services.digital import ask_certificate, remind_of_ends
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.kernel.models import AuditEntry, Event
from shuren.messaging import api as messaging
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm, RevocationReason

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast() -> Cast:
    found = build_cast()
    wanted: dict[str, Any] = {"algorithm": KeyAlgorithm.ES256, "actor": SYSTEM, "now": found.now}
    trust.found_authority(code="root", title="云杉省根证书", **wanted)
    trust.found_authority(code="region", title="云杉省教育证书", parent="root", **wanted)
    return found


def the_row() -> DigitalCertificate:
    return DigitalCertificate.objects.latest("pk")


def address(step: str = "") -> str:
    return f"/digital-certificates/{ids.encode('digital', the_row().pk)}/{step}"


def request_pem(folder: Path) -> str:
    new = ["-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "k.pem", "-subj", "/CN=boss"]
    subprocess.run(["openssl", "req", *new, "-out", "r.pem"], cwd=folder, check=True, capture_output=True)
    return (folder / "r.pem").read_text()


def test_a_teacher_asks_an_administrator_allows_the_teacher_fetches_once(cast: Cast) -> None:
    teacher, keeper = cast.client("teacher"), cast.client("security_admin")
    page = teacher.get("/digital-certificates/ask/").content.decode()
    assert "设备名称" not in page, "a teacher runs no unit"
    assert teacher.post("/digital-certificates/ask/", {"kind": "person", "algorithm": "ES256"}).status_code == 302
    assert "待审批" in teacher.get("/digital-certificates/").content.decode()
    assert cast.client("head").get(address()).status_code == 404
    assert "李晓敏" in keeper.get("/digital-certificates/").content.decode()
    assert keeper.post(address("allow/"), {"authority": "region", "days": "365"}).status_code == 302
    assert "批准" in messaging.notices_of(person_id=cast.people["teacher"].id).rows[0].title
    assert keeper.post(address("fetch/"), {"passphrase": "long enough"}).status_code == 404
    answer = teacher.post(address("fetch/"), {"passphrase": "long enough"})
    key, certificate, above = pkcs12.load_key_and_certificates(answer.content, b"long enough")
    assert key.public_key() == certificate.public_key()
    assert "no-store" in answer.headers["Cache-Control"]
    assert "CN=李晓敏,O=东湖区实验小学,C=CN" in certificate.subject.rfc4514_string(), "the school, not the class"
    assert len(above) == 2
    assert teacher.post(address("fetch/"), {"passphrase": "long enough"}).status_code == 409
    chain = teacher.get(address("certificate.pem")).content
    assert trust.validate_certificate(chain, now=cast.now + timedelta(hours=1)).is_valid
    assert teacher.post(address("revoke/"), {"reason": "key_compromise"}).status_code == 302
    assert trust.validate_certificate(chain, now=cast.now + timedelta(hours=1)).faults == ("revoked",)
    assert "已吊销" in teacher.get(address()).content.decode()
    actions = set(AuditEntry.objects.filter(action__startswith="certificates.").values_list("action", flat=True))
    expected = {f"certificates.digital_{step}" for step in ("asked", "allowed", "fetched", "revoked")}
    assert actions == expected
    assert expected <= set(Event.objects.values_list("name", flat=True))


def test_nobody_decides_about_themself(cast: Cast) -> None:
    keeper = cast.client("security_admin")
    keeper.post("/digital-certificates/ask/", {"kind": "person", "algorithm": "ES256"})
    assert keeper.get(address()).status_code == 200
    assert keeper.post(address("allow/"), {"authority": "region", "days": "365"}).status_code == 404


def test_nobody_decides_about_a_unit_they_asked_for(cast: Cast) -> None:
    """The one who asked for the school may have become a keeper of keys since."""
    cast.client("school_admin").post(
        "/digital-certificates/ask/", {"kind": "unit", "org": cast.orgs["school"].public_id, "algorithm": "ES256"}
    )
    asked = the_row()
    assert asked.asked_by is not None
    assert asked.person_id is None
    keeper = cast.client("security_admin")
    DigitalCertificate.objects.filter(pk=asked.pk).update(asked_by=cast.actor("security_admin").account_id)
    assert keeper.post(address("allow/"), {"authority": "region", "days": "365"}).status_code == 404
    DigitalCertificate.objects.filter(pk=asked.pk).update(asked_by=asked.asked_by)
    assert keeper.post(address("allow/"), {"authority": "region", "days": "365"}).status_code == 302


def test_whoever_runs_a_unit_hears_of_its_certificates(cast: Cast, tmp_path: Path) -> None:
    admin, keeper = cast.client("school_admin"), cast.client("security_admin")
    fields = {"kind": "device", "org": cast.orgs["school"].public_id, "device": "东门闸机", "algorithm": "ES256"}
    admin.post("/digital-certificates/ask/", {**fields, "request": request_pem(tmp_path)})
    keeper.post(address("allow/"), {"authority": "region", "days": "90"})

    def titles(role: str) -> list[str]:
        return [notice.title for notice in messaging.notices_of(person_id=cast.people[role].id).rows]

    assert [title for title in titles("school_admin") if "东门闸机" in title and "批准" in title]
    assert remind_of_ends(now=cast.now + timedelta(days=70)) == 1
    assert [title for title in titles("school_admin") if "东门闸机" in title and "到期" in title]
    assert not [title for role in ("teacher", "head", "city_officer") for title in titles(role) if "东门闸机" in title]


def test_a_school_certifies_its_own_key_for_a_device(cast: Cast, tmp_path: Path) -> None:
    admin, keeper = cast.client("school_admin"), cast.client("security_admin")
    fields = {
        "kind": "device",
        "org": cast.orgs["school"].public_id,
        "device": "东门闸机",
        "dns_name": "gate.school.example",
        "algorithm": "ES256",
        "request": request_pem(tmp_path),
    }
    assert "没有填设备名称" in admin.post("/digital-certificates/ask/", {**fields, "device": ""}).content.decode()
    assert "申请文件不可用" in admin.post("/digital-certificates/ask/", {**fields, "request": "junk"}).content.decode()
    foreign = {**fields, "org": cast.orgs["far_school"].public_id}
    assert admin.post("/digital-certificates/ask/", foreign).status_code == 200
    assert not DigitalCertificate.objects.exists()
    assert admin.post("/digital-certificates/ask/", fields).status_code == 302
    page = keeper.get(address("allow/")).content.decode()
    assert "<h2>gate.school.example</h2>" in page, "what is certified stands above the fields"
    decision = {"authority": "region", "days": "90"}
    assert keeper.post(address("allow/"), decision).status_code == 200
    for domain in ("other.example", "example.school", "ate.school.example", "example", "chool.example"):
        refused = keeper.post(address("allow/"), {**decision, "domain": domain})
        assert "不在您核实的域名下" in refused.content.decode(), domain
    assert keeper.post(address("allow/"), {**decision, "domain": "School.example"}).status_code == 302
    (allowed,) = AuditEntry.objects.filter(action="certificates.digital_allowed")
    assert (allowed.details["dns_name"], allowed.details["domain"]) == ("gate.school.example", "School.example")
    (tmp_path / "c.pem").write_bytes(admin.get(address("certificate.pem")).content)
    show = ["openssl", "x509", "-in", "c.pem", "-noout", "-text", "-nameopt", "utf8"]
    shown = subprocess.run(show, cwd=tmp_path, capture_output=True, check=True, text=True).stdout
    assert "CN=东门闸机" in shown
    assert "DNS:gate.school.example" in shown
    assert "boss" not in shown


@pytest.mark.parametrize(
    ("name", "device"),
    [("edu.example", "门"), ("www.edu.example", "门"), ("gate.school.example", "EDU.example."), ("", "edu.example")],
)
def test_nobody_gets_a_certificate_for_the_platform_itself(cast: Cast, settings: Any, name: str, device: str) -> None:
    settings.SHUREN_PUBLIC_URL = "https://edu.example:8443"
    wanted = {"kind": "device", "org": cast.orgs["school"].public_id, "algorithm": "ES256", "dns_name": name, "device": device}
    answer = cast.client("school_admin").post("/digital-certificates/ask/", wanted)
    assert "本平台自己的域名" in answer.content.decode()
    assert not DigitalCertificate.objects.exists()


def test_neither_does_an_asking_from_before_the_address_was_known(cast: Cast, settings: Any) -> None:
    fields = {"kind": "device", "org": cast.orgs["school"].public_id, "device": "东门闸机", "algorithm": "ES256"}
    cast.client("school_admin").post("/digital-certificates/ask/", {**fields, "dns_name": "a.edu.example"})
    settings.SHUREN_PUBLIC_URL = "https://edu.example"
    decision = {"authority": "region", "days": "90", "domain": "edu.example"}
    answer = cast.client("security_admin").post(address("allow/"), decision)
    assert (answer.status_code, the_row().status) == (403, "asked")


def test_refusal_and_withdrawal(cast: Cast) -> None:
    teacher, keeper = cast.client("teacher"), cast.client("security_admin")
    teacher.post("/digital-certificates/ask/", {"kind": "person", "algorithm": "SM2"})
    assert keeper.post(address("refuse/"), {"reason": ""}).status_code == 200
    assert keeper.post(address("refuse/"), {"reason": "请到窗口核对身份"}).status_code == 302
    assert "请到窗口核对身份" in teacher.get(address()).content.decode()
    assert keeper.post(address("allow/"), {"authority": "region", "days": "90"}).status_code == 409
    teacher.post("/digital-certificates/ask/", {"kind": "person", "algorithm": "SM2"})
    assert teacher.post(address("withdraw/")).status_code == 302
    assert the_row().status == "withdrawn"


def test_renewal_near_the_end_and_one_reminder(cast: Cast) -> None:
    cast.client("teacher").post("/digital-certificates/ask/", {"kind": "person", "algorithm": "ES256"})
    first = the_row()
    cast.client("security_admin").post(address("allow/"), {"authority": "region", "days": "90"})
    cast.client("teacher").post(address("fetch/"), {"passphrase": "long enough"})
    actor = cast.actor("teacher")
    wanted: dict[str, Any] = {
        "actor": actor,
        "kind": AskedKind.PERSON,
        "org_id": None,
        "device": "",
        "dns_name": "",
        "algorithm": KeyAlgorithm.ES256,
        "request": "",
        "renews": first.pk,
    }
    with pytest.raises(Conflict, match="还早"):
        ask_certificate(**wanted, now=cast.now)
    later = cast.now + timedelta(days=70)
    again = DigitalCertificate.objects.get(pk=ask_certificate(**wanted, now=later))
    assert (again.person_id, again.renews_id) == (cast.people["teacher"].id, first.pk)
    assert remind_of_ends(now=cast.now) == 0
    assert remind_of_ends(now=later) == 1
    assert remind_of_ends(now=later + timedelta(days=1)) == 0
    assert AuditEntry.objects.filter(action="certificates.digital_reminded").count() == 1
    assert "到期" in messaging.notices_of(person_id=actor.person_id or 0).rows[0].title


def test_the_security_administrator_founds_and_trusts(cast: Cast) -> None:
    keeper = cast.client("security_admin")
    fields = {"title": "云杉省国密证书", "code": "national", "parent": "", "algorithm": "SM2", "years": "10"}
    assert keeper.post("/authorities/new/", fields).status_code == 302
    assert "已有代码" in keeper.post("/authorities/new/", fields).content.decode()
    assert "云杉省国密证书" in keeper.get("/authorities/").content.decode()
    assert keeper.get("/authorities/national/request/").content.startswith(b"-----BEGIN CERTIFICATE REQUEST")
    root = trust.authority("national").chain[0]
    wrong = {"title": "邻省", "fingerprint": "00", "certificate": SimpleUploadedFile("root.cer", root)}
    assert "指纹与文件不符" in keeper.post("/authorities/roots/new/", wrong).content.decode()
    right = {**wrong, "fingerprint": trust.fingerprint_of(root), "certificate": SimpleUploadedFile("root.cer", root)}
    assert keeper.post("/authorities/roots/new/", right).status_code == 302
    assert "邻省" in Client().get("/pki/").content.decode()
    id = apps.get_model("trust.TrustedRoot").objects.get().pk
    assert keeper.post(f"/authorities/roots/{ids.encode('root', id)}/distrust/").status_code == 302
    bad = {"chain": SimpleUploadedFile("chain.pem", b"junk")}
    assert "这不是证书文件" in keeper.post("/authorities/national/accept/", bad).content.decode()


@pytest.mark.django_db(transaction=True)
def test_openssl_asks_the_live_server(cast: Cast, live_server: Any, tmp_path: Path) -> None:
    admin = cast.client("school_admin")
    fields = {"kind": "unit", "org": cast.orgs["school"].public_id, "algorithm": "ES256", "request": request_pem(tmp_path)}
    admin.post("/digital-certificates/ask/", fields)
    cast.client("security_admin").post(address("allow/"), {"authority": "region", "days": "90"})
    (tmp_path / "c.pem").write_bytes(admin.get(address("certificate.pem")).content)
    (tmp_path / "data").write_text("a diploma")

    def openssl(*arguments: str) -> str:
        done = subprocess.run(["openssl", *arguments], cwd=tmp_path, capture_output=True, check=False)
        text = (done.stdout + done.stderr).decode()
        assert done.returncode == 0, text
        return text

    for code in ("root", "region"):
        der = Client().get(f"/pki/{code}.cer").content
        (tmp_path / f"{code}.pem").write_text(trust.pem_chain([der]))
    ask = ["ocsp", "-url", f"{live_server.url}/pki/region/ocsp", "-issuer", "region.pem", "-cert", "c.pem"]
    ask += ["-CAfile", "root.pem", "-verify_other", "region.pem"]
    assert "c.pem: good" in (text := openssl(*ask))
    assert "Response verify OK" in text
    trust.revoke_certificate(
        id=the_row().certificate_id or 0, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=cast.now + timedelta(minutes=1)
    )
    assert "c.pem: revoked" in openssl(*ask)
    (tmp_path / "list.crl").write_bytes(Client().get("/pki/region.crl").content)
    assert "Superseded" in openssl("crl", "-inform", "DER", "-in", "list.crl", "-noout", "-text", "-CAfile", "region.pem")
    openssl("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q.tsq")
    query = (tmp_path / "q.tsq").read_bytes()
    answer = Client().post("/pki/timestamp", query, content_type="application/timestamp-query")
    assert answer.headers["Content-Type"] == "application/timestamp-reply"
    (tmp_path / "a.tsr").write_bytes(answer.content)
    assert "Verification: OK" in openssl("ts", "-verify", "-in", "a.tsr", "-queryfile", "q.tsq", "-CAfile", "root.pem")
