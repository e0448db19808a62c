"""Shared by default; withheld, bound to a condition or given freely only where the rules allow."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.datahub.data import SharedColumn, Sharing, SharingAttribute, SharingWay
from shuren.datahub.rules import dialect
from shuren.datahub.rules.sharing import (
    check_given,
    check_terms,
    columns_read,
    default_attribute,
    default_mask,
    reader_of_grant,
    rows_sql,
)
from shuren.datahub.tests.sharing.conftest import SPEC
from shuren.kernel.errors import Invalid
from shuren.standards.data import MaskStyle

TODAY = date(2026, 9, 1)
NAMES = ("name", "phone", "mark", "number")
GRADES = {"name": "L3", "phone": "L3", "mark": "L2", "number": "L4"}
HELD = {name: SharedColumn(name, "", "", "", GRADES[name], "id" if name == "number" else "") for name in NAMES}


def test_nothing_is_withheld_unless_somebody_says_by_which_law() -> None:
    assert [default_attribute(grade) for grade in ("L1", "L2", "L3", "L4")] == [
        SharingAttribute.UNCONDITIONAL,
        *[SharingAttribute.CONDITIONAL] * 3,
    ]
    for attribute in (SharingAttribute.NONE, SharingAttribute.CONDITIONAL):
        with pytest.raises(Invalid):
            check_terms(attribute, "  ", HELD.values())
        check_terms(attribute, "未成年人保护法第七十二条", HELD.values())
    with pytest.raises(Invalid, match="name、number、phone"):
        check_terms(SharingAttribute.UNCONDITIONAL, "", HELD.values())
    check_terms(SharingAttribute.UNCONDITIONAL, "", [HELD["mark"]])


def test_what_is_personal_is_masked_unless_the_owner_says_otherwise() -> None:
    assert [default_mask(HELD[name]).value for name in NAMES] == ["all", "all", "none", "id"]


masks = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([style.value for style in MaskStyle]), max_size=4)
ways = st.lists(st.sampled_from(list(SharingWay)), unique=True).map(tuple)


@given(masks, masks, ways, ways, st.integers(-1, 40), st.integers(0, 40), st.booleans())
def test_no_more_is_given_than_was_asked(
    given_masks: dict[str, str],
    asked_masks: dict[str, str],
    given_ways: tuple[SharingWay, ...],
    asked_ways: tuple[SharingWay, ...],
    given_days: int,
    asked_days: int,
    fit: bool,
) -> None:
    wanted = Sharing(asked_masks, (1,), asked_ways, TODAY + timedelta(days=asked_days))
    gift = Sharing(given_masks, (1,), given_ways, TODAY + timedelta(days=given_days))
    fits = (
        fit
        and {*()} < set(given_masks) <= set(asked_masks)
        and {*()} < set(given_ways) <= set(asked_ways)
        and 0 <= given_days <= asked_days
        and given_masks.get("number") != "none"
    )
    try:
        check_given(gift, wanted, HELD, branches_fit=fit, today=TODAY)
    except Invalid:
        assert not fits
    else:
        assert fits


@given(masks)
def test_a_reader_has_just_the_columns_granted_each_under_its_mask(granted: dict[str, str]) -> None:
    reader = reader_of_grant(SPEC, granted, HELD, paths=("1/2/",), is_region=False, purpose="核对", most_rows=5)
    assert reader.datasets == {SPEC.name}
    assert reader.columns == {SPEC.name: frozenset(granted)}
    told = {name: reader.masks[f"{SPEC.name}.{name}"] for name in granted}
    # A column that became sensitive after the grant is masked from then on.
    assert told == granted | ({"number": "id"} if granted.get("number") == "none" else {})


@pytest.mark.parametrize("limit", [None, 20])
def test_the_questions_keep_to_the_dialect(limit: int | None) -> None:
    sql = rows_sql("probe_shared", ["name", "mark"], offset=40 if limit else 0, limit=limit)
    dialect.check(sql)
    assert dialect.to_spark(dialect.parsed(sql))


@pytest.mark.parametrize(
    ("sql", "read"),
    [
        ("SELECT * FROM probe_shared", ("mark", "name")),
        ("SELECT count(*) AS n FROM probe_shared", ()),
        ("SELECT NAME FROM probe_shared", ("name",)),
        ("SELECT count(*) AS n FROM probe_shared WHERE mark > 3 GROUP BY name", ("mark", "name")),
        ("SELECT t.mark FROM (SELECT * FROM probe_shared) t", ("mark", "name")),
        ("SELECT phone FROM probe_shared", ()),
        # A table's own name is a whole row of it, to DuckDB.
        ("SELECT probe_shared FROM probe_shared", ("mark", "name")),
        ("SELECT max(T) AS n FROM probe_shared AS t", ("mark", "name")),
        ("SELECT count(*) AS n FROM probe_shared AS a JOIN probe_shared AS b USING (name)", ("name",)),
    ],
)
def test_the_trace_names_the_columns_that_a_question_reads(sql: str, read: tuple[str, ...]) -> None:
    assert columns_read(sql, ["name", "mark"]) == read
