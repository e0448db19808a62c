"""Editions in force: taken as a whole whatever strikes, seen by other processes, undone by one switch."""

import errno
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, NotFound
from shuren.standards import api
from shuren.standards.data import CodeData, CodeSetData
from shuren.standards.models import Edition
from shuren.standards.selectors import editions as files
from shuren.standards.selectors import words

NOW = datetime(2026, 9, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.DATA_DIR = tmp_path
    api.forget_registry()
    yield tmp_path / "standards" / "editions"
    api.forget_registry()


def terms(name: str = "寒假学期") -> CodeSetData:
    found = api.code_set("jyt.xq")
    return replace(found, codes={**found.codes, "7": CodeData("7", name, "Winter")})


def take(import_id: int | None = None, *, code_set: CodeSetData | None = None, base: str | None = None) -> int:
    return api.take_edition(
        actor=SYSTEM,
        title="学期.csv",
        code_sets=[code_set or terms()],
        base=api.editions_base() if base is None else base,
        counts={"code": 1},
        breaks={},
        import_id=import_id,
        now=NOW,
    )


def is_known_elsewhere() -> bool:
    """Whether a process that kept its words looks again and sees the code."""
    words._Seen.until = 0.0
    return api.is_code("jyt.xq", "7")


def test_every_process_sees_what_is_in_force() -> None:
    assert not is_known_elsewhere()
    take()
    api.forget_registry()
    assert is_known_elsewhere()
    # As another process does it: the file changes, and nobody tells this one.
    path = files.editions_dir() / files.IN_FORCE
    path.with_suffix(".new").write_text(json.dumps({"bodies": []}), encoding="utf-8")
    path.with_suffix(".new").replace(path)
    assert not is_known_elsewhere()
    api.switch_editions()
    assert is_known_elsewhere()


@pytest.mark.parametrize("moment", [1, 2])
def test_a_full_disk_leaves_the_old_words_and_the_same_import_completes(
    moment: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first write is the body, the second the switch."""
    written: list[Path] = []
    real = Path.replace

    def full(self: Path, target: Path) -> Path:
        written.append(self)
        if len(written) == moment:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        take(5, base="")
    assert not is_known_elsewhere()
    assert Edition.objects.count() == moment - 1
    monkeypatch.setattr(Path, "replace", real)
    assert take(5, base="") == 1
    assert is_known_elsewhere()
    assert take(5, base="") == 1
    assert Edition.objects.count() == 1


def test_a_body_that_cannot_be_read_keeps_nobody_out(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    take()
    (folder / Edition.objects.get().body).write_text("{", encoding="utf-8")
    api.forget_registry()
    assert api.code_label("sex", "1", "zh") == "男"
    assert not api.is_code("jyt.xq", "7")
    assert "cannot be read" in caplog.text


def test_only_the_latest_is_undone_and_then_the_one_before() -> None:
    take()
    take(code_set=terms("寒假小学期"))
    with pytest.raises(Conflict):
        api.undo_edition(actor=SYSTEM, number=1, now=NOW)
    api.undo_edition(actor=SYSTEM, number=2, now=NOW)
    assert api.code_label("jyt.xq", "7", "zh") == "寒假学期"
    api.undo_edition(actor=SYSTEM, number=2, now=NOW)
    api.undo_edition(actor=SYSTEM, number=1, now=NOW)
    assert not api.is_code("jyt.xq", "7")
    assert [one.is_in_force for one in api.editions()] == [False, False]
    with pytest.raises(NotFound):
        api.undo_edition(actor=SYSTEM, number=9, now=NOW)


def test_words_that_changed_since_the_check_refuse_the_edition() -> None:
    base = api.editions_base()
    take()
    with pytest.raises(Conflict):
        take(base=base)


def test_a_body_says_again_what_it_was_told() -> None:
    for one in (api.code_set("subject"), api.code_set("jyt.xzqh"), terms()):
        again = files.code_set_from(json.loads(api.body_of([one]))["code_sets"][0])
        assert (dict(again.codes), again.parents, again.authority) == (dict(one.codes), one.parents, one.authority)
