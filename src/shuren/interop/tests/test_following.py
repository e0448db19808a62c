"""What apps left about people follows them."""

from datetime import timedelta

import pytest
from tests.cast import Cast, build_cast

from shuren.directory import api as directory
from shuren.directory.data import NewPerson
from shuren.interop.models import App, LaunchCount, LtiLineItem, LtiResult, Vendor
from shuren.interop.services.follow_people import forget_person
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.work import api as work

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(db: None) -> Cast:
    return build_cast()


def scored(cast: Cast, app: App, label: str, *people: tuple[int, float, int]) -> None:
    item = LtiLineItem.objects.create(
        app=app, class_org_id=cast.orgs["class"].id, label=label, score_maximum=10, created_at=cast.now
    )
    for person_id, score, minute in people:
        at = cast.now + timedelta(minutes=minute)
        LtiResult.objects.create(line_item=item, person_id=person_id, score_given=score, scored_at=at, changed_at=at)


def test_scores_and_launches_of_a_doubled_pupil_follow_and_go_with_them(cast: Cast) -> None:
    org = cast.orgs["county"]
    vendor = Vendor.objects.create(name="星桥", credit_code="1", org_id=org.id, org_path=org.path, registered_at=cast.now)
    app = App.objects.create(vendor=vendor, name="作业", created_at=cast.now)
    dropped = cast.people["pupil"].id
    kept = directory.add_person(actor=SYSTEM, person=NewPerson(name="一人", is_synthetic=True), now=cast.now).id
    scored(cast, app, "only the dropped", (dropped, 1.0, 0))
    scored(cast, app, "dropped is newer", (dropped, 2.0, 9), (kept, 3.0, 1))
    scored(cast, app, "kept is newer", (dropped, 4.0, 1), (kept, 5.0, 9))
    for person_id, times in ((dropped, 2), (kept, 3)):
        day = day_of(cast.now)
        LaunchCount.objects.create(app=app, day=day, person_id=person_id, org_id=org.id, count=times)
    directory.merge_people(actor=SYSTEM, keep_id=kept, drop_id=dropped, now=cast.now)
    work.run_pending()
    assert sorted(LtiResult.objects.values_list("person_id", "score_given")) == [(kept, 1.0), (kept, 2.0), (kept, 5.0)]
    assert list(LaunchCount.objects.values_list("person_id", "count")) == [(kept, 5)]
    assert audit.entries(action="interop.merge_followed")
    assert forget_person(person_id=kept, now=cast.now) == 4
    assert not LtiResult.objects.exists()
    assert audit.entries(action="interop.person_forgotten")
