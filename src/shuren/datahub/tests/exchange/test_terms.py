"""Names under which things land, for any depth of nodes, and which way reports go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.datahub.rules.exchange.deltas import differences
from shuren.datahub.rules.exchange.terms import TermColumn, Terms, goes_up, landing_spec, terms_as_json, terms_in
from shuren.kernel.errors import Invalid

STATES = st.dictionaries(st.sampled_from([f"year={year}" for year in range(2020, 2027)]), st.sampled_from("abc"))
COLUMN = TermColumn("int64", "L2", "", "none")


def test_what_was_received_can_be_sent_on_through_every_level() -> None:
    spec = landing_spec(Terms("school.marks", "", "L2", ("year",), {"mark": COLUMN}, "duty", "law"), owner="")
    for depth in range(4):
        names = (*spec.partition_keys, *spec.columns, "source_org")
        assert len(set(names)) == len(names) == 4 + 2 * depth
        columns = dict.fromkeys((*spec.columns, "source_org"), COLUMN)
        spec = landing_spec(Terms(spec.name, "", "L2", spec.partition_keys, columns, "duty", "law"), owner="")


def test_terms_come_back_as_they_went_and_others_are_refused() -> None:
    terms = Terms("school.marks", "成绩", "L2", ("year",), {"mark": COLUMN}, "grant", "核对")
    assert terms_in(terms_as_json(terms)).digest == terms.digest
    bare = {"id": {"type": "string", "grade": "L4", "element": "", "mask": "none"}}
    for name, wrong in (
        ("dataset", "../x"),
        ("keys", ["mark"]),
        ("keys", []),
        ("grade", "L9"),
        ("columns", {}),
        ("columns", bare),
    ):
        with pytest.raises(Invalid):
            terms_in({**terms_as_json(terms), name: wrong})


def test_reports_go_up_and_nowhere_else() -> None:
    assert goes_up("school", "county")
    assert goes_up("county", "province")
    assert not goes_up("county", "county")
    assert not goes_up("city", "school")
    assert not goes_up("school", "elsewhere")


@given(now=STATES, acknowledged=STATES)
def test_sending_the_differences_makes_both_sides_the_same(now: dict[str, str], acknowledged: dict[str, str]) -> None:
    changed, gone = differences(now, acknowledged)
    after = {part: state for part, state in (acknowledged | {part: now[part] for part in changed}).items() if part not in gone}
    assert after == now
    assert all(acknowledged.get(part) != now[part] for part in changed)
