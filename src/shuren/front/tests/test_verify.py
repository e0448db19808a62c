from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.test import Client

from shuren.front.cli.verify import command
from shuren.trust import api as trust
from shuren.trust.data import Business

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path, settings: Any) -> Path:
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    items = ((f"run:{number}", number.to_bytes(32, "big")) for number in range(300))
    trust.anchor_many(business=Business.SCORE, items=items, now=NOW)
    trust.grow_log(now=NOW)
    return tmp_path / "evidence"


def test_a_log_of_tiles_alone_is_verified_by_command(client: Client, log: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint").write_bytes(client.get("/evidence/checkpoint").content)
    arguments = ["log", str(log), "--checkpoint", str(tmp_path / "checkpoint"), "--key", trust.log_keys()[0]]
    assert CliRunner().invoke(command, arguments).exit_code == 0
    tile = log / "tile/entries/000"
    data = bytearray(tile.read_bytes())
    data[100] ^= 1
    tile.write_bytes(data)
    told = CliRunner().invoke(command, arguments)
    assert told.exit_code == 1
    assert "tile/0/000" in told.output


def test_a_proof_is_verified_by_command(log: Path, tmp_path: Path) -> None:
    entry = trust.anchor(business=Business.DIPLOMA, subject="paper:1", digest=b"d" * 32, now=NOW)
    trust.grow_log(now=NOW)
    proof = trust.proof_of(entry)
    assert proof is not None
    good, bad, keys = tmp_path / "good.json", tmp_path / "bad.json", tmp_path / "keys"
    keys.write_text("\n".join(trust.log_keys()))
    good.write_text(trust.proof_as_json(proof))
    bad.write_text(trust.proof_as_json(proof).replace("paper:1", "paper:2"))
    told = CliRunner().invoke(command, ["proof", str(good), "--key", str(keys)])
    assert told.exit_code == 0
    assert "diploma paper:1" in told.output
    told = CliRunner().invoke(command, ["proof", str(good), str(bad), "--key", str(keys)])
    assert told.exit_code == 1
    assert CliRunner().invoke(command, ["proof", str(good), "--key", str(keys), "--witnesses", "1"]).exit_code == 1
    fetched = CliRunner().invoke(command, ["fetch", "paper:1", "--business", "diploma"])
    assert (fetched.exit_code, fetched.output.strip()) == (0, trust.proof_as_json(proof))
    assert CliRunner().invoke(command, ["fetch", "paper:1"]).exit_code == 1
    told = CliRunner().invoke(command, ["records"])
    assert told.exit_code == 0, told.output
