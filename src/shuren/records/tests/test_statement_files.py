"""Attachments, signatures, forms of answers, and what becomes of statements of people."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jws
from joserfc.jwk import RSAKey
from tests.cast import Cast

from shuren.kernel import ids
from shuren.records.models import Mention, Statement
from shuren.records.rules.formats import canonical, wished_languages
from shuren.records.rules.multipart import mixed, parts_of
from shuren.records.rules.signatures import SIGNATURE
from shuren.records.services.follow_statements import forget_statements, move_statements
from shuren.records.tests.lrs_client import NEW, OLD, LrsClient, new_client
from shuren.records.tests.sample_statements import ACTIVITY, COURSE, TEAM, VERB, small, whole

VERSIONS = pytest.mark.parametrize("version", [OLD, NEW])
NOW = datetime(2026, 3, 1, tzinfo=UTC)
PHOTO = b"\x89PNG\r\n--not-a-boundary\x00"


def attachment(content: bytes, **changed: Any) -> dict[str, Any]:
    return {
        "usageType": "https://example.org/usage",
        "display": {"zh-CN": "照片"},
        "contentType": "image/png",
        "length": len(content),
        "sha2": sha256(content).hexdigest(),
    } | changed


def send(client: LrsClient, statements: Any, *files: bytes, change: Callable[[bytes], bytes] = bytes) -> Any:
    body = mixed("edge", orjson.dumps(statements), [(sha256(one).hexdigest(), "image/png", one) for one in files])
    return client.call("POST", "statements", body=change(body), content_type='multipart/mixed; boundary="edge"')


@VERSIONS
def test_files_come_along_and_are_handed_out_again(db: None, version: str) -> None:
    client = new_client(version=version)
    response = send(client, small(attachments=[attachment(PHOTO)]), PHOTO)
    assert response.status_code == 200, response.content
    (key,) = response.json()
    for params in ({"statementId": key, "attachments": "true"}, {"attachments": "true"}):
        response = client.call("GET", "statements", params)
        first, file = parts_of(response.content, response["Content-Type"])
        assert first.headers["content-type"] == "application/json"
        assert file.content == PHOTO
        assert file.headers["x-experience-api-hash"] == sha256(PHOTO).hexdigest()
        assert file.headers["content-transfer-encoding"] == "binary"
        assert file.headers["content-type"] == "image/png"
    assert client.call("GET", "statements", {"statementId": key})["Content-Type"] == "application/json"


@VERSIONS
def test_what_comes_along_is_what_was_announced(db: None, version: str) -> None:
    client, photo = new_client(version=version), small(attachments=[attachment(PHOTO)])
    assert client.call("POST", "statements", body=photo).status_code == 400
    assert send(client, photo).status_code == 400
    assert send(client, photo, PHOTO, b"more").status_code == 400
    assert send(client, small(), PHOTO).status_code == 400
    assert send(client, small(attachments=[attachment(PHOTO, length=1)]), PHOTO).status_code == 400
    for old, new in [
        (b"PNG", b"GIF"),
        (b"Content-Transfer-Encoding: binary", b"Content-Transfer-Encoding: base64"),
        (b"Content-Transfer-Encoding: binary\r\n", b""),
        (b"X-Experience-API-Hash", b"X-Hash"),
        (b"Content-Type: application/json", b"Content-Type: text/plain"),
        (b"--edge--", b""),
    ]:
        assert send(client, photo, PHOTO, change=lambda body, old=old, new=new: body.replace(old, new)).status_code == 400  # type: ignore[misc]
    elsewhere = small(attachments=[attachment(PHOTO, fileUrl="https://example.org/photo.png")])
    assert client.call("POST", "statements", body=elsewhere).status_code == 200


KEY = RSAKey.import_key(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def signed(statement: dict[str, Any], algorithm: str = "RS256", content: bytes | None = None) -> tuple[dict[str, Any], bytes]:
    registry = jws.JWSRegistry(algorithms=[algorithm])
    content = content or jws.serialize_compact({"alg": algorithm}, orjson.dumps(statement), KEY, registry=registry).encode()
    signature = attachment(content, usageType=SIGNATURE, contentType="application/octet-stream")
    return statement | {"attachments": [signature]}, content


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_a_signed_statement_is_kept_with_its_signature(db: None, algorithm: str) -> None:
    statement, content = signed(whole(), algorithm)
    assert send(new_client(), statement, content).status_code == 200


def test_a_signature_is_of_this_statement_and_by_rsa(db: None) -> None:
    client = new_client()
    statement, content = signed(whole())
    assert send(client, statement | {"result": {"success": False}}, content).status_code == 400
    assert send(client, *signed(whole(), content=b"no signature")).status_code == 400
    assert send(client, *signed(whole(), "PS256")).status_code == 400
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=")
    assert send(client, *signed(whole(), content=head + content[content.index(b".") :])).status_code == 400
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","x5c":["bm8="]}').rstrip(b"=")
    assert send(client, *signed(whole(), content=head + content[content.index(b".") :])).status_code == 400


@VERSIONS
def test_formats_tell_less_or_in_one_language(db: None, version: str) -> None:
    client, statement = new_client(version=version), whole()
    assert client.call("POST", "statements", body=statement).status_code == 200
    one = {"statementId": statement["id"]}
    ids_only = client.call("GET", "statements", one | {"format": "ids"}).json()
    assert ids_only["object"] == {"id": ACTIVITY}
    assert ids_only["actor"] == {"objectType": "Agent", "mbox": "mailto:pupil@example.org"}
    assert ids_only["verb"] == {"id": statement["verb"]["id"]}
    assert ids_only["context"]["contextActivities"]["parent"] == [{"id": COURSE}]
    told = client.call("GET", "statements", one | {"format": "canonical"}, accept_language="en-GB, en;q=0.8").json()
    assert told["object"]["definition"]["name"] == {"en-US": "Fractions"}
    assert told["verb"]["display"] == {"en-US": "answered"}
    told = client.call("GET", "statements", one | {"format": "canonical"}, accept_language="zh").json()
    assert told["object"]["definition"]["name"] == {"zh-CN": "分数"}
    assert client.call("GET", "statements", one).json()["object"] == statement["object"]


def test_the_very_language_goes_before_a_wider_one() -> None:
    texts = {"en": "Other", "en-US": "American", "en-GB": "British", "zh-Hans-CN": "中文"}
    chosen = {
        "en-GB": "en-GB",
        "en-gb;q=0.9, fr": "en-GB",
        "en-AU": "en",
        "zh": "zh-Hans-CN",
        "fr": "en",
        "": "en",
        "*": "en",
        "fr, zh-Hans-CN;q=0.4, en;q=0.2": "zh-Hans-CN",
    }
    for header, tag in chosen.items():
        told = canonical(small(verb={"id": VERB, "display": texts}), definitions={}, languages=wished_languages(header))
        assert told["verb"]["display"] == {tag: texts[tag]}, header


@VERSIONS
def test_in_ids_a_substatement_is_told_as_short(db: None, version: str) -> None:
    client, inner = new_client(version=version), whole()
    inner = {
        "objectType": "SubStatement",
        "actor": {**TEAM, "mbox": "mailto:t@e.cn"},
        "verb": inner["verb"],
        "object": inner["object"],
    }
    key = client.call("POST", "statements", body=small(object=inner)).json()[0]
    told = client.call("GET", "statements", {"statementId": key, "format": "ids"}).json()["object"]
    assert told == {
        "objectType": "SubStatement",
        "actor": {"objectType": "Group", "mbox": "mailto:t@e.cn"},
        "verb": {"id": VERB},
        "object": {"id": ACTIVITY},
    }


def test_statements_of_people_here_follow_them(db: None, cast: Cast) -> None:
    client = new_client()
    pupil, other = cast.people["pupil"].id, cast.people["teacher"].id
    actor = {"account": {"homePage": "http://testserver", "name": ids.encode("person", pupil)}}
    statement = whole(actor=actor)
    assert client.call("POST", "statements", body=[statement, small()]).status_code == 200
    assert list(Statement.objects.values_list("person_id", flat=True).order_by("seq")) == [pupil, None]
    assert move_statements(kept_id=other, dropped_id=pupil, now=NOW) == 1
    assert forget_statements(person_id=pupil, now=NOW) == 0
    assert forget_statements(person_id=other, now=NOW) == 1
    assert Mention.objects.count() == 0
    assert client.call("GET", "statements", {"statementId": statement["id"]}).status_code == 404
    assert client.call("POST", "statements", body=statement).status_code == 200
    assert Statement.objects.count() == 1
