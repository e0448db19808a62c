"""The checks that a draw opens: one for each object, given to the inspectors who were drawn, none twice."""

from datetime import timedelta
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.models import Case, Draw, WorkItem
from shuren.casework.selectors.draw_results import drawn_rows
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.draws import open_cases as opening
from shuren.casework.services.draws.open_cases import open_cases
from shuren.casework.services.draws.publish import publish_draw
from shuren.casework.tests.draw_registers import PEOPLE, drawn, put_registers
from shuren.kernel import ids
from shuren.kernel.errors import Conflict

pytestmark = pytest.mark.database

WORKERS = {f"检查员{number}": key for number, key in enumerate(PEOPLE)}

FORM = {
    "key": "sup.check",
    "title": "检查表",
    "sections": [
        {
            "key": "main",
            "title": "检查",
            "fields": [
                {"key": "thing", "title": "对象", "type": "entry", "register": "sup.canteens"},
                {"key": "draw", "title": "抽取编号", "type": "text"},
                {
                    "key": "inspectors",
                    "title": "检查人员",
                    "type": "table",
                    "columns": [{"key": "person", "title": "姓名", "type": "person"}],
                },
            ],
        }
    ],
}
FLOW = {
    "key": "sup.check_flow",
    "title": "检查",
    "form": "sup.check",
    "filed_by": {"roles": ["county_officer"]},
    "stages": [
        {
            "key": "check",
            "title": "现场检查",
            "who": {"named_in": "inspectors.person"},
            "decide": "all",
            "outcomes": [{"key": "good", "title": "合格", "to": "end:good"}, {"key": "bad", "title": "不合格", "to": "end:bad"}],
        }
    ],
    "ends": [{"key": "good", "title": "合格", "result": "done"}, {"key": "bad", "title": "不合格", "result": "refused"}],
}


@pytest.fixture
def published(cast: Cast, define: Any) -> Draw:
    define("form", FORM)
    define("flow", FLOW)
    put_registers(cast, define, flow="sup.check_flow", inspectors_each=1, has_people=True)
    draw = drawn(cast)
    return publish_draw(actor=cast.actor("county_officer"), draw_id=draw.pk, now=cast.now + timedelta(hours=3))


def test_every_drawn_object_gets_one_check_with_its_inspectors(cast: Cast, published: Draw) -> None:
    later = cast.now + timedelta(hours=4)
    assert open_cases(draw_id=published.pk, now=later) == 5
    assert open_cases(draw_id=published.pk, now=later) == 0
    people = {ticket["id"]: ticket["label"] for ticket in published.inspectors_pool}
    cases = {row["object"]: Case.objects.get(origin=f"draw:{published.pk}:{row['object']}") for row in published.result}
    for row in published.result:
        case = cases[row["object"]]
        assert case.data["thing"]["id"] == row["object"]
        assert case.data["draw"] == ids.encode("draw", published.pk)
        names = [WORKERS[people[name]] for name in row["inspectors"]]
        asked = WorkItem.objects.filter(case=case).values_list("assignee__name", flat=True)
        assert sorted(asked) == sorted(cast.people[name].name for name in names)


def test_results_are_told_to_the_public_when_a_check_is_closed(cast: Cast, published: Draw) -> None:
    later = cast.now + timedelta(hours=4)
    open_cases(draw_id=published.pk, now=later)
    work = WorkItem.objects.order_by("pk").first()
    assert work is not None
    key = next(key for key, person in cast.people.items() if person.id == work.assignee_id)
    assert {row.ended for row in drawn_rows(published)} == {""}
    decide_work(actor=cast.actor(key), work_id=work.pk, outcome="bad", comment="没有留样", now=later)
    assert sorted(row.ended for row in drawn_rows(published)) == ["", "", "", "", "不合格"]
    assert {row.case_number for row in drawn_rows(published)} == {""}


def test_a_killed_opening_goes_on_where_it_stopped(cast: Cast, published: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def killed(**told: Any) -> Case:
        calls.append(told)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(**told)

    real = opening.submit_case
    monkeypatch.setattr(opening, "submit_case", killed)
    later = cast.now + timedelta(hours=4)
    with pytest.raises(KeyboardInterrupt):
        open_cases(draw_id=published.pk, now=later)
    assert Case.objects.count() == 2
    assert open_cases(draw_id=published.pk, now=later) == 3
    assert Case.objects.count() == len({case.origin for case in Case.objects.all()}) == 5


def test_checks_are_sent_once(cast: Cast, published: Draw) -> None:
    with pytest.raises(Conflict):
        publish_draw(actor=cast.actor("county_officer"), draw_id=published.pk, now=cast.now + timedelta(hours=5))
