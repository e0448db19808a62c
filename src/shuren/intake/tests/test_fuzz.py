"""Damaged files are told or read; they never crash a reader and never half-import."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shuren.intake import api
from shuren.intake.data import Table
from shuren.intake.tests.mutations import mutations
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work import api as work

LINES = [f'张{n},三年级{n % 5}班,2015-0{n % 9 + 1}-11,"好, 很""好"""' for n in range(40)]
CSV = "\n".join(["姓名,班级,出生日期,备注", *LINES, ""]).encode()


def read_through(table: Table) -> None:
    last = 0
    for row in table.rows:
        assert row.number > last
        assert len(row.values) == len(table.header)
        assert all(isinstance(value, str) and "\x00" not in value for value in row.values)
        assert all(finding.row == row.number and finding.reason for finding in row.findings)
        last = row.number


def read_file(path: Path) -> None:
    if api.form_of(path) != "zip":
        read_through(api.open_table(path))
        return
    with api.open_package(path) as package:
        for name in package.names:
            read_through(package.open_table(name))


def is_told(path: Path) -> bool:
    """Whether the file cannot be read and its finding says so; anything else it raises fails the test."""
    try:
        read_file(path)
    except api.UnreadableFile as error:
        return bool(error.finding.reason)
    return False


def test_damaged_text_is_read_or_told(tmp_path: Path) -> None:
    _read_all(tmp_path, CSV, "csv", 300)


def test_damaged_workbooks_are_read_or_told(tmp_path: Path, workbook_bytes: Callable[..., bytes]) -> None:
    rows: list[list[Any]] = [["姓名", "班级", "数"], *([f"张{n}", f"{n % 5}班", n * 1.5] for n in range(40))]
    _read_all(tmp_path, workbook_bytes(rows, 教师=[["姓名"], ["王"]]), "xlsx", 150)


def test_damaged_packages_are_read_or_told(tmp_path: Path, package_bytes: Callable[..., bytes]) -> None:
    _read_all(tmp_path, package_bytes({"a.csv": CSV, "b/manifest.csv": "a,b\n1,2\n"}), "zip", 150)


def _read_all(folder: Path, base: bytes, kind: str, count: int) -> None:
    told = 0
    for number, data in enumerate(mutations(2026, count, base, kind)):
        path = folder / f"{number}.{kind}"
        path.write_bytes(data)
        told += is_told(path)
        path.unlink()
    assert 0 < told < count


@pytest.mark.parametrize("kind", ["csv", "xlsx", "zip"])
def test_the_same_seed_does_the_same_damage(kind: str) -> None:
    assert list(mutations(7, 20, CSV, kind)) == list(mutations(7, 20, CSV, kind))
    assert len(set(mutations(7, 20, CSV, kind))) > 10


@pytest.mark.django_db
@pytest.mark.usefixtures("sample", "data_dir")
def test_a_damaged_import_is_rejected_or_ready_but_never_applied_by_itself() -> None:
    import_ids = send_all()
    states = {api.import_state(import_id).status for import_id in import_ids}
    assert states <= {"rejected", "ready", "failed"}
    assert "rejected" in states
    for import_id in import_ids:
        assert api.error_workbook(import_id).stat().st_size > 0


def send_all() -> list[int]:
    base = ("姓名,好\n" + "甲,是\n乙,否\n" * 10).encode()
    import_ids = []
    for data in mutations(5, 40, base, "csv"):
        if data:
            content = io.BytesIO(data)
            import_ids.append(
                api.start_import(actor=SYSTEM, kind="sample", file_name="样例.csv", content=content, now=clock.now())
            )
    work.run_pending()
    return import_ids
