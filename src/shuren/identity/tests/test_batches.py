"""First passwords for whole branches: who gets one, what a kill costs, and who takes the files."""

import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.test import Client

from shuren.directory.data import Role
from shuren.identity import jobs
from shuren.identity.data import BatchReach, LeftOutReason, Recipients, SlipForm
from shuren.identity.models import CredentialFile, SignIn
from shuren.identity.rules.batches import KEPT_FOR, Standing, is_due
from shuren.identity.selectors.batches import access_batch, files_of_batch, left_out_of, read_sealed
from shuren.identity.services.batches import hand_out
from shuren.identity.services.batches.start import start_batch
from shuren.identity.services.batches.take import purge_files, take_file, take_files
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.kernel import audit, clock, ids
from shuren.kernel.errors import Conflict, NotFound
from shuren.work import api as work
from shuren.work.data import JobStatus

EVERYBODY = tuple(Recipients)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: object, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    monkeypatch.setattr(hand_out, "REST", 0.0)


@pytest.fixture
def school(school: School) -> School:
    """The same school, where the parent is on the roster, as rosters have them."""
    school.employ("parent", "张父", Role.PARENT, "school")
    return school


def begin(school: School, key: str = "admin", org: str = "school", **asked: object) -> int:
    wishes = {"recipients": EVERYBODY, "reach": BatchReach.ALL, "form": SlipForm.SLIPS} | asked
    actor = school.actor(key)
    return start_batch(actor=actor, org_id=school.orgs[org], site="https://edu.example/", now=clock.now(), **wishes)  # type: ignore[arg-type]


def text_of(paper: bytes, folder: Path) -> str:
    file = folder / "paper.pdf"
    file.write_bytes(paper)
    return subprocess.run(["pdftotext", "-layout", file, "-"], check=True, capture_output=True, text=True).stdout


def papers(school: School, batch_id: int, key: str = "admin") -> list[bytes]:
    rows = files_of_batch(batch_id, number=1, size=50).rows
    return [take_file(actor=school.actor(key), batch_id=batch_id, file_id=row.id, now=clock.now()) for row in rows]


