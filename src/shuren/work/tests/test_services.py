from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation
from django.utils.translation import gettext_lazy

from shuren.kernel import clock, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.kernel.models import AuditEntry, Event
from shuren.work import api
from shuren.work.data import JobState, JobStatus
from shuren.work.jobs import sweep
from shuren.work.models import Job
from shuren.work.services import lease, loop, run
from shuren.work.tests import sample_jobs

pytestmark = pytest.mark.django_db
SAMPLE = "shuren.work.tests.sample_jobs"
OWNER = Actor(person_id=1, account_id=11, name="张老师")
STRANGER = Actor(person_id=2, account_id=22, name="李老师")


@pytest.fixture(autouse=True)
def calls() -> list[Any]:
    sample_jobs.calls.clear()
    return sample_jobs.calls


def put(name: str, **options: Any) -> int:
    args = options.pop("args", {})
    return api.enqueue(f"{SAMPLE}.{name}", args, **options)


def make_due() -> None:
    Job.objects.filter(status=JobStatus.QUEUED).update(run_after=clock.now())


def claimed(worker: str = "w") -> Job:
    job = lease.claim_next(worker_name=worker, now=clock.now())
    assert job is not None
    return job


def expire_leases() -> None:
    Job.objects.update(lease_until=clock.now() - timedelta(seconds=1))


class TestEnqueue:
    def test_a_job_runs_with_its_arguments_and_keeps_its_result(self, calls: list[Any]) -> None:
        job_id = put("note", args={"class_id": 3}, title="点名", actor=OWNER)
        assert api.run_pending() == 1
        state = api.job_state(job_id)
        assert (state.status, state.result, state.title) == (JobStatus.DONE, {"seen": {"class_id": 3}}, "点名")
        assert state.finished_at is not None
        assert calls == [{"job_id": job_id, "attempt": 1, "class_id": 3}]

    def test_a_title_is_said_in_the_readers_language(self) -> None:
        with translation.override("en"):
            job_id = put(
                "note", title=gettext_lazy("任务名称不合法：%(name)s"), title_words={"name": gettext_lazy("请再试一次。")}
            )
            plain = put("note", title=gettext_lazy("请再试一次。"))
            # What somebody wrote stays as it is, even if it looks like something of ours.
            written = put("note", title=gettext_lazy("任务名称不合法：%(name)s"), title_words={"name": "请再试一次。"})
            bare = put("note", title="100 % 点名")
        for language, titles in {
            "en": [
                "This is not a name of a job: Please try again.",
                "Please try again.",
                "This is not a name of a job: 请再试一次。",
            ],
            "zh-hans": ["任务名称不合法：请再试一次。", "请再试一次。", "任务名称不合法：请再试一次。"],
        }.items():
            with translation.override(language):
                states = api.job_states([job_id, plain, written, bare])
                assert [states[key].title for key in (job_id, plain, written, bare)] == [*titles, "100 % 点名"]

    def test_a_rolled_back_caller_leaves_no_job(self) -> None:
        def broken_caller() -> None:
            with transaction.atomic():
                put("note")
                raise IntegrityError

        with pytest.raises(IntegrityError):
            broken_caller()
        assert Job.objects.count() == 0

    def test_a_key_is_accepted_once_among_live_jobs(self) -> None:
        first = put("note", key="k")
        assert put("note", key="k") == first
        assert put("note", key="other") != first
        api.run_pending()
        assert put("note", key="k") != first

    def test_a_key_used_once_is_used_for_ever(self) -> None:
        first = put("note", key="k", is_once=True)
        api.run_pending()
        assert put("note", key="k", is_once=True) == first
        assert put("note", key="k") == first

    def test_jobs_without_a_key_do_not_collide(self) -> None:
        assert put("note") != put("note")

    @pytest.mark.parametrize("name", ["os.system", "django.core.management.call_command", "shuren"])
    def test_functions_of_other_packages_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match="not a function of shuren"):
            api.enqueue(name)

    def test_a_name_that_came_into_the_table_otherwise_is_not_run(self) -> None:
        job_id = put("note")
        Job.objects.filter(pk=job_id).update(name="os.getcwd")
        api.run_pending()
        assert api.job_state(job_id).status == JobStatus.FAILED

    def test_a_job_waits_for_its_time(self) -> None:
        put("note", run_after=clock.now() + timedelta(hours=1))
        assert api.run_pending() == 0

    def test_a_job_speaks_the_language_of_who_asked(self) -> None:
        with translation.override("en"):
            job_id = put("speak")
        api.run_pending()
        assert api.job_state(job_id).result == {"language": "en"}


