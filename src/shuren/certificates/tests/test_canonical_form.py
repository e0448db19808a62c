"""The short way to the canonical form says what the long way says, whatever certificates say, and never more."""

import copy
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shuren.certificates.data import CertificateKind
from shuren.certificates.rules import canonical_form
from shuren.certificates.rules.canonical_form import canonical_certificate, canonical_filled
from shuren.certificates.rules.credentials import CONTEXTS, Achievement, CredentialFacts, achievement_credential
from shuren.certificates.rules.jsonld import canonical
from shuren.certificates.rules.proofs import options_digest, proof_options

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('\n\t\r"\\'), max_size=30)
DAY = datetime(2026, 7, 1, 8, 30, tzinfo=UTC)
# What people write and what would break a form that was filled in carelessly: its own marks, and ends of lines that
# Python knows and N-Quads does not.
NASTY = (
    "0narrative0",
    "987654321 123456789",
    "第一行\u2028第二行\x85三",
    'a"b\\c\td\ne',
    "https://0base0/x",
    "1970-01-01T00:00:00Z",
)


def said(name: str, narrative: str, title: str, issuer_name: str, **changes: Any) -> dict[str, Any]:
    facts = {
        "number": "0123456789ABCDEFG",
        "holder": "5f3c1f4e-3a64-4c9b-9a51-3f0b4d8f6d11",
        "name": name,
        "narrative": narrative,
        "status_list": 3,
        "status_index": 70_001,
        "given_at": DAY,
        "valid_until": None,
    }
    kind = changes.pop("kind", CertificateKind.HONOUR)
    return {
        "facts": CredentialFacts(**(facts | changes)),
        "achievement": Achievement(key="k3f-2", kind=kind, name=title, criteria=narrative + title),
        "base": "https://certs.example.cn:8443",
        "issuer": "q7w8",
        "issuer_name": issuer_name,
    }


@settings(max_examples=40, deadline=None)
@given(TEXT, TEXT, TEXT, TEXT)
@example(*NASTY[:4])
@example(*NASTY[2:])
@example("", "", "", "")
def test_filled_in_it_is_what_json_ld_makes_of_it(name: str, narrative: str, title: str, issuer_name: str) -> None:
    wanted = said(name, narrative, title, issuer_name)
    assert canonical_filled(**wanted) == canonical(achievement_credential(**wanted))


@pytest.mark.parametrize("kind", list(CertificateKind))
@pytest.mark.parametrize("until", [None, date(2027, 7, 1)])
def test_every_kind_with_and_without_an_end(kind: CertificateKind, until: date | None, monkeypatch: pytest.MonkeyPatch) -> None:
    document = achievement_credential(**said("张三", "一等奖", "三好学生", "实验小学", kind=kind, valid_until=until))
    long, _made = canonical(document), canonical_certificate(document)
    monkeypatch.setattr(canonical_form, "canonical", lambda _document: pytest.fail("the long way was gone"))
    assert canonical_certificate(document) == long


def changes_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The document told otherwise, once for each way of slipping something past whoever reads it back."""
    made = [copy.deepcopy(document) for _ in range(9)]
    made[0]["credentialSubject"]["identifier"][0]["hashed"] = 0
    made[1]["credentialSubject"]["achievement"]["name"] = "别的"
    made[2]["credentialSubject"]["achievement"]["criteria"]["narrative"] = "别的"
    made[3]["credentialStatus"]["statusListIndex"] = "070001"
    made[4]["awardedDate"] = "2026-07-02T08:30:00Z"
    made[5]["description"] = "more"
    made[6]["type"] = ["VerifiableCredential"]
    made[7]["credentialSubject"]["identifier"].append(dict(made[7]["credentialSubject"]["identifier"][0]))
    made[8]["issuer"]["id"] = "did:web:other.example:issuers:q7w8"
    return made


def test_whatever_is_told_otherwise_goes_the_long_way() -> None:
    document = achievement_credential(**said("张三", "一等奖", "三好学生", "实验小学"))
    short = canonical_certificate(document)
    for made in changes_of(document):
        assert canonical_form._read_back(made) is None
        assert canonical_certificate(made) == canonical(made) != short


@pytest.mark.parametrize("number", ["A> <b", 'A"', "A B", "A\n", "Ａ"])
def test_nothing_ends_an_address_early(number: str) -> None:
    """What cannot stand in an address is never filled in: JSON-LD decides on it."""
    wanted = said("张三", "一等奖", "三好学生", "实验小学", number=number)
    assert canonical_filled(**wanted) == canonical(achievement_credential(**wanted))


@pytest.mark.parametrize("method", ["did:web:a.b:issuers:c#k-_1", "did:key:z6Mk#z6Mk", 'did:x"', "did:x y"])
def test_options_are_filled_in_alike(method: str) -> None:
    options = proof_options(created="2026-07-01T08:30:00Z", method=method)
    with_more = {**options, "expires": "2027-07-01T08:30:00Z"}
    assert options_digest(options, CONTEXTS) == options_digest(options, list(CONTEXTS)) != options_digest(with_more, CONTEXTS)
    assert options_digest(options, CONTEXTS) == sha256(canonical({"@context": CONTEXTS, **options}).encode()).digest()