def test_a_school_gets_a_file_for_each_class_and_each_office(school: School, tmp_path: Path) -> None:
    batch_id = begin(school)
    work.run_pending()
    batch = access_batch(actor=school.actor("admin"), id=batch_id)
    assert (batch.files, batch.people, batch.left_out) == (2, 4, 1)
    assert left_out_of(batch_id, number=1, size=9).rows[0].reason is LeftOutReason.SELF
    texts = [text_of(paper, tmp_path) for paper in papers(school, batch_id)]
    assert "陈立新" in texts[0]
    in_class = texts[1]
    # The class in order: the pupil, then the parents, who are told whose.
    assert in_class.index("张三") < in_class.index("张父") < in_class.index("张小雨")
    assert "张三的家长" in in_class
    passwords = re.findall(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[0-9]{4}", in_class)
    assert len(set(passwords)) == 3
    opened = {key for key in ("pupil", "parent", "classmate") for word in passwords if school.account(key).check_password(word)}
    assert opened == {"pupil", "parent", "classmate"}
    assert all(school.account(key).must_change_password for key in opened)


def test_an_envelope_is_two_sides_and_shows_the_password_on_one(school: School, tmp_path: Path) -> None:
    batch_id = begin(school, org="class", recipients=[Recipients.PUPILS], form=SlipForm.ENVELOPES)
    work.run_pending()
    sides = text_of(papers(school, batch_id)[0], tmp_path).split("\f")[:-1]
    # Cover and its blank back, then two people with two sides each.
    assert len(sides) == 6
    assert sides[1].strip() == ""
    secret = re.compile(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[0-9]{4}")
    assert [bool(secret.search(side)) for side in sides] == [False, False, False, True, False, True]
    assert "张三" in sides[2]
    assert "东湖class" in sides[2]
    assert "pupil" not in sides[0] + sides[2]


def test_only_those_who_never_had_one(school: School) -> None:
    school.employ("new", "新来", Role.TEACHER, "school")
    batch_id = begin(school, reach=BatchReach.NEW)
    work.run_pending()
    batch = access_batch(actor=school.actor("admin"), id=batch_id)
    assert (batch.people, batch.skipped) == (1, 4)
    assert school.account("pupil").check_password(PASSWORD)
    assert school.account("new").has_usable_password()


@pytest.mark.parametrize(
    ("standing", "reach", "due"),
    [
        (Standing(), BatchReach.NEW, True),
        (Standing(True), BatchReach.NEW, False),
        (Standing(True), BatchReach.UNUSED, True),
        (Standing(True, NOW), BatchReach.UNUSED, False),
        (Standing(True, NOW), BatchReach.ALL, True),
        (Standing(True, None, NOW), BatchReach.ALL, False),
        (Standing(True, None, NOW - timedelta(seconds=1)), BatchReach.ALL, True),
    ],
)
def test_who_is_due(standing: Standing, reach: BatchReach, due: bool) -> None:
    assert is_due(standing, reach=reach, begun_at=NOW) is due


def test_people_with_wider_duties_are_listed_and_do_not_stop_the_rest(school: School) -> None:
    school.employ("head", "陈立新", Role.TEACHER, "other")
    batch_id = begin(school)
    work.run_pending()
    reasons = {row.name: row.reason for row in left_out_of(batch_id, number=1, size=9).rows}
    assert reasons == {"赵文博": LeftOutReason.SELF, "陈立新": LeftOutReason.WIDER_DUTIES}
    assert school.account("head").check_password(PASSWORD)
    assert access_batch(actor=school.actor("admin"), id=batch_id).people == 3


def test_a_kill_before_the_row_changes_nobodys_password(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    batch_id = begin(school, org="class")

    def killed(**_given: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(hand_out, "set_first_passwords", killed)
        work.run_pending()
    assert school.account("pupil").check_password(PASSWORD)
    assert not CredentialFile.objects.exists()
    job_id = access_batch(actor=school.actor("admin"), id=batch_id).job_id
    assert work.job_state(job_id).status is JobStatus.QUEUED
    jobs.issue_batch(Resumed({}), batch_id)  # type: ignore[arg-type]
    assert len(papers(school, batch_id)) == 1


class Resumed:
    """A job's context after a kill."""

    def __init__(self, state: dict[str, object]) -> None:
        self.state = state

    def progress(self, *_told: object) -> None:
        pass

    def checkpoint(self, **state: object) -> None:
        self.state |= state

    def is_cancelled(self) -> bool:
        return False


def test_a_kill_behind_the_row_gives_nobody_two(school: School, tmp_path: Path) -> None:
    batch_id = begin(school, org="class")
    jobs.issue_batch(Resumed({}), batch_id)  # type: ignore[arg-type]
    jobs.issue_batch(Resumed({}), batch_id)  # type: ignore[arg-type]
    assert access_batch(actor=school.actor("admin"), id=batch_id).files == 1
    found = re.findall(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[0-9]{4}", text_of(papers(school, batch_id)[0], tmp_path))
    assert any(school.account("pupil").check_password(word) for word in found)


def test_whoever_lost_the_right_hands_out_nothing(school: School) -> None:
    batch_id = begin(school)
    school.account("admin").person.affiliations.update(end_date="2020-01-01")  # type: ignore[union-attr]
    work.run_pending()
    assert school.account("pupil").check_password(PASSWORD)
    assert CredentialFile.objects.filter(batch_id=batch_id).count() == 0


def test_a_file_is_taken_once_and_by_the_asker_only(school: School) -> None:
    batch_id = begin(school, org="class")
    work.run_pending()
    row = files_of_batch(batch_id, number=1, size=9).rows[0]
    with pytest.raises(NotFound):
        take_file(actor=school.actor("officer"), batch_id=batch_id, file_id=row.id, now=NOW)
    paper = take_file(actor=school.actor("admin"), batch_id=batch_id, file_id=row.id, now=clock.now())
    assert paper.startswith(b"%PDF")
    assert read_sealed(batch_id, school.orgs["class"], 1) is None
    with pytest.raises(Conflict):
        take_file(actor=school.actor("admin"), batch_id=batch_id, file_id=row.id, now=clock.now())
    assert audit.entries(action="identity.batch_file_taken")


def test_a_school_takes_all_files_in_one_zip_and_once(school: School, sign_in: Callable[..., Client], tmp_path: Path) -> None:
    client = sign_in("admin")
    batch_id = begin(school)
    work.run_pending()
    page = f"/credentials/batches/{ids.encode('credential_batch', batch_id)}/"
    assert f'action="{page}take/"' in client.get(page).content.decode()
    answer = client.post(f"{page}take/")
    assert answer["Content-Type"] == "application/zip"
    assert "no-store" in answer["Cache-Control"]
    with ZipFile(BytesIO(answer.getvalue())) as archive:
        assert archive.testzip() is None
        texts = [text_of(archive.read(name), tmp_path) for name in archive.namelist()]
    assert len(texts) == 2
    words = re.findall(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[0-9]{4}", "".join(texts))
    assert len(set(words)) == access_batch(actor=school.actor("admin"), id=batch_id).people == 4
    assert len(audit.entries(action="identity.batch_file_taken")) == 2
    assert client.post(f"{page}take/").status_code == 409
    assert sign_in("officer").post(f"{page}take/").status_code in (302, 404)


def test_who_breaks_off_finds_the_files_behind_waiting(school: School) -> None:
    batch_id = begin(school)
    work.run_pending()
    stream = take_files(actor=school.actor("admin"), batch_id=batch_id, now=clock.now())
    first, _paper = next(stream)
    states = {row.id: row.taken_at is not None for row in files_of_batch(batch_id, number=1, size=9).rows}
    assert [key for key, is_taken in states.items() if is_taken] == [first.id]
    assert len(states) == 2


def test_a_run_killed_for_good_goes_on_and_no_password_is_lost_or_printed_twice(
    school: School, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(hand_out, "MAX_PART", 1)
    batch_id = begin(school)
    real, made = hand_out.set_first_passwords, []

    def killed_at_the_third(**given: object) -> None:
        made.append(given)
        if len(made) == 3:
            raise SystemExit(137)  # as a kill: no cleaning up, the file lies sealed without its row
        real(**given)  # type: ignore[arg-type]

    kept = Resumed({})
    with monkeypatch.context() as patch:
        patch.setattr(hand_out, "set_first_passwords", killed_at_the_third)
        with pytest.raises(SystemExit):
            jobs.issue_batch(kept, batch_id)  # type: ignore[arg-type]
    jobs.issue_batch(kept, batch_id)  # type: ignore[arg-type]
    papers_taken = [text_of(paper, tmp_path) for paper in papers(school, batch_id)]
    words = re.findall(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[0-9]{4}", "".join(papers_taken))
    assert len(words) == len(set(words)) == 4
    people = ("head", "pupil", "parent", "classmate")
    assert all(sum(school.account(key).check_password(word) for word in words) == 1 for key in people)


def test_files_lie_sealed_and_are_gone_after_a_day(school: School) -> None:
    batch_id = begin(school, org="class")
    work.run_pending()
    path = Path(settings.DATA_DIR) / "credentials" / str(batch_id) / f"{school.orgs['class']}.1.sealed"
    assert b"%PDF" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    assert purge_files(now=clock.now() + KEPT_FOR - timedelta(minutes=1)) == 0
    assert purge_files(now=clock.now() + KEPT_FOR + timedelta(minutes=1)) == 1
    assert not path.exists()
    with pytest.raises(Conflict):
        papers(school, batch_id)


def test_what_a_kill_left_behind_is_cleared_away(school: School) -> None:
    stray = Path(settings.DATA_DIR) / "credentials" / "7" / "8.1.sealed"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")
    assert purge_files(now=clock.now()) == 0
    assert purge_files(now=clock.now() + KEPT_FOR * 2) == 1
    assert not stray.exists()


def test_no_password_is_written_anywhere_else(school: School, tmp_path: Path) -> None:
    batch_id = begin(school, org="class")
    work.run_pending()
    told = [str(entry.details) for entry in audit.entries(action="identity.credentials_issued")]
    state = work.job_state(access_batch(actor=school.actor("admin"), id=batch_id).job_id)
    words = re.findall(r"[a-z]{4}-[a-z]{4}-[a-z]{4}-[0-9]{4}", text_of(papers(school, batch_id)[0], tmp_path))
    assert words
    assert not any(word in f"{told} {state}" for word in words)


def test_sessions_of_those_who_get_a_new_one_end(school: School, sign_in: Callable[..., Client]) -> None:
    sign_in("pupil")
    begin(school, org="class")
    work.run_pending()
    assert not SignIn.objects.filter(account=school.account("pupil")).exists()


def test_the_pages_from_asking_to_taking(school: School, sign_in: Callable[..., Client]) -> None:
    client = sign_in("admin")
    org = ids.encode("org", school.orgs["class"])
    assert "整批发放" in client.get(f"/credentials/{org}/").content.decode()
    assert client.post(f"/credentials/{org}/batch/", {}).status_code == 400
    asked = {"recipients": ["pupils"], "reach": "all", "form": "slips"}
    page = client.post(f"/credentials/{org}/batch/", asked)["Location"]
    assert "progress-line" in client.get(page).content.decode()
    work.run_pending()
    shown = client.get(page).content.decode()
    take = re.search(r'"(/credentials/batches/[^"]+/take/)"', shown)
    assert take
    assert client.get(f"{page}progress/")["HX-Refresh"] == "true"
    assert client.get(f"{page}left-out/").status_code == 200
    assert client.get("/credentials/batches/").status_code == 200
    paper = client.post(take[1])
    assert paper["Content-Type"] == "application/pdf"
    assert "no-store" in paper["Cache-Control"]
    assert client.post(take[1]).status_code == 409
    assert "已下载" in client.get(page).content.decode()
    assert sign_in("officer").get(page).status_code == 404
