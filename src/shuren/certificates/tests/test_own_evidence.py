"""Whoever has a certificate's number checks its evidence without us: proof and original, by keys they hold."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.certificates.models import Certificate
from shuren.certificates.services.revoke import revoke_certificate
from shuren.trust import api as trust


@pytest.fixture
def row(cast: Cast, certificate_id: int, tmp_path: Path, settings: Any) -> Certificate:
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    return Certificate.objects.get(pk=certificate_id)


def test_proof_and_original_hold_without_the_server(client: Client, cast: Cast, row: Certificate) -> None:
    address = f"/credentials/{row.number}"
    assert client.get(f"{address}/proof.json").status_code == 404, "no head covers it yet"
    assert "proof.json" not in client.get(f"/verify/{row.number}/").content.decode()
    trust.grow_log(now=cast.now)
    page = client.get(f"/verify/{row.number}/").content.decode()
    assert f"{address}/proof.json" in page
    assert f"{address}/original.nq" in page
    proof = trust.read_proof(client.get(f"{address}/proof.json").content.decode())
    assert trust.verify_proof(proof, log_keys=trust.log_keys()).fault == ""
    original = client.get(f"{address}/original.nq").content
    assert (proof.subject, proof.digest) == (f"certificate:{row.number}", sha256(original).digest())
    assert row.narrative in original.decode()


def test_a_revoked_one_keeps_its_proof_and_says_what_it_is(client: Client, cast: Cast, row: Certificate) -> None:
    trust.grow_log(now=cast.now)
    revoke_certificate(actor=cast.actor("head"), certificate_id=row.pk, reason="评选有误", now=cast.now + timedelta(hours=1))
    assert client.get(f"/credentials/{row.number}/proof.json").status_code == 200
    assert "证书已撤销" in client.get(f"/verify/{row.number}/").content.decode()


@pytest.mark.parametrize("file", ["proof.json", "original.nq"])
def test_other_numbers_have_nothing(client: Client, db: None, file: str) -> None:
    assert client.get(f"/credentials/0123456789ABCDEFG/{file}").status_code == 404
