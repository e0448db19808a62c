"""What a new edition breaks, and what is left once it is taken."""

from collections.abc import Mapping
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.standards.data import Authority, BreakKind, CodeData, CodeSetData, EditionRow, SetDraft
from shuren.standards.rules.editions import breaks_of, changes, is_same_name, set_after

DAY = date(2026, 9, 1)
CURRENT = CodeSetData(
    "jyt.kq",
    "考勤",
    "",
    Authority.INDUSTRY,
    codes={
        "1": CodeData("1", "出勤", "Present"),
        "2": CodeData("2", "病假", "Ill"),
        "3": CodeData("3", "旷课", "", end=date(2020, 1, 1)),
    },
)


def draft(*rows: EditionRow, ends_on: date | None = None) -> SetDraft:
    return SetDraft("jyt.kq", "Sheet1", 2, ends_on=ends_on, rows={row.code: row for row in rows})


def row(code: str, name: str, **more: object) -> EditionRow:
    return EditionRow("Sheet1", int(code) + 1 if code.isdigit() else 9, code, name, **more)  # type: ignore[arg-type]


def found(
    told: SetDraft, *, used_by: list[str] | None = None, stored: Mapping[str, int] | None = None
) -> list[tuple[str, str, bool]]:
    breaks = breaks_of(
        told,
        CURRENT,
        on=DAY,
        is_own=False,
        is_hidden=False,
        used_by=used_by or [],
        counted=lambda _set, codes: {code: count for code, count in (stored or {}).items() if code in codes},
    )
    return [(one.kind.value, one.code, one.is_error) for one in breaks]


class TestBreaks:
    def test_the_same_again_breaks_nothing(self) -> None:
        assert found(draft(row("1", "出勤"), row("2", " 病 假"), row("3", "旷课"))) == []

    def test_a_code_that_is_gone_is_told_with_what_states_it(self) -> None:
        told = list(
            breaks_of(
                draft(row("1", "出勤")),
                CURRENT,
                on=DAY,
                is_own=False,
                is_hidden=False,
                used_by=["person.attendance"],
                counted=lambda _set, _codes: {"2": 1234},
            )
        )
        assert [(one.kind, one.code, one.is_error) for one in told] == [(BreakKind.CODE_GONE, "2", False)]
        assert told[0].value == "jyt.kq 2 病假 × 1,234 (person.attendance)"

    def test_a_code_that_ended_long_ago_may_be_left_out(self) -> None:
        assert found(draft(row("1", "出勤"), row("2", "病假"))) == []

    def test_another_name_is_another_meaning_unless_it_is_said_to_be_the_same(self) -> None:
        same = (row("1", "出勤"), row("3", "旷课"))
        assert found(draft(*same, row("2", "事假"))) == [("reused", "2", True)]
        assert found(draft(*same, row("2", "因病请假", former_name="病假"))) == [("renamed", "2", False)]
        assert found(draft(*same, row("2", "因病请假", former_name="事假"))) == [("reused", "2", True)]

    def test_an_ended_code_never_comes_back_with_another_meaning(self) -> None:
        assert ("reused", "3", True) in found(draft(row("1", "出勤"), row("2", "病假"), row("3", "迟到", begin=DAY)))

    def test_successors_must_be_there_and_lead_somewhere(self) -> None:
        kept = (row("1", "出勤"), row("3", "旷课"))
        assert found(draft(*kept, row("2", "病假", end=DAY, replaced_by="7"))) == [("no_successor", "2", True)]
        circle = found(draft(*kept, row("2", "病假", replaced_by="4"), row("4", "请假", replaced_by="2")))
        assert [one for one in circle if one[0] == "circle"] == [("circle", "2", True), ("circle", "4", True)]

    def test_a_code_that_ends_while_stored_wants_a_successor(self) -> None:
        kept = (row("1", "出勤"), row("3", "旷课"))
        assert found(draft(*kept, row("2", "病假", end=DAY)), stored={"2": 5}) == [("code_ends", "2", False)]
        assert found(draft(*kept, row("2", "病假", end=DAY, replaced_by="1")), stored={"2": 5}) == []
        assert found(draft(*kept, row("2", "病假", end=DAY))) == []

    def test_a_set_that_elements_take_values_from_does_not_go(self) -> None:
        assert ("set_gone", "", True) in found(draft(ends_on=DAY), used_by=["person.attendance"])
        assert all(not is_error for _kind, _code, is_error in found(draft(ends_on=DAY)))

    @pytest.mark.parametrize(("flag", "kind"), [("is_own", "own_set"), ("is_hidden", "hidden")])
    def test_sets_of_the_platform_and_of_the_region_stay(self, flag: str, kind: str) -> None:
        flags = {"is_own": False, "is_hidden": False, flag: True}
        told = list(
            breaks_of(draft(row("1", "出勤"), row("2", "病假")), CURRENT, on=DAY, used_by=[], counted=lambda *_: {}, **flags)
        )
        assert [one.kind.value for one in told] == [kind]
        assert told[0].is_error == (flag == "is_own")


class TestAfter:
    def test_what_is_left_out_ends_and_keeps_its_name(self) -> None:
        after = set_after(draft(row("1", "出勤"), row("4", "事假")), CURRENT, on=DAY)
        assert list(after.codes) == ["1", "4", "2", "3"]
        assert (after.codes["2"].name_zh, after.codes["2"].end) == ("病假", DAY)
        assert after.codes["3"].end == date(2020, 1, 1)
        assert after.codes["1"].name_en == "Present"
        assert changes(after, CURRENT) == {"added": 1, "changed": 0, "ended": 1, "unchanged": 2}

    names = st.text("出勤病假旷课事公", min_size=1, max_size=3)
    codes = st.dictionaries(st.sampled_from("123456789"), names, max_size=6)

    @given(before=codes, told=codes)
    def test_no_code_is_ever_lost_and_none_changes_its_meaning_unseen(self, before: dict[str, str], told: dict[str, str]) -> None:
        current = CodeSetData(
            "jyt.x", "某", "", Authority.INDUSTRY, codes={code: CodeData(code, name, "") for code, name in before.items()}
        )
        new = SetDraft("jyt.x", "", 1, rows={code: row(code, name) for code, name in told.items()})
        breaks = list(breaks_of(new, current, on=DAY, is_own=False, is_hidden=False, used_by=[], counted=lambda *_: {}))
        after = set_after(new, current, on=DAY)
        assert set(after.codes) == set(before) | set(told)
        assert sum(changes(after, current).values()) == len(after.codes)
        if not any(one.is_error for one in breaks):
            assert all(is_same_name(after.codes[code].name_zh, name) for code, name in before.items())
        assert {one.code for one in breaks if one.kind is BreakKind.CODE_GONE} == set(before) - set(told)
        again = set_after(SetDraft("jyt.x", "", 1, rows=new.rows), after, on=DAY)
        assert again == after
