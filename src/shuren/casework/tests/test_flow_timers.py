"""What happens by itself: reminders, overdue work, escalation, an outcome for silence, the promise clock."""

from datetime import datetime, timedelta

import pytest
from tests.cast import Cast

from shuren.casework.jobs.flows import fire_timers as fire_job
from shuren.casework.models import Case, CaseEvent, Timer
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.cases.turn_back import return_case, withdraw_case
from shuren.casework.services.timers import fire_timers
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import LEAVE_FORM, flow, open_item, stage, submitted, titles_to
from shuren.kernel.models import AuditEntry, Event


@pytest.fixture
def timed(define: Define, cast: Cast) -> None:
    define("form", LEAVE_FORM)
    late = {"after": {"working_days": 1}, "tell": {"role": "county_officer", "at": "above"}, "outcome": "refuse"}
    define("flow", flow(stage(due={"working_days": 2}, remind=[{"working_days": 1}], late=late), promise={"working_days": 5}))


def notices(cast: Cast, person: str) -> list[str]:
    return titles_to(cast, person)


def acts(case: Case) -> list[str]:
    return list(CaseEvent.objects.filter(case=case).order_by("id").values_list("act", flat=True))


def later(case: Case, timer: str) -> datetime:
    return Timer.objects.get(case=case, kind=timer).due_at


@pytest.mark.usefixtures("timed")
def test_silence_is_reminded_overdue_escalated_and_decided(cast: Cast) -> None:
    case = submitted(cast)
    assert fire_timers(now=cast.now) == 0
    for kind in ("remind", "overdue", "late"):
        due = later(case, kind)
        assert fire_timers(now=due - timedelta(seconds=1)) == 0
        assert fire_timers(now=due) == 1
        assert fire_timers(now=due) == 0
    case.refresh_from_db()
    assert (case.state, case.result) == ("closed", "refused")
    assert notices(cast, "head")[1:] == ["快到期了：校长审批", "已经逾期：校长审批"]
    assert notices(cast, "county_officer") == ["逾期未办：校长审批"]
    assert acts(case)[3:] == ["reminded", "overdue", "escalated", "closed"]
    assert not Timer.objects.filter(case=case, fired_at__isnull=True).exists()


@pytest.mark.usefixtures("timed")
def test_an_answer_in_time_lets_nothing_happen(cast: Cast) -> None:
    case = submitted(cast)
    decide_work(actor=cast.actor("head"), work_id=open_item(case).pk, outcome="agree", now=cast.now)
    assert Timer.objects.count() == 0
    withdrawn = submitted(cast)
    withdraw_case(actor=cast.actor("class_teacher"), case_id=withdrawn.pk, now=cast.now)
    assert fire_timers(now=cast.now + timedelta(days=100)) == 0


def test_a_broken_promise_is_told_to_both_sides(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow(promise={"working_days": 5}))
    case = submitted(cast)
    assert case.due_at == later(case, "promise")
    assert fire_timers(now=later(case, "promise")) == 1
    assert "超过承诺时限" in notices(cast, "head")
    assert "办理超过了承诺时限，正在督办" in notices(cast, "class_teacher")
    assert Event.objects.filter(name="casework.promise_broken").count() == 1


def test_the_promise_clock_stands_still_while_the_filer_corrects(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow(promise={"working_days": 5}))
    case = submitted(cast)
    promised = case.due_at
    assert promised is not None
    return_case(actor=cast.actor("head"), work_id=open_item(case).pk, to="filer", reason="补", now=cast.now)
    assert fire_timers(now=promised) == 1
    assert "overdue" not in acts(case)
    again = submit_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now + timedelta(days=3))
    assert again.due_at == promised + timedelta(days=3)
    assert Timer.objects.get(case=case, kind="promise", fired_at__isnull=True).due_at == again.due_at


def test_silence_that_leads_to_nobody_is_put_down_once(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    late = {"tell": {"role": "expert", "at": "school"}}
    define("flow", flow(stage(due={"hours": 1}, late=late)))
    case = submitted(cast)
    assert fire_timers(now=cast.now + timedelta(hours=2)) == 2
    assert fire_timers(now=cast.now + timedelta(hours=2)) == 0
    assert CaseEvent.objects.get(case=case, details={"failed": "late"}).comment.startswith("“校长审批”这一步找不到办理人")
    assert AuditEntry.objects.filter(action="casework.timer_failed").count() == 1


@pytest.mark.usefixtures("timed")
def test_the_job_fires_all_that_is_due(cast: Cast) -> None:
    submitted(cast)
    Timer.objects.update(due_at=cast.now - timedelta(days=1))

    class Job:
        def progress(self, done: int) -> None:
            assert done

    # The promise falls with the stage's last timer, which closes the case.
    assert fire_job(Job())["timers"] >= 3  # type: ignore[arg-type]
