"""What datasets and columns are called, and that a title alone changes nothing of how a column is kept."""

from datetime import UTC, datetime

import pyarrow as pa
import pytest
from django.utils.translation import override

from shuren.datahub import api
from shuren.datahub.data import ColumnSpec, DatasetSpec, Reader
from shuren.datahub.selectors.catalogue import column_titles, is_called
from shuren.kernel.data import SYSTEM

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ANSWERS = DatasetSpec(
    "probe.answers",
    ("round",),
    "答题：每题得分",
    "L3",
    "org:1",
    columns={
        "round": ColumnSpec(title_zh="轮次", title_en="Round"),
        "org_path": ColumnSpec(title_zh="机构路径", title_en="Path"),
        "mark": ColumnSpec(title_zh="成绩", title_en="Mark"),
        "rep": ColumnSpec(title_zh="重复组", title_en="Replicate"),
        "r*": ColumnSpec(title_zh="第 {} 题", title_en="Item {}"),
        "ref_*_se": ColumnSpec(title_zh="{} 的误差", title_en="Error of {}"),
        "sex": ColumnSpec(element="person.sex"),
        "phone": ColumnSpec(element="person.phone", title_zh="紧急电话"),
    },
    scope_column="org_path",
    title_zh="答题情况",
    title_en="Answers given",
)


@pytest.mark.parametrize(
    ("column", "titles"),
    [
        ("r12", ("第 12 题", "Item 12")),
        ("rep", ("重复组", "Replicate")),
        ("ref_math_se", ("math 的误差", "Error of math")),
        ("sex", ("性别", "Sex")),
        ("phone", ("紧急电话", "Phone")),
        ("unheard_of", ("", "")),
    ],
)
def test_a_column_is_called_by_its_own_title_its_familys_or_its_elements(column: str, titles: tuple[str, str]) -> None:
    assert column_titles(ANSWERS, column) == titles


@pytest.mark.django_db
def test_titles_that_were_offered_are_the_same_in_every_process() -> None:
    api.offer_dataset(ANSWERS)
    assert ANSWERS in api.known_datasets()
    assert api.dataset_title("probe.answers") == "答题情况"
    with override("en"):
        assert api.dataset_title("probe.answers") == "Answers given"
    assert api.dataset_title("probe.nowhere_at_all") == "probe.nowhere_at_all"


def test_who_has_no_title_is_called_by_the_head_of_its_description_or_its_name() -> None:
    assert DatasetSpec("probe.a", ("k",), "答题：每题得分", "L1", "").title("en") == "答题"
    assert DatasetSpec("probe.a", ("k",), "", "L1", "").title("zh") == "probe.a"


@pytest.mark.parametrize("text", ["答题情况", "answers GIVEN", "datiqingkuang", "probe.answers", "每题", ""])
def test_a_dataset_is_found_by_any_of_its_words(text: str) -> None:
    assert is_called(ANSWERS, text)
    assert not is_called(ANSWERS, "xuexi")


@pytest.mark.django_db
def test_a_title_neither_opens_nor_masks_a_column() -> None:
    api.offer_dataset(ANSWERS)
    rows = pa.table({"org_path": ["1/2/", "1/3/"], "mark": pa.array([1, 2], pa.int16())})
    api.write_partition("probe.answers", {"round": "one"}, rows, actor=SYSTEM, now=NOW)
    reader = Reader(scope=("1/2/",), purpose="checking")
    found = api.query("SELECT round, org_path, mark FROM probe_answers", reader=reader).to_pylist()
    assert found == [{"round": "one", "org_path": "1/2/", "mark": None}]