class TestFailure:
    def test_a_job_is_tried_again_until_it_succeeds(self, calls: list[Any]) -> None:
        job_id = put("fail", args={"until": 3})
        for _ in range(3):
            make_due()
            api.run_pending()
        assert calls == [1, 2, 3]
        assert (api.job_state(job_id).status, api.job_state(job_id).error) == (JobStatus.DONE, "")

    def test_the_next_try_waits(self) -> None:
        put("fail")
        assert api.run_pending() == 1
        assert Job.objects.get().run_after > clock.now()

    def test_a_job_that_never_succeeds_fails_and_says_so(self, calls: list[Any]) -> None:
        job_id = put("fail", max_attempts=2)
        for _ in range(4):
            make_due()
            api.run_pending()
        state = api.job_state(job_id)
        assert calls == [1, 2]
        assert state.status == JobStatus.FAILED
        assert state.error == f"程序内部出错（RuntimeError）。请把任务编号 {job_id} 告诉管理员。"
        assert "secret detail" not in state.error
        assert "secret detail 2" in Job.objects.get(pk=job_id).error_detail
        told = Event.objects.get(name="work.job_failed").payload
        assert told["job_id"] == job_id

    def test_what_is_invalid_is_not_tried_again_and_keeps_its_words(self, calls: list[Any]) -> None:
        job_id = put("refuse")
        api.run_pending()
        make_due()
        api.run_pending()
        assert calls == [1]
        assert api.job_state(job_id).error == "第 3 行不对。 请改正。"

    def test_a_conflict_may_pass_and_is_tried_again(self) -> None:
        job_id = put("clash")
        api.run_pending()
        assert (api.job_state(job_id).status, api.job_state(job_id).error) == (JobStatus.QUEUED, "正忙。")

    def test_a_failing_job_is_undone_alone(self) -> None:
        put("break_the_transaction")
        done = put("note")
        api.run_pending()
        assert not AuditEntry.objects.filter(action="work.tried").exists()
        assert api.job_state(done).status == JobStatus.DONE

    def test_the_second_run_goes_on_from_the_checkpoint(self, calls: list[Any]) -> None:
        job_id = put("step", args={"upto": 4, "fail_at": 2})
        api.run_pending()
        assert Job.objects.get(pk=job_id).state == {"done": 2}
        make_due()
        api.run_pending()
        assert calls == [0, 1, 2, 2, 3]
        state = api.job_state(job_id)
        assert (state.done, state.total, state.note, state.share) == (4, 4, "第 4 步", 1.0)

    def test_a_checkpoint_is_lost_with_its_transaction(self, calls: list[Any]) -> None:
        put("checkpoint_in_failing_transaction")
        api.run_pending()
        make_due()
        api.run_pending()
        assert calls == [{}]


