"""Taking a roster from a OneRoster service of others: full, then changes, through the house's own import."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shuren.directory import api as directory
from shuren.directory.models import Affiliation, Enrollment, GuardianLink, Org, Person
from shuren.interop.data import NewRosterSource, PullKind, PullStatus, Resource, SourceMode
from shuren.interop.models import RosterPull, RosterSource
from shuren.interop.services.roster_pull import remote
from shuren.interop.services.roster_pull.land import folder_of
from shuren.interop.services.roster_pull.pull import carry_on
from shuren.interop.services.roster_pull.sources import ask_pull, begin_due_pulls, correct_source, drop_pull, register_source
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound
from shuren.messaging.models import Notice
from shuren.standards.api import load_registry
from shuren.work.api import run_pending
from shuren.work.models import Job
from tests.cast import Cast, build_cast, forget_news
from tests.interop.roster_service import Service, ref, serving, small_service

LATER = "2100-01-01T00:00:00.000Z"
ALL = frozenset(Resource) - {Resource.ORGS, Resource.USERS, Resource.DEMOGRAPHICS}


@pytest.fixture
def cast(db: None, settings: Any, tmp_path: Path) -> Cast:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    settings.DATA_DIR = tmp_path / "data"
    load_registry()
    made = build_cast()
    forget_news()
    return made


@pytest.fixture
def service() -> Iterator[Service]:
    with serving(small_service()) as found:
        yield found


# Counting, indexing and looking for duplicates after a roster is not what is asked here.
_JOBS = ("interop.jobs.pull_roster", "interop.jobs.follow_roster_import", "intake.jobs.check_import", "intake.jobs.apply_import")


def work() -> None:
    """Let the jobs of taking a roster run until nothing is due."""
    while True:
        Job.objects.filter(status="queued").exclude(name__in=[f"shuren.{name}" for name in _JOBS]).delete()
        if not run_pending(1):
            return


def new_source(cast: Cast, service: Service, **changes: Any) -> NewRosterSource:
    new = NewRosterSource(
        name="新湖教务",
        org_id=cast.orgs["county"].id,
        address=f"{service.address}/ims/oneroster/rostering/v1p2",
        token_address=f"{service.address}/token",
        client_id="shuren",
        secret="s3cret",
        scope="https://purl.imsglobal.org/spec/or/v1p2/scope/roster.readonly",
        takes=ALL,
        is_same_top=False,
        mode=SourceMode.APPLY,
        hours=24,
        full_days=7,
    )
    return replace(new, **changes)


def officer(cast: Cast) -> Actor:
    return cast.actor("county_officer")


def registered(cast: Cast, service: Service, **changes: Any) -> RosterSource:
    new = new_source(cast, service, **changes)
    return RosterSource.objects.get(pk=register_source(actor=officer(cast), source=new, now=clock.now()))


def taken(cast: Cast, source: RosterSource, kind: PullKind | None = None) -> RosterPull:
    pull_id = ask_pull(actor=officer(cast), source_id=source.pk, kind=kind, now=clock.now())
    work()
    return RosterPull.objects.select_related("source").get(pk=pull_id)


def pupils(school: str = "S9") -> set[str]:
    """Who is a pupil of the school now."""
    held = Affiliation.objects.filter(org__sourced_id=school, role="pupil", person__is_active=True)
    day = clock.day_of(clock.now())
    return {row.person.sourced_id for row in held.select_related("person") if row.end_date is None or row.end_date > day}


def test_everything_then_what_changed_then_what_vanished(cast: Cast, service: Service) -> None:
    service.most = 7
    source = registered(cast, service)
    pull = taken(cast, source)
    assert (pull.kind, pull.status, pull.error) == ("full", "applied", {})
    assert pull.counts["users"] == 32
    assert pull.counts["enrollments"] == 31
    assert Org.objects.get(sourced_id="S9").parent_id == cast.orgs["county"].id
    assert len(pupils()) == 30
    assert Enrollment.objects.filter(class_org__sourced_id="K1").count() == 31
    assert GuardianLink.objects.filter(guardian__sourced_id="G-1", ward__sourced_id="P-01").exists()
    assert service.tokens == 1
    assert not folder_of(pull.pk).exists()

    unchanged = taken(cast, source)
    assert (unchanged.kind, unchanged.status) == ("delta", "unchanged")
    since = service.asked[-1][1]["filter"]
    assert since.startswith("dateLastModified>='")
    assert since < f"dateLastModified>='{datetime.now(UTC):%Y-%m-%dT%H:%M}"

    # One gets another name, one leaves with a tombstone, one comes, the teacher becomes an aide, one was never here.
    service.add_pupil("P-02", "何新名", "K1", "S9", at=LATER)
    service.add("users", "P-03", at=LATER, status="tobedeleted", enabledUser="false", givenName="*", familyName="*", roles=[])
    service.row("enrollments", "E-P-03").update(status="tobedeleted", dateLastModified=LATER)
    service.add_pupil("P-31", "何来了", "K1", "S9", at=LATER)
    service.row("enrollments", "E-P-31")["dateLastModified"] = LATER
    service.add_user("T-1", "沈", "老师", "aide", "S9", at=LATER)
    service.add("users", "X-9", at=LATER, status="tobedeleted", enabledUser="false", givenName="*", familyName="*", roles=[])
    delta = taken(cast, source)
    assert (delta.kind, delta.status, delta.left_out) == ("delta", "applied", {"gone": 1})
    assert delta.changes["person"] == {"added": 1, "changed": 1, "ended": 1, "unchanged": 1}
    assert Person.objects.get(sourced_id="P-02").name == "何新名"
    assert not Person.objects.get(sourced_id="P-03").is_active
    assert pupils() == {f"P-{number:02}" for number in range(1, 32)} - {"P-03"}
    roles = Affiliation.objects.filter(person__sourced_id="T-1")
    assert {row.role for row in roles if row.end_date is None} == {"staff"}

    # Two vanish without a word: changes do not tell of it, a full turn does.
    for gone in ("P-04", "P-05"):
        service.drop("users", gone)
        service.drop("enrollments", f"E-{gone}")
    assert taken(cast, source).status in ("unchanged", "applied")
    assert {"P-04", "P-05"} <= pupils()
    full = taken(cast, source, PullKind.FULL)
    assert (full.status, full.changes["person"]["ended"]) == ("applied", 2)
    assert not {"P-04", "P-05"} & pupils()


def test_many_leavers_wait_for_a_person_and_an_undone_import_rests_its_source(cast: Cast, service: Service) -> None:
    source = registered(cast, service)
    first = taken(cast, source)
    for number in range(10, 31):
        service.drop("users", f"P-{number}")
        service.drop("enrollments", f"E-P-{number}")
    stopped = taken(cast, source, PullKind.FULL)
    assert (stopped.status, stopped.error) == ("waiting", {"code": "many_end"})
    assert len(pupils()) == 30
    assert Notice.objects.filter(person_id=cast.people["county_officer"].id, title__contains="新湖教务").count() == 1
    drop_pull(actor=officer(cast), pull_id=stopped.pk, now=clock.now())
    assert taken(cast, source).status in ("unchanged", "applied")

    directory.undo_roster(actor=officer(cast), import_id=first.import_id or 0, now=clock.now())
    work()
    source.refresh_from_db()
    assert (source.is_paused, source.pause_reason, source.seen_at) == (True, "undone", None)
    assert not pupils()
    assert begin_due_pulls(now=clock.now() + timedelta(days=9)) == 0


def test_a_killed_turn_goes_on_behind_its_last_page(cast: Cast, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    service.most = 7
    source = registered(cast, service)
    pull_id = ask_pull(actor=officer(cast), source_id=source.pk, kind=None, now=clock.now())

    class Killed(BaseException):
        """As a kill: nothing after it runs."""

    saved = RosterPull.save

    def save(row: RosterPull, **options: Any) -> None:
        # The third page of users is on the disk, but not noted yet.
        if row.place.get("resource") == "users" and row.place.get("offset") == 21:
            raise Killed
        saved(row, **options)

    with monkeypatch.context() as patched:
        patched.setattr(RosterPull, "save", save)
        with pytest.raises(Killed):
            carry_on(pull_id, now=clock.now(), on_progress=lambda done, total: None, is_cancelled=bool)
    asked = len(service.asked)
    work()
    again = [(name, query["offset"]) for name, query in service.asked[asked:]]
    assert again[0] == ("users", "14")
    assert ("orgs", "0") not in again
    assert RosterPull.objects.get(pk=pull_id).status == "applied"
    assert len(pupils()) == 30


def test_a_busy_or_forgetful_other_side_is_asked_again(cast: Cast, service: Service) -> None:
    turns: list[str] = []

    def spoil(name: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes] | None:
        if name == "users" and len(turns) < 2:
            turns.append(name)
            return (429, {"Retry-After": "90"}, b"") if len(turns) == 1 else (503, {}, b"")
        if name == "enrollments" and len(turns) == 2:
            turns.append(name)
            service.valid = set()
            return 401, {}, b""
        return None

    service.spoil = spoil
    source = registered(cast, service)
    before = clock.now()
    pull = taken(cast, source)
    job = Job.objects.filter(name__endswith="pull_roster", status="queued").get()
    assert pull.status == "fetching"
    assert timedelta(seconds=89) < job.run_after - before < timedelta(seconds=120)
    Job.objects.filter(pk=job.pk).update(run_after=before)
    work()
    pull.refresh_from_db()
    assert (pull.tries, pull.error["code"]) == (2, "status_503")
    Job.objects.filter(name__endswith="pull_roster", status="queued").update(run_after=before)
    work()
    pull.refresh_from_db()
    # A token for each of the three conversations, and one for the answer that forgot its own.
    assert pull.status == "applied"
    assert service.tokens == 4
    assert len(pupils()) == 30


def test_what_is_not_as_the_standard_wants_it_is_named_and_nothing_is_written(cast: Cast, service: Service) -> None:
    service.row("users", "P-07").update(givenName=7)
    service.row("users", "P-08").update(roles=[{"role": "wizard", "roleType": "primary", "org": ref("org", "S9")}])
    service.row("enrollments", "E-P-09").pop("class")
    service.rows["users"].append({"sourcedId": "", "status": "active", "dateLastModified": "yesterday"})
    pull = taken(cast, registered(cast, service))
    assert (pull.status, pull.error, pull.fault_count) == ("refused", {"code": "faults"}, 4)
    told = {(fault["resource"], fault["page"], fault["id"], fault["field"], fault["reason"]) for fault in pull.faults}
    assert told == {
        ("users", 1, "P-07", "givenName", "not_text"),
        ("users", 1, "P-08", "roles[0].role", "word"),
        ("users", 1, "", "sourcedId", "missing"),
        ("enrollments", 1, "E-P-09", "class", "missing"),
    }
    assert not Org.objects.filter(sourced_id="S9").exists()
    assert pull.import_id is None


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((200, {}, b"<html>"), "not_a_page"),
        ((403, {}, b'{"imsx_description": "scope"}'), "status_403"),
        ((200, {}, b" " * 300), "too_long"),
        ((200, {"X-Total-Count": "9"}, b'{"classes": []}'), "short"),
    ],
)
def test_an_answer_that_is_none_ends_the_turn(
    cast: Cast, service: Service, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, dict[str, str], bytes], code: str
) -> None:
    if code == "too_long":
        monkeypatch.setattr(remote, "MAX_BYTES", 200)
        service.rows["orgs"].clear()
    service.spoil = lambda name, query: answer if name == "classes" else None
    pull = taken(cast, registered(cast, service))
    assert pull.status == "failed"
    assert (pull.error["code"], pull.error["resource"]) in ((code, "classes"), (code, "academicSessions"))


def test_a_list_that_shrinks_while_it_is_read_is_read_again(cast: Cast, service: Service) -> None:
    service.most = 10

    def spoil(name: str, query: dict[str, str]) -> None:
        if name == "users" and query["offset"] == "10":
            service.drop("users", "G-1")
            service.row("users", "P-01").update(agents=[])

    service.spoil = spoil
    pull = taken(cast, registered(cast, service))
    assert pull.status == "applied"
    assert len(pupils()) == 30
    assert pull.counts["users"] == 31


def test_the_top_there_may_be_our_own_org(cast: Cast, service: Service) -> None:
    service.add("orgs", "TOP", name="东湖区教育局", type="district", identifier="")
    service.row("orgs", "S9").update(parent=ref("org", "TOP"))
    service.add_user("A-1", "卫", "局长", "aide", "TOP")
    source = registered(cast, service, is_same_top=True)
    pull = taken(cast, source)
    # The branch has other schools, which the other side does not know: a person has to say that they close.
    assert pull.status == "applied" or pull.error == {"code": "many_end"}
    assert not Org.objects.filter(sourced_id="TOP").exists()
    county = Org.objects.get(pk=cast.orgs["county"].id)
    assert (county.name, county.type, county.status) == ("东湖区", "county", "active")
    assert pull.changes["org"]["ended"] >= 2


def test_a_trial_writes_nothing_and_who_may_not_import_sees_nothing(cast: Cast, service: Service) -> None:
    source = registered(cast, service, mode=SourceMode.TRIAL)
    tried = taken(cast, source)
    assert tried.status == "tried"
    assert tried.changes["person"]["added"] == 32
    assert not Person.objects.filter(sourced_id="P-01").exists()
    source.refresh_from_db()
    assert source.seen_at is None
    for key in ("teacher", "far_head", "parent"):
        with pytest.raises(NotFound):
            ask_pull(actor=cast.actor(key), source_id=source.pk, kind=None, now=clock.now())
    other = new_source(cast, service, secret="", token_address="http://127.0.0.1:9/token")
    with pytest.raises(Invalid, match="密钥"):
        correct_source(actor=officer(cast), source_id=source.pk, source=other, now=clock.now())


def test_addresses_inside_are_refused(cast: Cast, service: Service, settings: Any) -> None:
    settings.SHUREN_PRIVATE_TARGETS = []
    with pytest.raises(Invalid, match="SHUREN_PRIVATE_TARGETS"):
        registered(cast, service)
    with pytest.raises(Invalid):
        registered(cast, service, address="https://127.0.0.1/ims")


def test_without_its_owners_right_a_source_rests(cast: Cast, service: Service) -> None:
    source = registered(cast, service)
    Affiliation.objects.filter(person_id=cast.people["county_officer"].id).update(
        end_date=datetime(2020, 1, 1, tzinfo=UTC).date()
    )
    assert begin_due_pulls(now=clock.now()) == 1
    work()
    source.refresh_from_db()
    assert (source.is_paused, source.pause_reason, service.asked) == (True, "no_right", [])
    assert RosterPull.objects.get(source=source).status == PullStatus.FAILED
