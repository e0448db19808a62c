"""What the public page says of files: tampered, under withdrawn keys, as tokens, and of other issuers."""

import base64
import copy
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from joserfc import jws
from joserfc.jwk import ECKey
from tests.cast import Cast

from shuren.certificates.data import Verdict
from shuren.certificates.models import Certificate
from shuren.certificates.rules.credentials import as_json
from shuren.certificates.rules.jsonld import OB_CONTEXT, VC_CONTEXT
from shuren.certificates.rules.multibase import base58
from shuren.certificates.rules.proofs import document_digest, options_digest, proof_options, with_proof
from shuren.certificates.selectors.certificates import credential_of, revoked_indexes
from shuren.certificates.selectors.checking import verdict_by_number, verdict_of_document, verdict_of_file
from shuren.certificates.selectors.issuer import PRINT_KEY, PROOF_KEY, TOKEN_KEY, issuer_document
from shuren.certificates.services.present import record_of, token_of
from shuren.certificates.services.print import printed
from shuren.certificates.services.revoke import restore_revocations, revoke_certificate
from shuren.kernel.clock import day_of
from shuren.kernel.models import AuditEntry
from shuren.trust import api as trust


@pytest.fixture
def row(certificate_id: int) -> Certificate:
    return Certificate.objects.select_related("version").get(pk=certificate_id)


