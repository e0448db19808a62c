"""Two who decide at once: what one changed the other does not undo unseen, and nothing happens twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from tests.cast import Cast

from shuren.casework.models import Case, CaseEvent, CaseTally, Entry, WorkItem
from shuren.casework.services.cases.decide import Edited, decide_work
from shuren.casework.services.tally_cases import tally_cases
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import ENDS, LEAVE_FORM, flow, open_item, stage, submitted
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.kernel.models import Event

LEAVES: dict[str, Any] = {
    "key": "office.leaves",
    "title": {"zh": "请假台账", "en": "Leaves"},
    "at": ["school"],
    "sections": [
        {
            "key": "facts",
            "title": "情况",
            "fields": [{"key": "days", "title": "天数", "type": "integer"}, {"key": "note", "title": "批注", "type": "text"}],
        }
    ],
}
NOTE = {"key": "note", "title": "批注", "type": "text"}
ENTRY = {"register": "office.leaves", "set": {"days": "days", "note": "note"}}


def put(define: Define, decide: str) -> None:
    """A flow whose deciders may change the days; its end writes an entry."""
    define("register", LEAVES)
    define("form", LEAVE_FORM)
    who = {"named_in": "judges.person"} if decide == "all" else {"role": "head", "at": "school"}
    ends = [{**ENDS[0], "entries": [ENTRY]}, ENDS[1]]
    define("flow", flow(stage(decide=decide, who=who, edits=["days"], fields=[NOTE]), ends=ends))


def judged(cast: Cast) -> Case:
    people = [cast.people[key] for key in ("head", "school_admin")]
    return submitted(cast, data={"judges": [{"person": {"id": one.public_id, "name": one.name}} for one in people]})


def test_what_another_changed_is_not_undone_unseen(cast: Cast, define: Define) -> None:
    put(define, "all")
    case = judged(cast)
    items = {key: open_item(case, assignee_id=cast.people[key].id) for key in ("head", "school_admin")}

    def decide(key: str, days: int, revision: int | None) -> Case:
        told = {"outcome": "agree", "edits": {"days": days}, "base_revision": revision}
        return decide_work(actor=cast.actor(key), work_id=items[key].pk, now=cast.now, **told)

    decide("head", 5, case.revision)
    for stale in (case.revision, None):
        with pytest.raises(Edited, match="刚刚被别人改过"):
            decide("school_admin", 9, stale)
    case.refresh_from_db()
    assert (case.data["days"], case.state) == (5, "running")
    assert open_item(case).pk == items["school_admin"].pk
    assert decide("school_admin", 9, case.revision).state == "closed"
    assert Entry.objects.get().data["days"] == 9


def test_the_page_shows_what_it_is_now_and_keeps_what_was_written(cast: Cast, define: Define) -> None:
    put(define, "all")
    case = judged(cast)
    pages = {
        key: f"/work/{ids.encode('work', open_item(case, assignee_id=cast.people[key].id).pk)}/"
        for key in ("head", "school_admin")
    }
    told = {"outcome": "agree", "note": "抓紧", "revision": str(case.revision)}
    assert cast.client("head").post(pages["head"], told | {"days": "5"}).status_code == 302
    # The days are as this one saw them, which is no longer as they are.
    answer = cast.client("school_admin").post(pages["school_admin"], told | {"days": "2", "comment": "看过了"})
    shown = answer.content.decode()
    assert answer.status_code == 409
    case.refresh_from_db()
    for text in ("刚刚被别人改过", "抓紧", "看过了", 'value="5"', f'name="revision" value="{case.revision}"'):
        assert text in shown
    assert case.data["days"] == 5
    again = told | {"days": "5", "revision": str(case.revision)}
    assert cast.client("school_admin").post(pages["school_admin"], again).status_code == 302


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """What each call came to, all begun at the same moment on connections of their own."""
    if connection.vendor != "postgresql":
        pytest.skip("threads of a test share the one connection of a database in memory")
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return call()
        except Conflict as conflict:
            return conflict
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def deciding(actor: Actor, item: WorkItem, case: Case, days: int, cast: Cast) -> Callable[[], Case]:
    return lambda: decide_work(
        actor=actor,
        work_id=item.pk,
        outcome="agree",
        written={"note": str(days)},
        edits={"days": days},
        base_revision=case.revision,
        now=cast.now,
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_of_two_holders_of_an_office_one_decides(cast: Cast, define: Define, _round: int) -> None:
    put(define, "one")
    case = submitted(cast)
    item, head = open_item(case), cast.actor("head")
    found = at_once([deciding(head, item, case, days, cast) for days in (5, 9)])
    (won,) = [one for one in found if isinstance(one, Case)]
    (lost,) = [one for one in found if isinstance(one, Conflict)]
    assert "已经有人处理" in str(lost)
    case.refresh_from_db()
    assert (case.state, case.revision) == ("closed", won.revision)
    entry = Entry.objects.get()
    assert entry.data == {"days": case.data["days"], "note": str(case.data["days"])}
    acts = list(CaseEvent.objects.filter(case=case).values_list("act", flat=True))
    assert [acts.count(act) for act in ("decided", "corrected", "closed")] == [1, 1, 1]
    assert Event.objects.filter(name="casework.case_closed").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(5))
def test_of_two_who_both_must_agree_one_looks_again(cast: Cast, define: Define, _round: int) -> None:
    put(define, "all")
    case = judged(cast)
    items = [(cast.actor(key), open_item(case, assignee_id=cast.people[key].id)) for key in ("head", "school_admin")]
    found = at_once([deciding(actor, item, case, days, cast) for (actor, item), days in zip(items, (5, 9), strict=True)])
    (won,) = [one for one in found if isinstance(one, Case)]
    assert [type(one) for one in found if one is not won] == [Edited]
    fresh = Case.objects.get(pk=case.pk)
    assert (fresh.state, fresh.data["days"], fresh.revision) == ("running", won.data["days"], case.revision + 1)
    (left,) = [(actor, item) for actor, item in items if WorkItem.objects.get(pk=item.pk).state == "open"]
    decide_work(actor=left[0], work_id=left[1].pk, outcome="agree", written={"note": "好"}, now=cast.now)
    assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_cases_are_counted_once_while_they_move(cast: Cast, define: Define) -> None:
    put(define, "one")
    cases = [submitted(cast) for _ in range(8)]
    head = cast.actor("head")
    calls: list[Callable[[], Any]] = [deciding(head, open_item(case), case, 3, cast) for case in cases]
    assert not [one for one in at_once([*calls, *[tally_cases] * 4]) if isinstance(one, Conflict)]
    while tally_cases():
        pass
    for rows in (CaseTally.objects.filter(org__isnull=True), CaseTally.objects.filter(org=cast.orgs["school"].id)):
        assert [(row.state, row.cases) for row in rows.exclude(cases=0)] == [("closed", 8)]
