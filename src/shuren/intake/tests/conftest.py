"""Files and kinds that the tests of intake share."""

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from shuren.intake.rules import kinds
from shuren.intake.tests import sample_kind


@pytest.fixture
def workbook_bytes() -> Callable[..., bytes]:
    def make(rows: list[list[Any]], **more: list[list[Any]]) -> bytes:
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "学生"
        for row in rows:
            sheet.append(row)
        for title, other in more.items():
            extra = book.create_sheet(title)
            for row in other:
                extra.append(row)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    return make


@pytest.fixture
def package_bytes() -> Callable[..., bytes]:
    def make(members: dict[str, bytes | str]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in members.items():
                archive.writestr(name, body)
        return out.getvalue()

    return make


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, bytes | str], Path]:
    def write(name: str, body: bytes | str) -> Path:
        path = tmp_path / name
        path.write_bytes(body.encode() if isinstance(body, str) else body)
        return path

    return write


@pytest.fixture
def data_dir(tmp_path: Path, settings: Any) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return settings.DATA_DIR


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A kind of import whose rows must say 是 in the column 好."""
    monkeypatch.setattr(kinds, "_kinds", {})
    sample_kind.applied.clear()
    functions = "shuren.intake.tests.sample_kind"
    kinds.register_kind("sample", title="样例", check=f"{functions}.check", apply=f"{functions}.apply")
    yield
    sample_kind.applied.clear()
