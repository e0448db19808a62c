"""`shuren draw verify` on a published file that is kept as it was once written: the protocol does not change under it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shuren.casework import api as casework
from shuren.front.cli.draw import command
from shuren.kernel import clock
from shuren.trust import api as trust
from shuren.trust.data import Business

KEPT = Path(__file__).with_name("draw.json")


def run(path: Path, *words: str) -> Result:
    return CliRunner().invoke(command, ["verify", str(path), *words])


def changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    told = json.loads(KEPT.read_text(encoding="utf-8"))
    change(told)
    path = folder / "changed.json"
    path.write_text(json.dumps(told), encoding="utf-8")
    return path


def test_every_step_of_a_true_draw_is_told() -> None:
    told = run(KEPT)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert [line[:4] for line in lines] == ["ok  "] * 10 + ["open"]
    assert "drawing again gives the same result: 9 drawn" in lines[9]


def test_a_changed_draw_is_refused_at_its_step(tmp_path: Path) -> None:
    told = run(changed(tmp_path, lambda told: told["result"].reverse()))
    assert told.exit_code == 1
    assert [line for line in told.output.splitlines() if line.startswith("bad")] == [
        "bad   drawing again gives the same result: 9 drawn"
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"protocol": 1}', "no json"])
def test_what_is_no_draw_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "draw.json"
    path.write_text(text, encoding="utf-8")
    assert run(path).exit_code == 1


@pytest.mark.django_db
@pytest.mark.database
def test_proofs_are_checked_with_a_key_that_is_trusted(tmp_path: Path, settings: Any) -> None:
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    now = clock.now()
    digests = casework.digests_on_record(json.loads(KEPT.read_text(encoding="utf-8")))
    entries = {
        name: trust.anchor(business=Business.AUDIT, subject=f"{name}:1", digest=bytes.fromhex(digest), now=now)
        for name, digest in digests.items()
    }
    trust.grow_log(now=now)
    proofs = trust.proofs_of(list(entries.values()))
    texts = {name: trust.proof_as_json(proofs[entry]) for name, entry in entries.items()}
    keys = [word for key in trust.log_keys() for word in ("--key", key)]
    good = run(changed(tmp_path, lambda told: told.update(proofs=texts)), *keys)
    assert good.exit_code == 0, good.output
    assert good.output.count("stand in the evidence log: ") == 2
    swapped = {"statement": texts["contribution"], "contribution": texts["statement"]}
    bad = run(changed(tmp_path, lambda told: told.update(proofs=swapped)), *keys)
    assert bad.exit_code == 1
    assert bad.output.count("the proof is about something else") == 2
    assert run(changed(tmp_path, lambda told: told.update(proofs={})), *keys).output.count("no proof came along") == 2
