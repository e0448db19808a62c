from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

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


def test_strangers_read_the_log(client: Client, log: Path) -> None:
    page = client.get("/evidence/").content.decode()
    assert "存证日志" in page
    assert trust.log_keys()[0] in page.replace("&#x2B;", "+")
    assert "run:299" not in page, "subjects are not public"
    note = client.get("/evidence/checkpoint")
    assert note.headers["Cache-Control"] == "no-store"
    head = trust.tree_head()
    assert head is not None
    assert note.content.decode() == head.note


def test_tiles_are_static_files_that_may_be_kept(client: Client, log: Path) -> None:
    full = client.get("/evidence/tile/0/000")
    assert full.content == (log / "tile/0/000").read_bytes()
    assert full.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert full.headers["Content-Type"] == "application/octet-stream"
    partial = client.get("/evidence/tile/entries/001.p/44")
    assert partial.status_code == 200
    assert "immutable" not in partial.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/0/../../secret", "tile/0/000.p/0", "tile/x/000", "tile/0/0", "..%2f..%2fkeys%2fseal.key", "tile/"],
)
def test_nothing_else_is_read_from_the_folder(client: Client, log: Path, path: str) -> None:
    assert client.get(f"/evidence/{path}").status_code == 404


def test_a_witness_answers_as_the_standard_says(client: Client, log: Path, settings: Any) -> None:
    head = trust.tree_head()
    assert head is not None

    def ask(body: str) -> Any:
        return client.post("/evidence/add-checkpoint", body, content_type="text/plain")

    assert ask(f"old 0\n\n{head.note}").status_code == 404
    settings.SHUREN_EVIDENCE_WITNESSED = trust.log_keys()
    signed = ask(f"old 0\n\n{head.note}")
    assert signed.status_code == 200
    assert signed.content.decode().startswith(f"— {settings.SHUREN_EVIDENCE_WITNESS_NAME} ")
    again = ask(f"old 0\n\n{head.note}")
    assert (again.status_code, again.content, again.headers["Content-Type"]) == (409, b"300\n", "text/x.tlog.size")
    assert ask("nonsense").status_code == 400
    assert client.post("/evidence/add-checkpoint", b"\xff", content_type="text/plain").status_code == 400
    assert client.get("/evidence/add-checkpoint").status_code == 405
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/evidence/add-checkpoint", f"old 300\n\n{head.note}", content_type="text/plain").status_code == 200
