"""Damaged files: whatever comes in is refused in words or read whole; nothing crashes, nothing is half-imported."""

import pytest

from shuren.assessment.models import Assessment, Item
from shuren.assessment.services.check.run import check_results
from shuren.assessment.tests.conftest import NOW, Cast, package_of, sheets_of, workbook_of
from shuren.intake import api as intake
from shuren.intake.tests.mutations import mutations
from shuren.kernel.data import SYSTEM

SEED = 20261121


class _Silent:
    """A job that nobody watches."""

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        return None


def survive(cast: Cast, kind: str, count: int) -> None:
    sheets = sheets_of(cast)
    base = workbook_of(sheets) if kind == "xlsx" else package_of(sheets)
    ends: dict[str, int] = {}
    for number, content in enumerate(mutations(SEED, count, base, kind)):
        if not content:
            continue
        path = intake.import_dir(0).parent / f"fuzz-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        import_id = intake.start_import(
            actor=SYSTEM, kind="results", file_name=f"results.{kind}", content=path, options={}, now=NOW
        )
        path.unlink()
        intake.record_checking(import_id)
        check_results(_Silent(), import_id)  # type: ignore[arg-type]
        state = intake.import_state(import_id)
        ends[state.status] = ends.get(state.status, 0) + 1
        assert state.status in {"ready", "rejected"}
        assert (state.error_count > 0) == (state.status == "rejected")
    assert ends.get("rejected", 0) > count // 2
    assert not Assessment.objects.exists()
    assert not Item.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["zip", "xlsx"])
def test_two_hundred_and_fifty_damaged_files(cast: Cast, kind: str) -> None:
    survive(cast, kind, 125)


@pytest.mark.soak
@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["zip", "xlsx"])
def test_five_thousand_damaged_files(cast: Cast, kind: str) -> None:
    survive(cast, kind, 2_500)
