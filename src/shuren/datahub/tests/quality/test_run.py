"""A run over the roster of the portal's cast: mirrored, measured, scored up the tree, shown by one switch."""

from datetime import timedelta
from typing import Any

import pytest
from tests.cast import Cast, build_cast

from shuren.datahub.models import QualityRun, QualityScore
from shuren.datahub.selectors.quality import TALLIES
from shuren.datahub.selectors.rows import read_partition
from shuren.datahub.services.quality import run as running
from shuren.datahub.services.quality.mirror import MEMBER, ORG, PARTITION, mirror_directory
from shuren.datahub.services.quality.run import run_quality
from shuren.directory import api as directory
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry, Event

MINUTE = timedelta(minutes=1)


@pytest.fixture
def cast(db: None) -> Cast:
    return build_cast()


def failed(cast: Cast, key: str, rule: str) -> int:
    """What the rule found at an org and below."""
    rows = read_partition(TALLIES, {"measured": MEMBER}).to_pylist()
    path = cast.orgs[key].path
    return sum(row["failed"] for row in rows if row["rule"] == rule and row["org_path"].startswith(path))


def pupils() -> list[dict[str, Any]]:
    return [row for row in read_partition(MEMBER, PARTITION).to_pylist() if row["role"] == "pupil"]


def test_the_mirror_holds_everybody_once_per_affiliation(cast: Cast) -> None:
    mirror_directory(now=cast.now)
    rows = read_partition(MEMBER, PARTITION).to_pylist()
    ties = directory.affiliations_of_people([person.id for person in cast.people.values()], day=clock.day_of(cast.now))
    assert len(rows) == len(ties)
    assert "national_id_sealed" not in rows[0]
    orgs = {row["org_path"]: row for row in read_partition(ORG, PARTITION).to_pylist()}
    assert orgs[cast.orgs["school"].path]["type"] == "school"


def test_a_run_scores_every_org_on_the_way_up(cast: Cast) -> None:
    mirror_directory(now=cast.now)
    run = run_quality(dataset=MEMBER, now=cast.now)
    scores = {score.org_path: score for score in QualityScore.objects.filter(run=run)}
    assert (
        scores[cast.orgs["province"].path].checked
        >= scores[cast.orgs["city"].path].checked
        >= scores[cast.orgs["school"].path].checked
        > 0
    )
    assert scores[cast.orgs["school"].path].org_type == "school"
    assert 0 < (scores[cast.orgs["school"].path].score or 0) < 100
    assert set(scores[cast.orgs["school"].path].by_dimension) >= {"complete", "unique"}
    assert AuditEntry.objects.filter(action="datahub.quality_measured").count() == 1
    assert Event.objects.filter(name="datahub.quality_measured").count() == 1


def test_a_mended_fault_raises_the_score(cast: Cast) -> None:
    mirror_directory(now=cast.now)
    before = run_quality(dataset=MEMBER, now=cast.now)
    assert failed(cast, "school", "member.pupil_number") > 0
    for number, row in enumerate(pupils()):
        changes = {"pupil_number": f"G99000020160101{number:04d}"}
        directory.correct_person(actor=SYSTEM, person_id=row["person_id"], changes=changes, now=cast.now)
    mirror_directory(now=cast.now + MINUTE)
    after = run_quality(dataset=MEMBER, now=cast.now + MINUTE)
    assert failed(cast, "school", "member.pupil_number") == 0
    scores = dict(QualityScore.objects.filter(org_path=cast.orgs["school"].path).values_list("run_id", "score"))
    assert scores[after.pk] > scores[before.pk]
    assert list(QualityRun.objects.filter(is_current=True)) == [after]


def test_the_same_data_is_measured_once_a_day(cast: Cast) -> None:
    mirror_directory(now=cast.now)
    first = run_quality(dataset=MEMBER, now=cast.now)
    assert run_quality(dataset=MEMBER, now=cast.now + MINUTE) == first
    assert run_quality(dataset=MEMBER, now=cast.now + timedelta(days=1)) != first


def test_two_people_with_one_number_are_found_at_both_schools(cast: Cast) -> None:
    for key in ("pupil", "far_pupil"):
        changes = {"pupil_number": "G990000201601019999"}
        directory.correct_person(actor=SYSTEM, person_id=cast.people[key].id, changes=changes, now=cast.now)
    mirror_directory(now=cast.now)
    run_quality(dataset=MEMBER, now=cast.now)
    assert failed(cast, "school", "member.pupil_number_once") == 1
    assert failed(cast, "far_school", "member.pupil_number_once") == 1


def test_a_run_that_is_killed_shows_the_run_before(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror_directory(now=cast.now)
    first = run_quality(dataset=MEMBER, now=cast.now)
    mirror_directory(now=cast.now + MINUTE)

    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(running, "_show", killed)
        with pytest.raises(KeyboardInterrupt):
            run_quality(dataset=MEMBER, now=cast.now + MINUTE)
    assert list(QualityRun.objects.filter(is_current=True)) == [first]
    second = run_quality(dataset=MEMBER, now=cast.now + 2 * MINUTE)
    assert list(QualityRun.objects.order_by("pk")) == [first, second], "what the killed run left is gone"
