"""What a person's copy of their data holds of their certificates."""

from tests.cast import Cast

from shuren.certificates.models import Certificate
from shuren.directory import api as directory


def test_a_copy_tells_of_certificates(cast: Cast, certificate_id: int) -> None:
    row = Certificate.objects.get(pk=certificate_id)
    data = directory.give_subject_data(actor=cast.actor("parent"), person_id=cast.people["pupil"].id, now=cast.now)
    (told,) = data["certificates"]  # type: ignore[misc]
    assert (told["number"], told["narrative"], told["revoked_at"]) == (row.number, row.narrative, None)
    assert data["digital_certificates"] == []
    other = directory.give_subject_data(actor=cast.actor("classmate"), person_id=cast.people["classmate"].id, now=cast.now)
    assert other["certificates"] == []