class TestLease:
    def test_a_claimed_job_is_nobody_elses(self) -> None:
        put("note")
        claimed()
        assert lease.claim_next(worker_name="other", now=clock.now()) is None

    def test_the_job_due_longest_comes_first(self) -> None:
        late = put("note", run_after=clock.now() - timedelta(minutes=1))
        early = put("note", run_after=clock.now() - timedelta(minutes=2))
        assert [claimed().pk, claimed().pk] == [early, late]

    def test_an_expired_lease_returns_the_job(self) -> None:
        job_id = put("note")
        claimed()
        assert lease.return_expired(now=clock.now()) == 0
        expire_leases()
        assert lease.return_expired(now=clock.now()) == 1
        assert (claimed("second").pk, Job.objects.get().attempt) == (job_id, 2)

    def test_a_worker_spares_its_own_jobs(self) -> None:
        put("note")
        mine = claimed()
        expire_leases()
        assert lease.return_expired(now=clock.now(), except_tokens=[mine.leased_by]) == 0

    def test_a_worker_that_lost_its_lease_cannot_write_anything(self) -> None:
        put("note")
        lost = claimed("slow")
        expire_leases()
        lease.return_expired(now=clock.now())
        held = claimed("quick")
        now = clock.now()
        token = {"job_id": lost.pk, "token": lost.leased_by, "now": now, "progress": {"done": 9}}
        with pytest.raises(lease.LeaseLost):
            lease.record_done(job=lost, now=now, result={"who": "slow"}, progress={}, is_cancelled=False)
        with pytest.raises(lease.LeaseLost):
            lease.record_failure(job=lost, now=now, error="x", detail="", may_run_again=True, progress={})
        with pytest.raises(lease.LeaseLost):
            lease.release(job=lost, now=now, progress={})
        with pytest.raises(lease.LeaseLost):
            lease.keep_lease(**token)
        with pytest.raises(lease.LeaseLost):
            lease.keep_state(**token, state={"x": 1})
        standing = Job.objects.get()
        assert (standing.leased_by, standing.status, standing.done, standing.state) == (held.leased_by, "running", 0, {})

    def test_a_job_stops_at_its_next_word_once_its_lease_is_lost(self) -> None:
        put("step", args={"upto": 3, "fail_at": 9})
        lost = claimed("slow")
        expire_leases()
        lease.return_expired(now=clock.now())
        run.run_job(lost, pulse=None)
        assert (Job.objects.get().status, Job.objects.get().done) == ("queued", 0)

    def test_strandings_are_forgiven_by_a_checkpoint_and_end_without(self) -> None:
        put("note")
        for turn in range(25):
            job = claimed()
            if turn == 3:
                lease.keep_state(job_id=job.pk, token=job.leased_by, now=clock.now(), state={}, progress={})
            expire_leases()
            lease.return_expired(now=clock.now())
        assert (Job.objects.get().status, Job.objects.get().strandings) == ("queued", 22)
        for _ in range(3):
            claimed()
            expire_leases()
            lease.return_expired(now=clock.now())
        assert Job.objects.get().status == "failed"
        assert Event.objects.filter(name="work.job_failed").count() == 1

    def test_going_home_counts_as_no_failure(self, calls: list[Any]) -> None:
        put("go_home", max_attempts=1)
        assert api.run_pending() == 2
        assert calls == [{"done": 7}]
        assert Job.objects.get().failures == 0

    def test_progress_is_written_at_most_twice_a_second(self, django_assert_num_queries: Any) -> None:
        put("note")
        running = run.RunningJob(claimed(), pulses_inline=True)
        with django_assert_num_queries(0):
            for number in range(1000):
                running.progress(number, 1000)
        running._look_at -= 1
        running.progress(1000, 1000, "完成")
        assert (Job.objects.get().done, Job.objects.get().note) == (1000, "完成")


class TestCancel:
    def test_a_waiting_job_ends_at_once(self, calls: list[Any]) -> None:
        job_id = put("note", actor=OWNER)
        api.cancel_job(actor=OWNER, job_id=job_id, now=clock.now())
        api.run_pending()
        assert calls == []
        assert api.job_state(job_id).status == JobStatus.CANCELLED
        assert Event.objects.get(name="work.job_cancelled").payload["job_id"] == job_id
        assert AuditEntry.objects.get(action="work.job_cancelled").target == f"job:{job_id}"

    @pytest.mark.parametrize(("looks", "status"), [(True, JobStatus.CANCELLED), (False, JobStatus.DONE)])
    def test_a_running_job_ends_as_cancelled_if_it_looked(self, looks: bool, status: JobStatus) -> None:
        job_id = put("cancel_itself", args={"looks": looks})
        api.run_pending()
        assert api.job_state(job_id).status == status

    def test_strangers_do_not_find_the_job(self) -> None:
        job_id = put("note", actor=OWNER)
        with pytest.raises(NotFound):
            api.cancel_job(actor=STRANGER, job_id=job_id, now=clock.now())
        with pytest.raises(NotFound):
            api.access_job(actor=STRANGER, id=job_id)
        assert api.access_job(actor=STRANGER, id=job_id, may_see_all=True).id == job_id
        api.cancel_job(actor=STRANGER, job_id=job_id, now=clock.now(), may_cancel_any=True)

    def test_what_has_ended_cannot_be_cancelled(self) -> None:
        job_id = put("note", actor=OWNER)
        api.run_pending()
        with pytest.raises(Conflict):
            api.cancel_job(actor=OWNER, job_id=job_id, now=clock.now())

    def test_a_cancelled_job_whose_worker_died_does_not_come_back(self) -> None:
        job_id = put("note", actor=OWNER)
        claimed()
        api.cancel_job(actor=OWNER, job_id=job_id, now=clock.now())
        expire_leases()
        lease.return_expired(now=clock.now())
        assert api.job_state(job_id).status == JobStatus.CANCELLED


