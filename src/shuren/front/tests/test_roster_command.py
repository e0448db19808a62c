"""`shuren roster export`: a branch for ourselves, and for a recipient that a notice names."""

import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision, NewConsentText
from shuren.front.cli.roster import command
from shuren.front.tests.conftest import Cast
from shuren.kernel import ids


@pytest.fixture
def notice_id(cast: Cast) -> int:
    text = NewConsentText(
        org_id=cast.orgs["school"].id,
        purpose="teaching",
        recipient="app:7",
        recipient_name="作业盒",
        elements=("person.name",),
        title_zh="使用作业盒",
        body_zh="老师用它布置作业。",
    )
    return directory.publish_consent_text(actor=cast.actor("city_officer"), text=text, now=cast.now)


def exported(cast: Cast, folder: Path, *more: str) -> tuple[Result, str]:
    """What the command said, and the users that its file holds."""
    path = folder / "roster.zip"
    school = cast.orgs["school"].sourced_id
    done = CliRunner().invoke(command, ["export", "--org", school, "--out", str(path), *more])
    if not path.exists():
        return done, ""
    with zipfile.ZipFile(path) as package:
        return done, package.read("users.csv").decode()


@pytest.mark.parametrize(("decision", "is_told"), [(ConsentDecision.GIVEN, True), (ConsentDecision.REFUSED, False)])
def test_only_who_agreed_stands_in_a_recipients_file(
    cast: Cast, notice_id: int, tmp_path: Path, decision: ConsentDecision, is_told: bool
) -> None:
    child = cast.people["pupil"]
    directory.decide_consent(actor=cast.actor("parent"), person_id=child.id, text_id=notice_id, decision=decision, now=cast.now)
    done, ours = exported(cast, tmp_path)
    assert (done.exit_code, "张三" in ours, "张小雨" in ours) == (0, True, True)
    done, theirs = exported(cast, tmp_path, "--notice", ids.encode("consent_text", notice_id))
    assert (done.exit_code, "张三" in theirs, "张小雨" in theirs) == (0, is_told, False)


def test_a_number_that_is_no_notice_writes_nothing(cast: Cast, tmp_path: Path) -> None:
    for number in ("nonsense", ids.encode("consent_text", 99)):
        done, written = exported(cast, tmp_path, "--notice", number)
        assert (done.exit_code != 0, written) == (True, "")
