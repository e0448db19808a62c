"""Certificates follow the people they belong to."""

from datetime import timedelta

from tests.cast import Cast

from shuren.certificates import jobs
from shuren.certificates.data import Recipient, Verdict
from shuren.certificates.models import Certificate, Share
from shuren.certificates.selectors.checking import verdict_by_number
from shuren.certificates.services.follow_people import end_shares, follow_merge
from shuren.certificates.services.give_batch import give_batch
from shuren.certificates.services.share import share_certificates
from shuren.directory import api as directory
from shuren.directory.data import NewPerson
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.work import api as work


def test_certificates_of_a_doubled_pupil_are_those_of_the_one(cast: Cast, certificate_id: int) -> None:
    kept = directory.add_person(actor=SYSTEM, person=NewPerson(name="一人", is_synthetic=True), now=cast.now).id
    share_certificates(actor=cast.actor("pupil"), holder_id=cast.people["pupil"].id, days=9, now=cast.now)
    directory.merge_people(actor=SYSTEM, keep_id=kept, drop_id=cast.people["pupil"].id, now=cast.now)
    work.run_pending()
    row = Certificate.objects.get(pk=certificate_id)
    assert (row.holder_id, Share.objects.get().holder_id) == (kept, kept)
    assert verdict_by_number(row.number, now=cast.now).verdict is Verdict.VALID
    assert audit.entries(action="certificates.merge_followed")


def test_links_end_with_the_person_they_show(cast: Cast, certificate_id: int) -> None:
    share_certificates(actor=cast.actor("pupil"), holder_id=cast.people["pupil"].id, days=9, now=cast.now)
    assert jobs.end_shares(None, payload={"person_id": cast.people["pupil"].id, "is_whole": False}) == {"links": 0}  # type: ignore[arg-type]
    assert end_shares(person_id=cast.people["pupil"].id, now=cast.now + timedelta(hours=1)) == 1
    row = Share.objects.get()
    assert row.ended_at == cast.now + timedelta(hours=1)
    entry = audit.entries(action="certificates.share_ended").get()
    assert (entry.target, entry.details) == (f"person:{row.holder_id}", {"share": row.pk, "because": "person_erased"})
    assert end_shares(person_id=row.holder_id, now=cast.now + timedelta(hours=2)) == 0
    assert audit.entries(action="certificates.share_ended").count() == 1


def test_links_and_waiting_places_follow_with_an_entry_even_without_a_certificate(cast: Cast, template_id: int) -> None:
    dropped, kept = cast.people["pupil"].id, cast.people["classmate"].id
    share_certificates(actor=cast.actor("pupil"), holder_id=dropped, days=9, now=cast.now)
    give_batch(
        actor=cast.actor("school_admin"),
        org_id=cast.orgs["school"].id,
        template_id=template_id,
        recipients=[Recipient(one, {"等级": "一等奖"}) for one in (dropped, kept)],
        now=cast.now,
    )
    assert follow_merge(kept_id=kept, dropped_id=dropped, now=cast.now) == 0
    entry = audit.entries(action="certificates.merge_followed").get()
    assert entry.details == {"dropped_id": dropped, "count": 0, "links": 1, "awaited": 0, "doubled": 1}
    follow_merge(kept_id=kept, dropped_id=dropped, now=cast.now)
    assert audit.entries(action="certificates.merge_followed").count() == 1