class TestLoop:
    def test_each_subscriber_hears_an_event_once(self, calls: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(events._subscribers, "work.test_told", [f"{SAMPLE}.note", f"{SAMPLE}.speak"])
        events.publish("work.test_told", {"a": 1})
        events.publish("work.unheard", {})
        monkeypatch.setattr(sample_jobs, "speak", lambda job, **args: calls.append("speak"))
        assert api.run_pending() == 2
        assert api.run_pending() == 0
        assert [call if call == "speak" else call["payload"] for call in calls] == [{"a": 1}, "speak"]
        assert not Event.objects.filter(dispatched_at__isnull=True).exists()

    def test_periodic_jobs_come_once_in_a_period(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loop, "_periodic", {f"{SAMPLE}.note": timedelta(hours=1)})
        now = clock.now()
        for moment in (now, now, now + timedelta(hours=1), now + timedelta(hours=1)):
            # Another worker knows nothing of what this one put in.
            monkeypatch.setattr(loop, "_last_slots", {})
            loop.enqueue_periodic(now=moment)
            api.run_pending()
        assert Job.objects.count() == 2

    def test_a_foreign_function_cannot_become_periodic(self) -> None:
        with pytest.raises(ValueError, match="not a function"):
            api.register_periodic("os.getcwd", timedelta(days=1))

    def test_run_pending_stops_at_its_limit(self) -> None:
        for _ in range(3):
            put("note")
        assert [api.run_pending(2), api.run_pending(), api.count_live()] == [2, 1, 0]

    def test_waiting_works_the_queue_and_tells(self) -> None:
        job_id = put("step", args={"upto": 2, "fail_at": 9})
        told: list[JobState] = []
        assert api.wait_for(job_id, on_progress=told.append).status == JobStatus.DONE
        assert told[0].status == JobStatus.QUEUED
        assert told[-1].done == 2

    def test_watching_gives_up_after_its_time(self) -> None:
        job_id = put("note")
        with pytest.raises(TimeoutError):
            api.wait_for(job_id, timeout=timedelta(seconds=0.05), poll_seconds=0.01, works_here=False)

    def test_old_jobs_are_swept_and_young_or_live_ones_kept(self) -> None:
        old, young, live = put("note"), put("note"), put("note", run_after=clock.now() + timedelta(days=1))
        api.run_pending()
        Job.objects.filter(pk=old).update(finished_at=clock.now() - timedelta(days=91))
        put("note")
        assert sweep(run.RunningJob(claimed(), pulses_inline=True)) == {"swept": 1}
        assert set(Job.objects.filter(pk__in=[old, young, live]).values_list("pk", flat=True)) == {young, live}


class TestReads:
    def test_jobs_are_listed_newest_first_and_by_owner(self) -> None:
        mine, other = put("note", actor=OWNER), put("note", actor=STRANGER)
        assert [state.id for state in api.jobs().rows] == [other, mine]
        assert [state.id for state in api.jobs(actor_account_id=11).rows] == [mine]
        assert api.jobs(status=JobStatus.DONE).rows == []
        assert set(api.job_states([mine, other, 10**9])) == {mine, other}

    def test_a_missing_job_is_not_found(self) -> None:
        with pytest.raises(NotFound):
            api.job_state(10**9)

    def test_a_running_job_tells_its_rate(self) -> None:
        job_id = put("note")
        claimed()
        Job.objects.update(done=50, total=200, attempt_started_at=clock.now() - timedelta(seconds=10))
        state = api.job_state(job_id)
        assert state.rate == pytest.approx(5, rel=0.05)
        assert state.seconds_left == pytest.approx(30, rel=0.05)
        assert state.is_live
        assert state.share == 0.25
