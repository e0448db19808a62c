"""Certificates, lists, answers and timestamps, read and checked by OpenSSL and `cryptography`, which are not ours."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry
from shuren.trust import api
from shuren.trust.data import (
    CertificateFacts,
    CertificateKind,
    DigestAlgorithm,
    KeyAlgorithm,
    RevocationReason,
    SignatureForm,
    SubjectName,
)
from shuren.trust.rules.signing import SoftwareSigner, in_form, made_pkcs8, pem_of
from shuren.trust.rules.x509.requests import NotARequest, build_request, read_request
from shuren.trust.rules.x509.timestamps import POLICY_OID, read_token

pytestmark = pytest.mark.django_db
NOW = datetime.now(UTC).replace(microsecond=0)
SM2_STAMPS = "trust.timestamp.sm2"
ALGORITHMS = [KeyAlgorithm.ES256, KeyAlgorithm.SM2, KeyAlgorithm.RS256, KeyAlgorithm.ED25519]
LADY = SubjectName(common_name="李老师", organization="育才小学", unit="数学组", serial_number="P0001")


@pytest.fixture(autouse=True)
def address(settings: Any) -> None:
    settings.SHUREN_PUBLIC_URL = "https://edu.example"


def request_for(algorithm: KeyAlgorithm) -> bytes:
    pkcs8 = made_pkcs8(algorithm)
    signer = SoftwareSigner(pkcs8, algorithm)

    def pen(data: bytes) -> bytes:
        raw = signer.sign(data)
        return in_form(raw, algorithm=algorithm, form=SignatureForm.DER)

    der = build_request(subject=SubjectName(common_name="wish"), spki=signer.spki, algorithm=algorithm, sign=pen)
    return pem_of(der, "CERTIFICATE REQUEST").encode()


def two_authorities(algorithm: KeyAlgorithm) -> None:
    api.found_authority(code="root", title="树人根证书", algorithm=algorithm, actor=SYSTEM, now=NOW)
    api.found_authority(
        code="region", title="云杉市教育证书", algorithm=algorithm, parent="root", actor=SYSTEM, now=NOW, years=10
    )


def issued(algorithm: KeyAlgorithm = KeyAlgorithm.ES256, **changes: Any) -> CertificateFacts:
    wanted = {"authority": "region", "kind": CertificateKind.PERSON, "subject": LADY, "days": 365, "actor": SYSTEM, "now": NOW}
    return api.issue_certificate(**{**wanted, "request": request_for(algorithm), **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def pem(*ders: bytes) -> str:
    return "".join(pem_of(der, "CERTIFICATE") for der in ders)


def openssl(folder: Path, *arguments: str, data: bytes | None = None, fails: bool = False) -> str:
    done = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, input=data, check=False)
    text = (done.stdout + done.stderr).decode(errors="replace")
    assert (done.returncode != 0) == fails, text
    return text


def verify_links(folder: Path, algorithm: KeyAlgorithm, leaf: str, above: str, root: str) -> None:
    if algorithm is not KeyAlgorithm.SM2:
        arguments = ["-x509_strict", "-CAfile", f"{root}.pem", "-untrusted", f"{above}.pem", f"{leaf}.pem"]
        assert f"{leaf}.pem: OK" in openssl(folder, "verify", *arguments)
        return
    # The command gives the id of GM/T 0009 to the first certificate only, and none to others: link by link, then.
    for one, other in ((leaf, above), (above, root)):
        arguments = ["-vfyopt", "distid:1234567812345678", "-partial_chain", "-trusted", f"{other}.pem", f"{one}.pem"]
        assert f"{one}.pem: OK" in openssl(folder, "verify", *arguments)
    assert "signature failure" in openssl(
        folder, "verify", "-partial_chain", "-trusted", f"{above}.pem", f"{leaf}.pem", fails=True
    )


def written(folder: Path, found: CertificateFacts) -> None:
    region, root = api.authority("region").chain
    for name, text in {"leaf": pem(found.der), "region": pem(region), "root": pem(root)}.items():
        (folder / f"{name}.pem").write_text(text)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_openssl_verifies_the_chain(folder: Path, algorithm: KeyAlgorithm) -> None:
    two_authorities(algorithm)
    written(folder, issued(algorithm))
    verify_links(folder, algorithm, "leaf", "region", "root")
    shown = openssl(folder, "x509", "-in", "leaf.pem", "-noout", "-text", "-nameopt", "utf8")
    for expected in (
        "CN=李老师",
        "OU=数学组",
        "CA:FALSE",
        "Digital Signature, Non Repudiation",
        "TLS Web Client Authentication",
        "https://edu.example/pki/region.crl",
        "OCSP - URI:https://edu.example/pki/region/ocsp",
    ):
        assert expected in shown, shown
    if algorithm is KeyAlgorithm.SM2:
        assert "SM2-with-SM3" in shown
        assert "ASN1 OID: SM2" in shown


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_our_own_check_of_the_chain(algorithm: KeyAlgorithm) -> None:
    two_authorities(algorithm)
    found = issued(algorithm)
    verdict = api.validate_certificate(pem(found.der).encode(), now=NOW)
    assert verdict.is_valid, verdict
    assert [subject.split(",")[0] for subject in verdict.subjects][1:] == ["CN=云杉市教育证书", "CN=树人根证书"]
    assert api.validate_certificate(found.der, now=found.ends_at + timedelta(seconds=1)).faults == ("expired",)
    assert "not_yet" in api.validate_certificate(found.der, now=NOW - timedelta(days=1)).faults
    changed = bytearray(found.der)
    changed[found.der.index("李老师".encode()) + 2] ^= 1
    assert "no_issuer" in api.validate_certificate(bytes(changed), now=NOW).faults
    api.revoke_certificate(id=found.id, reason=RevocationReason.KEY_COMPROMISE, actor=SYSTEM, now=NOW)
    assert api.validate_certificate(found.der, now=NOW).faults == ("revoked",)


def test_no_changed_byte_of_a_certificate_is_believed() -> None:
    two_authorities(KeyAlgorithm.ES256)
    der = issued().der
    for place in range(0, len(der), 5):
        changed = bytearray(der)
        changed[place] ^= 1
        try:
            assert not api.validate_certificate(bytes(changed), now=NOW).is_valid, place
        except api.NotACertificate:
            continue


def test_a_certificate_of_a_person_certifies_nobody(folder: Path) -> None:
    two_authorities(KeyAlgorithm.ES256)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "boss")])
    csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    lady = issued(request=csr.public_bytes(serialization.Encoding.PEM))
    forged = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.load_der_x509_certificate(lady.der).subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    chain = pem(forged.public_bytes(serialization.Encoding.DER), lady.der).encode()
    assert "not_an_authority" in api.validate_certificate(chain, now=NOW).faults


def test_what_nobody_here_trusts_is_not_valid() -> None:
    two_authorities(KeyAlgorithm.ES256)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    root = builder.sign(key, hashes.SHA256())
    der = root.public_bytes(serialization.Encoding.DER)
    assert api.validate_certificate(der, now=NOW).faults == ("no_issuer",)
    print_of_root = root.fingerprint(hashes.SHA256()).hex(":")
    with pytest.raises(Invalid, match="指纹"):
        api.trust_root(title="邻市", certificate=der, fingerprint="00" * 32, actor=SYSTEM, now=NOW)
    with pytest.raises(Invalid, match="恰好一张"):
        api.trust_root(title="邻市", certificate=b"x", fingerprint=print_of_root, actor=SYSTEM, now=NOW)
    with pytest.raises(Invalid, match="自签"):
        api.trust_root(title="x", certificate=issued().der, fingerprint=print_of_root, actor=SYSTEM, now=NOW)
    id = api.trust_root(title="邻市", certificate=der, fingerprint=print_of_root.upper(), actor=SYSTEM, now=NOW)
    assert api.validate_certificate(der, now=NOW).is_valid
    with pytest.raises(Conflict):
        api.trust_root(title="邻市", certificate=der, fingerprint=print_of_root, actor=SYSTEM, now=NOW)
    api.distrust_root(id=id, actor=SYSTEM, now=NOW)
    assert not api.validate_certificate(der, now=NOW).is_valid
    with pytest.raises(NotFound):
        api.distrust_root(id=id, actor=SYSTEM, now=NOW)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_request_proves_possession(algorithm: KeyAlgorithm) -> None:
    text = request_for(algorithm)
    assert read_request(text).algorithm is algorithm
    broken = bytearray(read_der(text))
    broken[-1] ^= 1
    for bad in (b"", b"no request", bytes(broken), b"x" * 20_000, pem(b"").encode()):
        with pytest.raises(NotARequest):
            read_request(bad)


def read_der(text: bytes) -> bytes:
    return subprocess.run(["openssl", "req", "-outform", "DER"], input=text, capture_output=True, check=True).stdout


def test_weak_keys_are_not_certified(folder: Path) -> None:
    for arguments in (["rsa:1024"], ["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]):
        openssl(folder, "req", "-new", "-newkey", *arguments, "-nodes", "-keyout", "k.pem", "-subj", "/CN=x", "-out", "r.pem")
        with pytest.raises(NotARequest):
            read_request((folder / "r.pem").read_bytes())
    openssl(
        folder, "req", "-new", "-newkey", "rsa:2048", "-sha1", "-nodes", "-keyout", "k.pem", "-subj", "/CN=x", "-out", "r.pem"
    )
    with pytest.raises(NotARequest):
        read_request((folder / "r.pem").read_bytes())


def test_the_name_that_was_wished_is_not_certified() -> None:
    two_authorities(KeyAlgorithm.ES256)
    assert "wish" not in issued().subject
    assert issued().subject == "CN=李老师,OU=数学组,O=育才小学,C=CN,serialNumber=P0001"


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ES256, KeyAlgorithm.SM2])
def test_openssl_reads_the_revocation_list(folder: Path, algorithm: KeyAlgorithm) -> None:
    two_authorities(algorithm)
    good, bad = issued(algorithm), issued(algorithm)
    first = api.crl_of("region", now=NOW)
    assert api.crl_of("region", now=NOW + timedelta(days=1)) == first
    api.revoke_certificate(id=bad.id, reason=RevocationReason.KEY_COMPROMISE, actor=SYSTEM, now=NOW)
    second = api.crl_of("region", now=NOW)
    (folder / "list.crl").write_bytes(second)
    written(folder, good)
    shown = openssl(folder, "crl", "-inform", "DER", "-in", "list.crl", "-noout", "-text")
    assert bad.serial.upper() in shown
    assert "Key Compromise" in shown
    assert "X509v3 CRL Number: \n                2" in shown
    if algorithm is KeyAlgorithm.SM2:
        return
    assert "verify OK" in openssl(folder, "crl", "-inform", "DER", "-in", "list.crl", "-noout", "-CAfile", "region.pem")
    openssl(folder, "crl", "-inform", "DER", "-in", "list.crl", "-out", "list.pem")
    checks = ["-crl_check", "-CRLfile", "list.pem", "-CAfile", "root.pem", "-untrusted", "region.pem"]
    assert "leaf.pem: OK" in openssl(folder, "verify", *checks, "leaf.pem")
    (folder / "bad.pem").write_text(pem(bad.der))
    assert "certificate revoked" in openssl(folder, "verify", *checks, "bad.pem", fails=True)
    renewed = x509.load_der_x509_crl(api.crl_of("region", now=NOW + timedelta(days=5)))
    assert renewed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3


def ask(folder: Path, serial: CertificateFacts, *, digest: str = "sha256", nonce: bool = True) -> bytes:
    written(folder, serial)
    extra = [] if nonce else ["-no_nonce"]
    openssl(folder, "ocsp", f"-{digest}", "-issuer", "region.pem", "-cert", "leaf.pem", "-reqout", "q.der", *extra)
    return (folder / "q.der").read_bytes()


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
@pytest.mark.parametrize("nonce", [True, False])
def test_openssl_believes_the_answers(folder: Path, digest: str, nonce: bool) -> None:
    two_authorities(KeyAlgorithm.ES256)
    found = issued()
    question = ask(folder, found, digest=digest, nonce=nonce)

    def answered() -> str:
        (folder / "a.der").write_bytes(api.answer_ocsp("region", question, now=datetime.now(UTC)))
        # Without -no_nonce the command would put a fresh one into the question that it reads.
        arguments = ["-respin", "a.der", "-reqin", "q.der", "-no_nonce", "-CAfile", "root.pem", "-verify_other", "region.pem"]
        return openssl(folder, "ocsp", *arguments, f"-{digest}", "-issuer", "region.pem", "-cert", "leaf.pem")

    text = answered()
    assert "Response verify OK" in text
    assert "leaf.pem: good" in text
    assert "WARNING: no nonce" not in text or not nonce
    api.revoke_certificate(id=found.id, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=NOW)
    text = answered()
    assert "leaf.pem: revoked" in text
    assert "Reason: superseded" in text


def test_answers_to_what_should_not_be_asked(folder: Path) -> None:
    two_authorities(KeyAlgorithm.ES256)
    found = issued()
    assert ocsp.load_der_ocsp_response(api.answer_ocsp("region", b"junk", now=NOW)).response_status.name == "MALFORMED_REQUEST"
    question = ask(folder, found)
    assert ocsp.load_der_ocsp_response(api.answer_ocsp("root", question, now=NOW)).response_status.name == "UNAUTHORIZED"
    own = x509.load_der_x509_certificate(api.authority("region").chain[0])
    point = own.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        issuer_name_hash=x509_hash(own.subject.public_bytes()),
        issuer_key_hash=x509_hash(point),
        serial_number=4711,
        algorithm=hashes.SHA256(),
    )
    unknown = builder.build().public_bytes(serialization.Encoding.DER)
    answer = ocsp.load_der_ocsp_response(api.answer_ocsp("region", unknown, now=NOW))
    assert answer.certificate_status.name == "UNKNOWN"
    with pytest.raises(NotFound):
        api.answer_ocsp("nowhere", question, now=NOW)


def x509_hash(data: bytes) -> bytes:
    return api.digest(data, DigestAlgorithm.SHA256)


def test_openssl_believes_our_timestamps(folder: Path) -> None:
    two_authorities(KeyAlgorithm.ES256)
    (folder / "data").write_bytes(b"a diploma")
    openssl(folder, "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q.tsq")
    (folder / "a.tsr").write_bytes(api.answer_timestamp((folder / "q.tsq").read_bytes(), now=NOW))
    (folder / "root.pem").write_text(pem(api.authority("root").chain[0]))
    verify = ["ts", "-verify", "-in", "a.tsr", "-CAfile", "root.pem"]
    assert "Verification: OK" in openssl(folder, *verify, "-queryfile", "q.tsq")
    (folder / "data").write_bytes(b"a Diploma")
    assert "FAILED" in openssl(folder, *verify, "-data", "data", fails=True)
    shown = openssl(folder, "ts", "-reply", "-in", "a.tsr", "-text")
    assert f"Policy OID: {POLICY_OID}" in shown
    assert "Accuracy: 0x01 seconds" in shown


def test_what_sm3_digested_is_stamped_by_sm2_where_the_region_can(folder: Path) -> None:
    two_authorities(KeyAlgorithm.SM2)
    digest = api.digest(b"a diploma", DigestAlgorithm.SM3)
    token = api.timestamp(digest, DigestAlgorithm.SM3, now=NOW)
    found = api.verify_timestamp(token, digest, DigestAlgorithm.SM3)
    assert found is not None
    assert (found.stamped_at, api.verify_timestamp(token, digest[::-1], DigestAlgorithm.SM3)) == (NOW, None)
    signed = cms.ContentInfo.load(token)["content"]
    signer = signed["signer_infos"][0]
    assert signer["digest_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.401"
    assert signer["signature_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.501"
    # OpenSSL's own check of timestamps knows no id of SM2's signers: the signature is shown to it by itself.
    leaf = api.certificates_of_key(SM2_STAMPS)[0].der
    assert leaf in [one.chosen.dump() for one in signed["certificates"]]
    (folder / "leaf.pem").write_text(pem(leaf))
    (folder / "key.pem").write_text(openssl(folder, "x509", "-in", "leaf.pem", "-noout", "-pubkey"))
    (folder / "attributes").write_bytes(b"\x31" + signer["signed_attrs"].dump()[1:])
    (folder / "signature").write_bytes(signer["signature"].native)
    check = ["dgst", "-sm3", "-verify", "key.pem", "-sigopt", "distid:1234567812345678", "-signature", "signature", "attributes"]
    assert "Verified OK" in openssl(folder, *check)


def test_sha256_is_stamped_by_ecdsa_though_the_region_has_sm2_too() -> None:
    two_authorities(KeyAlgorithm.SM2)
    api.found_authority(code="world", title="树人国际根", algorithm=KeyAlgorithm.ES256, actor=SYSTEM, now=NOW)
    digest = api.digest(b"a diploma", DigestAlgorithm.SHA256)
    token = api.timestamp(digest, DigestAlgorithm.SHA256, now=NOW)
    assert api.verify_timestamp(token, digest, DigestAlgorithm.SHA256) is not None
    assert api.certificates_of_key(SM2_STAMPS) == []
    assert [one.authority for one in api.certificates_of_key("trust.timestamp")] == ["world"]


def test_timestamps_that_are_not_given(folder: Path) -> None:
    openssl(folder, "ts", "-query", "-digest", "00" * 32, "-sha256", "-out", "q.tsq")
    with pytest.raises(NotFound):
        api.answer_timestamp((folder / "q.tsq").read_bytes(), now=NOW)
    two_authorities(KeyAlgorithm.ES256)
    for content, failure in (
        (b"junk", "invalid"),
        (query(folder, "-digest", "00" * 20, "-sha1"), "algorithm"),
        (query(folder, "-digest", "00" * 32, "-sha256", "-tspolicy", "1.2.3.4"), "policy"),
    ):
        (folder / "a.tsr").write_bytes(api.answer_timestamp(content, now=NOW))
        shown = openssl(folder, "ts", "-reply", "-in", "a.tsr", "-text")
        assert "Status: Rejected" in shown
        assert failure in shown.lower() or "format" in shown, shown


def query(folder: Path, *arguments: str) -> bytes:
    openssl(folder, "ts", "-query", *arguments, "-out", "q.tsq")
    return (folder / "q.tsq").read_bytes()


def test_a_token_is_read_back_and_no_changed_byte_passes() -> None:
    two_authorities(KeyAlgorithm.ES256)
    digest = api.digest(b"a diploma", DigestAlgorithm.SM3)
    token = api.timestamp(digest, DigestAlgorithm.SM3, now=NOW)
    found = api.verify_timestamp(token, digest, DigestAlgorithm.SM3)
    assert found is not None
    assert found.stamped_at == NOW
    assert api.verify_timestamp(token, digest[::-1], DigestAlgorithm.SM3) is None
    assert api.verify_timestamp(token, digest, DigestAlgorithm.SHA256) is None
    certificate = api.certificates_of_key("trust.timestamp")[0].der
    # From the content on; the certificates inside are only handed along.
    for place in range(60, token.index(certificate[:40]), 3):
        changed = bytearray(token)
        changed[place] ^= 1
        other = read_token(bytes(changed), certificate=certificate)
        assert other is None or other.digest == digest
    with pytest.raises(Invalid):
        api.timestamp(b"short", DigestAlgorithm.SM3, now=NOW)


def test_keys_made_here_are_handed_out_once() -> None:
    two_authorities(KeyAlgorithm.ES256)
    wanted: dict[str, Any] = {"authority": "region", "kind": CertificateKind.DEVICE, "days": 30, "actor": SYSTEM, "now": NOW}
    device = SubjectName(common_name="door-7", dns_names=("door-7.edu.example",))
    with pytest.raises(Invalid, match="口令"):
        api.issue_with_key(subject=device, algorithm=KeyAlgorithm.ES256, passphrase="short", **wanted)
    found, file = api.issue_with_key(subject=device, algorithm=KeyAlgorithm.ES256, passphrase="long enough", **wanted)
    key, certificate, above = pkcs12.load_key_and_certificates(file.content, b"long enough")
    assert certificate.public_bytes(serialization.Encoding.DER) == found.der
    assert key.public_key() == certificate.public_key()
    assert len(above) == 2
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["door-7.edu.example"]
    _found, national = api.issue_with_key(subject=device, algorithm=KeyAlgorithm.SM2, passphrase="long enough", **wanted)
    assert national.content.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY")
    command = ["openssl", "pkey", "-passin", "pass:long enough", "-noout", "-text"]
    assert b"SM2" in subprocess.run(command, input=national.content, capture_output=True, check=True).stdout


def test_renewal_keeps_the_subject_and_stolen_keys_stay_out() -> None:
    two_authorities(KeyAlgorithm.ES256)
    request = request_for(KeyAlgorithm.ES256)
    first = issued(request=request)
    second = api.renew_certificate(id=first.id, request=request, days=365, actor=SYSTEM, now=NOW + timedelta(days=300))
    assert (second.subject, second.renewed_from_id) == (first.subject, first.id)
    assert second.ends_at > first.ends_at
    api.revoke_certificate(id=first.id, reason=RevocationReason.KEY_COMPROMISE, actor=SYSTEM, now=NOW)
    for call in (
        lambda: api.revoke_certificate(id=first.id, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=NOW),
        lambda: api.renew_certificate(id=first.id, request=request, days=365, actor=SYSTEM, now=NOW),
    ):
        with pytest.raises(Conflict):
            call()
    with pytest.raises(Invalid, match="泄露"):
        issued(request=request)
    with pytest.raises(NotFound):
        api.revoke_certificate(id=10**9, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=NOW)


def test_nothing_outlives_its_authority() -> None:
    two_authorities(KeyAlgorithm.ES256)
    region = api.authority("region")
    assert issued(days=3650, now=NOW + timedelta(days=3000)).ends_at == region.ends_at
    with pytest.raises(Conflict):
        issued(now=region.ends_at)
    for changes in ({"days": 0}, {"days": 5000}, {"subject": SubjectName(common_name=" ")}, {"request": b"x"}):
        with pytest.raises(Invalid):
            issued(**changes)
    with pytest.raises(NotFound):
        issued(authority="nowhere")


def test_authorities_that_are_not_founded() -> None:
    two_authorities(KeyAlgorithm.ES256)
    wanted: dict[str, Any] = {"title": "x", "algorithm": KeyAlgorithm.ES256, "actor": SYSTEM, "now": NOW}
    with pytest.raises(Conflict):
        api.found_authority(code="root", **wanted)
    for changes in ({"code": "A"}, {"code": "x", "years": 0}, {"code": "x", "title": " "}):
        with pytest.raises(Invalid):
            api.found_authority(**{**wanted, **changes})
    with pytest.raises(NotFound):
        api.found_authority(code="x", parent="nowhere", **wanted)


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ES256, KeyAlgorithm.SM2])
def test_a_region_below_another_region(folder: Path, algorithm: KeyAlgorithm) -> None:
    """The province's installation certifies the city's authority; both are played here, under two codes."""
    api.found_authority(code="province", title="省根", algorithm=algorithm, actor=SYSTEM, now=NOW)
    api.found_authority(code="city", title="市", algorithm=algorithm, actor=SYSTEM, now=NOW)
    request = api.authority_request("city")
    subject = SubjectName(common_name="市", organization="树人教育平台")
    wanted: dict[str, Any] = {
        "authority": "province",
        "kind": CertificateKind.AUTHORITY,
        "days": 3000,
        "actor": SYSTEM,
        "now": NOW,
    }
    given = api.issue_certificate(subject=subject, request=request, **wanted)
    root = api.authority("province").chain[0]
    chain = pem(given.der, root).encode()
    with pytest.raises(Invalid, match="列为信任"):
        api.accept_authority(code="city", chain=chain, actor=SYSTEM, now=NOW)
    fingerprint = api.digest(root, DigestAlgorithm.SHA256).hex()
    api.trust_root(title="省", certificate=root, fingerprint=fingerprint, actor=SYSTEM, now=NOW)
    for bad, fault in (
        (b"x", "证书文件"),
        (pem(root, given.der).encode(), "本机构密钥"),
        (pem(given.der, given.der).encode(), "后一张"),
    ):
        with pytest.raises(Invalid, match=fault):
            api.accept_authority(code="city", chain=bad, actor=SYSTEM, now=NOW)
    facts = api.accept_authority(code="city", chain=chain, actor=SYSTEM, now=NOW)
    assert facts.chain == (given.der, root)
    found = issued(algorithm, authority="city")
    assert api.validate_certificate(found.der, now=NOW).subjects[-1].startswith("CN=省根")
    (folder / "leaf.pem").write_text(pem(found.der))
    (folder / "city.pem").write_text(pem(given.der))
    (folder / "root.pem").write_text(pem(root))
    verify_links(folder, algorithm, "leaf", "city", "root")


def test_every_step_is_audited() -> None:
    two_authorities(KeyAlgorithm.ES256)
    found = issued()
    api.revoke_certificate(id=found.id, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=NOW)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"trust.authority_founded", "trust.certificate_issued", "trust.certificate_revoked", "trust.key_made"} <= actions


def test_what_ends_soon_is_listed() -> None:
    two_authorities(KeyAlgorithm.ES256)
    soon, later = issued(days=10), issued(days=100)
    gone = issued(days=10)
    api.revoke_certificate(id=gone.id, reason=RevocationReason.SUPERSEDED, actor=SYSTEM, now=NOW)
    assert [found.id for found in api.certificates_ending(begin=NOW, end=NOW + timedelta(days=30))] == [soon.id]
    assert set(api.certificates_by_ids([soon.id, later.id])) == {soon.id, later.id}
    assert api.certificate(later.id) == later