def leaves(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(item, (*way, key))
    else:
        yield way


def changed(document: dict[str, Any], way: tuple[Any, ...], place: int) -> dict[str, Any]:
    """The document with one letter of one text replaced, or a truth turned round."""
    made = copy.deepcopy(document)
    part: Any = made
    for key in way[:-1]:
        part = part[key]
    text = part[way[-1]]
    if isinstance(text, bool):
        part[way[-1]] = not text
    else:
        place %= len(text)
        part[way[-1]] = text[:place] + ("x" if text[place] != "x" else "y") + text[place + 1 :]
    return made


def test_a_hundred_of_a_hundred_changes_are_told(cast: Cast, row: Certificate) -> None:
    """Every text of the file is changed at several places; members are added and taken away."""
    document = credential_of(row)
    assert verdict_of_document(document, now=cast.now).verdict is Verdict.VALID
    ways = list(leaves(document))
    tampered = [changed(document, way, place) for place in (0, 3, 7, 11) for way in ways]
    for name in [key for key in document if key != "proof"]:
        tampered.append({key: value for key, value in document.items() if key != name})
    tampered += [
        {**document, "credentialSubject": {**document["credentialSubject"], "result": "A+"}},
        {**document, "description": "something more"},
        {**document, "unknown": "something more"},
    ]
    assert len(tampered) >= 100
    believed = [made for made in tampered if verdict_of_file(as_json(made).encode(), now=cast.now).verdict is Verdict.VALID]
    assert believed == []


def test_other_orders_and_spaces_are_the_same_certificate(cast: Cast, row: Certificate) -> None:
    text = json.dumps(dict(reversed(credential_of(row).items())), indent=3, ensure_ascii=True)
    assert verdict_of_file(text.encode(), now=cast.now).verdict is Verdict.VALID


def test_a_certificate_outlives_the_key_that_signed_it(cast: Cast, row: Certificate) -> None:
    token, paper = token_of(row, now=cast.now).encode(), printed(row, now=cast.now)
    record = record_of([row], holder_name="张三", now=cast.now)
    document = credential_of(row)
    for name in (PROOF_KEY, TOKEN_KEY, PRINT_KEY):
        trust.rotate_key(name=name, now=cast.now + timedelta(days=1))
    later = cast.now + timedelta(days=3)
    files = (as_json(document).encode(), token, paper, as_json(record).encode())
    assert [verdict_of_file(data, now=later).key_withdrawn_on for data in files] == ["", "", "", ""]
    assert {verdict_of_file(data, now=later).verdict for data in files} == {Verdict.VALID}
    for name in (PROOF_KEY, TOKEN_KEY, PRINT_KEY):
        trust.revoke_key(name=name, version=1, now=cast.now + timedelta(days=2))
    found = [verdict_of_file(data, now=later) for data in files]
    assert [one.verdict for one in found] == [Verdict.VALID, Verdict.VALID, Verdict.VALID, Verdict.UNKNOWN]
    assert all(one.key_withdrawn_on for one in found)
    assert verdict_by_number(row.number, now=later).verdict is Verdict.VALID
    newest, former = issuer_document(cast.orgs["school"].public_id)["verificationMethod"][:2]
    assert ("revoked" in newest, former["revoked"][:4]) == (False, str(day_of(cast.now).year))


def test_a_withdrawn_key_makes_no_new_certificates(cast: Cast, row: Certificate) -> None:
    """Whoever stole a withdrawn key can sign anything: only what our own rows say is believed."""
    document = {name: value for name, value in credential_of(row).items() if name != "proof"}
    document["credentialSubject"] = {**document["credentialSubject"], "narrative": "特等奖"}
    options = {name: value for name, value in row.proof.items() if name != "@context"}
    signed = options_digest(options, document["@context"]) + document_digest(document)
    forged = with_proof(document, options, trust.sign(signed, key=PROOF_KEY))
    trust.rotate_key(name=PROOF_KEY, now=cast.now + timedelta(days=1))
    trust.revoke_key(name=PROOF_KEY, version=1, now=cast.now + timedelta(days=1))
    assert verdict_of_document(forged, now=cast.now + timedelta(days=2)).verdict is Verdict.ALTERED


def test_own_tokens_say_what_was_given_and_nothing_else(cast: Cast, row: Certificate) -> None:
    token = token_of(row, now=cast.now)
    found = verdict_of_file(token.encode(), now=cast.now)
    assert (found.verdict, found.number, found.is_ours) == (Verdict.VALID, row.number, True)
    head, body, seal = token.split(".")
    believed = []
    for place in range(0, len(body), max(1, len(body) // 50)):
        letter = "A" if body[place] != "A" else "B"
        made = f"{head}.{body[:place]}{letter}{body[place + 1 :]}.{seal}"
        if verdict_of_file(made.encode(), now=cast.now).verdict is Verdict.VALID:
            believed.append(place)
    assert believed == []
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).decode().rstrip("=")
    assert verdict_of_file(f"{none}.{body}.".encode(), now=cast.now).verdict is Verdict.ALTERED
    key = trust.key_versions(TOKEN_KEY)[0]
    claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claims["credentialSubject"]["narrative"] = "特等奖"
    jwk = trust.jwk_of(key.pem, key.algorithm, key_id=key.key_id)
    ours = trust.sign_jws(json.dumps(claims).encode(), key=TOKEN_KEY, header={"typ": "JWT", "jwk": jwk})
    assert verdict_of_file(ours.encode(), now=cast.now).verdict is Verdict.ALTERED


def foreign(cast: Cast, **changes: Any) -> dict[str, Any]:
    return {
        "@context": [VC_CONTEXT, OB_CONTEXT],
        "id": "urn:uuid:5f3c1f4e-3a64-4c9b-9a51-3f0b4d8f6d11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Robotics",
        "validFrom": (cast.now - timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": {
            "id": "did:example:pupil",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://other.example/robotics",
                "type": ["Achievement"],
                "name": "Robotics",
                "description": "Built a robot.",
                "criteria": {"narrative": "Build a robot."},
            },
        },
        **changes,
    }


def by_did_key(document: dict[str, Any], cast: Cast) -> dict[str, Any]:
    key = Ed25519PrivateKey.generate()
    name = base58(b"\xed\x01" + key.public_key().public_bytes_raw())
    made = {**document, "issuer": {"id": f"did:key:{name}", "type": ["Profile"], "name": "Other School"}}
    options = proof_options(created=cast.now.strftime("%Y-%m-%dT%H:%M:%SZ"), method=f"did:key:{name}#{name}")
    return with_proof(made, options, key.sign(options_digest(options, made["@context"]) + document_digest(made)))


def test_others_certificates_by_the_key_in_their_did(cast: Cast) -> None:
    document = by_did_key(foreign(cast), cast)
    found = verdict_of_document(document, now=cast.now)
    assert (found.verdict, found.is_ours, found.issuer_name, found.name) == (Verdict.CLAIMED, False, "Other School", "Robotics")
    assert verdict_of_document({**document, "name": "Rocketry"}, now=cast.now).verdict is Verdict.ALTERED
    other = by_did_key(foreign(cast), cast)["issuer"]
    assert verdict_of_document({**document, "issuer": other}, now=cast.now).verdict is Verdict.ALTERED
    over = by_did_key(foreign(cast, validUntil="2020-01-01T00:00:00Z"), cast)
    assert verdict_of_document(over, now=cast.now).verdict is Verdict.EXPIRED
    ahead = by_did_key(foreign(cast, validFrom="2099-01-01T00:00:00Z"), cast)
    assert verdict_of_document(ahead, now=cast.now).verdict is Verdict.NOT_YET


def test_others_tokens_by_the_key_in_their_header(cast: Cast) -> None:
    key = ECKey.generate_key("P-256")
    document = foreign(cast, issuer={"id": "https://other.example/issuer", "type": ["Profile"], "name": "Other School"})
    head = {"alg": "ES256", "typ": "JWT", "jwk": key.as_dict(private=False)}
    token = jws.serialize_compact(head, json.dumps(document).encode(), key)
    found = verdict_of_file(token.encode(), now=cast.now)
    assert (found.verdict, found.is_ours, found.issuer_name) == (Verdict.CLAIMED, False, "Other School")
    other = {**head, "jwk": ECKey.generate_key("P-256").as_dict(private=False)}
    forged = jws.serialize_compact(other, json.dumps(document).encode(), key)
    assert verdict_of_file(forged.encode(), now=cast.now).verdict is Verdict.ALTERED
    plain = jws.serialize_compact({"alg": "ES256"}, json.dumps(document).encode(), key)
    assert verdict_of_file(plain.encode(), now=cast.now).verdict is Verdict.UNKNOWN


def upload(data: bytes) -> str:
    cache.clear()
    answer = Client().post("/verify/", {"file": SimpleUploadedFile("certificate.json", data)})
    return answer.content.decode()


def test_the_page_believes_no_key_that_a_file_brings_along(cast: Cast) -> None:
    """A self-made document in the name of a ministry: amber, its issuer a claim, and not a word of not being revoked."""
    ministry = {"id": "https://www.moe.gov.cn", "type": ["Profile"], "name": "教育部"}
    key = ECKey.generate_key("P-256")
    head = {"alg": "ES256", "typ": "JWT", "jwk": key.as_dict(private=False)}
    made = by_did_key(foreign(cast), cast)
    files = [jws.serialize_compact(head, json.dumps(foreign(cast, issuer=ministry)).encode(), key), as_json(made)]
    for text in files:
        page = upload(text.encode())
        assert "签名相符，颁发者未经核实" in page
        assert "notice-warning" in page
        assert "颁发机构（自称，未核实）" in page
        assert "证书有效" not in page
        assert "没有撤销" not in page.partition('<dl class="facts">')[0].replace("后来有没有撤销", "")
    over = upload(as_json(by_did_key(foreign(cast, validUntil="2020-01-01T00:00:00Z"), cast)).encode())
    assert "已经过了文件里写的有效期" in over
    assert "内容是真的" not in over


def test_a_row_that_was_changed_back_stays_revoked(cast: Cast, row: Certificate) -> None:
    """Whoever can write the table unrevokes nothing: the log says so to whoever checks, and the list is put right."""
    trust.grow_log(now=cast.now)
    document = credential_of(row)
    with CaptureQueriesContext(connection) as good:
        assert verdict_by_number(row.number, now=cast.now).verdict is Verdict.VALID
    assert sum("trust_logentry" in query["sql"] for query in good.captured_queries) == 1
    revoke_certificate(actor=cast.actor("school_admin"), certificate_id=row.pk, reason="发错了", now=cast.now)
    trust.grow_log(now=cast.now)
    assert list(trust.faults_of_records()) == []
    Certificate.objects.filter(pk=row.pk).update(revoked_at=None, revoked_reason="")
    assert list(trust.faults_of_records()) == ["1 rows of the kind revocation that were put on record are gone"]
    assert verdict_by_number(row.number, now=cast.now).verdict is Verdict.REVOKED
    assert verdict_of_document(document, now=cast.now).verdict is Verdict.REVOKED
    Certificate.objects.filter(pk=row.pk).update(kind="growth")
    assert verdict_by_number(row.number, now=cast.now).verdict is Verdict.ALTERED, "nor by looking in another place of the log"
    Certificate.objects.filter(pk=row.pk).update(kind=row.kind)
    assert revoked_indexes(row.status_list_id) == []
    assert restore_revocations(now=cast.now) == 1
    assert revoked_indexes(row.status_list_id) == [row.status_index]
    assert restore_revocations(now=cast.now) == 0
    (fault,) = trust.faults_of_records()
    assert fault == f"revocation:{row.number} is not what was put on record", "the reason is lost, and that stays told"
    assert AuditEntry.objects.filter(action="certificates.revocation_restored", target=f"certificate:{row.pk}").count() == 1


def test_nobody_passes_for_us(cast: Cast, row: Certificate) -> None:
    """Our name as issuer under a key of one's own."""
    made = by_did_key(foreign(cast), cast)
    issuer = credential_of(row)["issuer"]
    assert verdict_of_document({**made, "issuer": issuer}, now=cast.now).verdict is Verdict.ALTERED
    key = ECKey.generate_key("P-256")
    document = foreign(cast, issuer=issuer)
    token = jws.serialize_compact({"alg": "ES256", "jwk": key.as_dict(private=False)}, json.dumps(document).encode(), key)
    assert verdict_of_file(token.encode(), now=cast.now).verdict is Verdict.ALTERED


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"a.b.c", b"%PDF-1.7 nothing", b"{" * 100_000, b'{"proof": {}}'])
def test_what_is_no_certificate_is_no_fault(db: None, cast: Cast, data: bytes) -> None:
    assert verdict_of_file(data, now=cast.now).verdict in (Verdict.UNKNOWN, Verdict.ALTERED)
