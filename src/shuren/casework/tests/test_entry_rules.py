"""Rules of registers without a database: what makes two things one, and what lists go by."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.rules.identity import folded, folded_label, identity_of
from shuren.casework.rules.registers import (
    RegisterAccess,
    changes_between,
    form_without,
    indexed_values,
    is_personal,
    masked_data,
    moves_from,
    place_of,
)
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.tests.register_bodies import ROOMS, room
from shuren.standards.data import Grade

SPEC = RegisterSpec.model_validate(ROOMS)
GRADED = SPEC.model_copy(
    update={
        "sections": tuple(
            section.model_copy(
                update={"fields": tuple(one.model_copy(update={"grade": one.grade or Grade.INTERNAL}) for one in section.fields)}
            )
            for section in SPEC.sections
        )
    }
)


@pytest.mark.parametrize(
    ("one", "other"),
    [("第一中学（东校区）", "第一 中学(东校区)"), ("ＡＢＣ－１", "abc1"), ("东湖·小学", "东湖小学"), ("A 1", "a\u3000１")],
)
def test_names_are_alike_whatever_the_width_case_spaces_and_signs(one: str, other: str) -> None:
    assert folded(one) == folded(other)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_a_name_of_signs_alone_is_still_a_name() -> None:
    assert folded_label("——") == "——"


@given(st.text(min_size=1, max_size=20), st.integers(1, 9), st.integers(1, 9))
def test_identity_is_of_the_org_unless_it_is_of_the_whole_register(number: str, here: int, there: int) -> None:
    data = {"number": f"n{number}"}
    everywhere = SPEC.model_copy(update={"is_identity_global": True})
    assert (identity_of(SPEC, data, org_id=here) == identity_of(SPEC, data, org_id=there)) == (here == there)
    assert identity_of(everywhere, data, org_id=here) == identity_of(everywhere, data, org_id=there)


def test_what_is_not_filled_identifies_nothing() -> None:
    assert identity_of(SPEC, {"number": ""}, org_id=1) == ""
    assert identity_of(SPEC.model_copy(update={"identity": ()}), room(), org_id=1) == ""


def test_dashes_of_a_number_tell_things_apart() -> None:
    assert identity_of(SPEC, {"number": "1-2"}, org_id=1) != identity_of(SPEC, {"number": "12"}, org_id=1)


def test_every_indexed_field_has_a_value_that_lists_go_by() -> None:
    found = {one.field: (one.text, one.number) for one in indexed_values(SPEC, room(built="1970-01-02"))}
    assert found == {"number": ("A101", None), "kind": ("class", None), "seats": ("45", 45.0), "built": ("1970-01-02", 719164.0)}
    empty = {one.field: (one.text, one.number) for one in indexed_values(SPEC, {})}
    assert set(empty) == set(found)
    assert set(empty.values()) == {("", None)}


@pytest.mark.parametrize(
    ("state", "following"), [("planned", ["in_use"]), ("closed", []), ("lost", ["planned", "in_use", "closed"])]
)
def test_states_follow_as_the_register_says(state: str, following: list[str]) -> None:
    assert [one.key for one in moves_from(SPEC, state)] == following


@pytest.mark.parametrize("spot", [None, {"lon": 1.0}, "113,23"])
def test_without_a_whole_place_nothing_stands_on_the_map(spot: Any) -> None:
    assert place_of(SPEC, {"spot": spot}) == (None, None)


def test_a_branch_reaches_what_is_in_it_alone() -> None:
    access = RegisterAccess(read_paths=("1/2/",), write_paths=("1/2/3/",))
    assert access.may_read("1/2/3/")
    assert not access.may_read("1/22/")
    assert access.may_write("1/2/3/4/")
    assert not access.may_write("1/2/")


def test_hidden_values_leave_stars() -> None:
    data = room(keeper_phone="13800000000", keeper_id="440103201501011234")
    hidden = masked_data(GRADED, data, mask=lambda text, element: text)
    assert (hidden["keeper_phone"], hidden["keeper_id"], hidden["seats"]) == ("***", "***", 45)
    most = masked_data(GRADED, data, mask=lambda text, element: text, sensitive_only=True)
    assert (most["keeper_phone"], most["keeper_id"]) == ("13800000000", "***")


@given(
    st.dictionaries(st.sampled_from(["name", "number", "seats", "built"]), st.one_of(st.none(), st.just(""), st.integers(1, 5)))
)
def test_nothing_changes_between_the_same(data: dict[str, Any]) -> None:
    assert changes_between(SPEC, data, data) == []
    assert changes_between(SPEC, {}, {"name": "", "built": None}) == []


def test_a_page_asks_only_what_its_reader_may_see() -> None:
    assert {field.key for field in form_without(GRADED, is_personal).fields} == {
        "name",
        "number",
        "kind",
        "seats",
        "built",
        "spot",
    }
    assert form_without(GRADED, lambda field: True).sections == ()
