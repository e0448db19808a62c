"""Digital certificates end with what they say: people who leave, units that close, names that are erased."""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from tests.cast import Cast, build_cast, forget_news

from shuren.certificates.models.digital import DigitalCertificate
from shuren.certificates.services.end_digital import LEFT_GRACE, end_for_erased, review_holders
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry
from shuren.messaging import api as messaging
from shuren.trust import api as trust
from shuren.trust.data import CertificateFacts, CertificateKind, KeyAlgorithm, RevocationReason, SubjectName
from shuren.work import api as work

pytestmark = pytest.mark.django_db
REVOKED = "certificates.digital_revoked"


@pytest.fixture
def cast() -> Cast:
    found = build_cast()
    trust.found_authority(code="region", title="云杉省教育证书", algorithm=KeyAlgorithm.ES256, actor=SYSTEM, now=found.now)
    forget_news()
    return found


def asked(cast: Cast, key: str, **fields: str) -> DigitalCertificate:
    wanted = {"kind": "person", "algorithm": "ES256", **fields}
    assert cast.client(key).post("/digital-certificates/ask/", wanted).status_code == 302
    return DigitalCertificate.objects.latest("pk")


def issued(cast: Cast, key: str, **fields: str) -> CertificateFacts:
    """A certificate that `key` asked for, for themself unless said otherwise."""
    row = asked(cast, key, **fields)
    facts, _file = trust.issue_with_key(
        authority="region",
        kind=CertificateKind(row.kind),
        subject=SubjectName(common_name=key),
        algorithm=KeyAlgorithm.ES256,
        passphrase="long enough",
        days=365,
        actor=SYSTEM,
        now=cast.now,
    )
    DigitalCertificate.objects.filter(pk=row.pk).update(status="issued", certificate_id=facts.id)
    return facts


def reason_of(facts: CertificateFacts) -> RevocationReason | None:
    return trust.certificate(facts.id).reason


def leave(cast: Cast, key: str, org: str) -> None:
    rows = apps.get_model("directory.Affiliation").objects.filter(person_id=cast.people[key].id, org_id=cast.orgs[org].id)
    for row in rows:
        directory.end_affiliation(actor=SYSTEM, affiliation_id=row.pk, now=clock.now())


def titles(cast: Cast, key: str) -> list[str]:
    return [f"{notice.title} {notice.body}" for notice in messaging.notices_of(person_id=cast.people[key].id).rows]


def test_who_leaves_loses_the_certificate_that_names_the_school(cast: Cast) -> None:
    own, other = issued(cast, "staff"), issued(cast, "head")
    waiting = asked(cast, "staff")
    leave(cast, "staff", "school")
    work.run_pending()
    assert (reason_of(own), reason_of(other)) == (RevocationReason.AFFILIATION_CHANGED, None)
    waiting.refresh_from_db()
    assert waiting.status == "withdrawn"
    assert any("已吊销" in text and "不在“东湖区实验小学”" in text for text in titles(cast, "staff"))
    assert AuditEntry.objects.filter(action=REVOKED, actor_name="system").count() == 1
    chain = trust.certificate(own.id).der
    assert trust.validate_certificate(chain, now=clock.now() + timedelta(seconds=5)).faults == ("revoked",)


def test_another_tie_to_the_same_school_keeps_it(cast: Cast) -> None:
    directory.affiliate(
        actor=SYSTEM, person_id=cast.people["staff"].id, org_id=cast.orgs["school"].id, role=Role.TEACHER, now=cast.now
    )
    own = issued(cast, "staff")
    rows = apps.get_model("directory.Affiliation").objects.filter(person_id=cast.people["staff"].id, role="staff")
    directory.end_affiliation(actor=SYSTEM, affiliation_id=rows.get().pk, now=clock.now())
    work.run_pending()
    assert reason_of(own) is None


def test_a_teacher_of_a_class_alone_leaves_with_it(cast: Cast) -> None:
    own = issued(cast, "teacher")
    row = apps.get_model("directory.Enrollment").objects.get(person_id=cast.people["teacher"].id)
    directory.end_enrollment(actor=SYSTEM, enrollment_id=row.pk, now=clock.now())
    work.run_pending()
    assert reason_of(own) is RevocationReason.AFFILIATION_CHANGED


def test_a_unit_loses_the_key_that_left_with_its_keeper(cast: Cast) -> None:
    school = {"org": cast.orgs["school"].public_id}
    unit = issued(cast, "school_admin", kind="unit", **school)
    device = issued(cast, "school_admin", kind="device", device="东门闸机", **school)
    officers = issued(cast, "county_officer", kind="unit", org=cast.orgs["county"].public_id)
    leave(cast, "school_admin", "school")
    work.run_pending()
    assert [reason_of(facts) for facts in (unit, device, officers)] == [RevocationReason.AFFILIATION_CHANGED, None, None]


def test_a_school_that_closes(cast: Cast) -> None:
    school = {"org": cast.orgs["school"].public_id}
    unit = issued(cast, "school_admin", kind="unit", **school)
    device = issued(cast, "school_admin", kind="device", device="东门闸机", **school)
    head, outside = issued(cast, "head"), issued(cast, "county_officer")
    directory.close_org(actor=SYSTEM, org_id=cast.orgs["school"].id, now=clock.now())
    work.run_pending()
    assert {reason_of(unit), reason_of(device)} == {RevocationReason.CESSATION_OF_OPERATION}
    assert (reason_of(head), reason_of(outside)) == (RevocationReason.AFFILIATION_CHANGED, None)
    assert any("已撤销或并入" in text for text in titles(cast, "head"))


def test_a_school_that_becomes_part_of_another(cast: Cast) -> None:
    own = issued(cast, "head")
    directory.merge_orgs(actor=SYSTEM, org_id=cast.orgs["school"].id, into_id=cast.orgs["other_school"].id, now=clock.now())
    work.run_pending()
    assert reason_of(own) is RevocationReason.AFFILIATION_CHANGED


def test_nobody_of_that_name_is_left(cast: Cast) -> None:
    own = issued(cast, "head")
    assert end_for_erased(person_id=cast.people["head"].id, now=clock.now()) == 1
    assert end_for_erased(person_id=cast.people["head"].id, now=clock.now()) == 0
    assert reason_of(own) is RevocationReason.CESSATION_OF_OPERATION


def test_the_nightly_look_waits_before_it_believes_a_roster(cast: Cast, django_assert_max_num_queries: Any) -> None:
    """Ends that no event told: a roster, or a day that was set before."""
    own, guardians = issued(cast, "head"), issued(cast, "parent")
    security = issued(cast, "security_admin")
    ties = apps.get_model("directory.Affiliation").objects.filter(person_id=cast.people["head"].id)
    ends = list(ties.values_list("pk", "end_date"))
    ties.update(end_date=clock.day_of(cast.now) - timedelta(days=1))
    now = clock.now()
    with django_assert_max_num_queries(14):
        assert review_holders(now=now) == 0
    for pk, end in ends:
        ties.filter(pk=pk).update(end_date=end)
    assert review_holders(now=now + timedelta(days=1)) == 0, "it was the roster being written"
    ties.update(end_date=clock.day_of(cast.now) - timedelta(days=1))
    assert review_holders(now=now + timedelta(days=2)) == 0
    assert review_holders(now=now + timedelta(days=2) + LEFT_GRACE) == 1
    assert (reason_of(own), reason_of(guardians), reason_of(security)) == (RevocationReason.AFFILIATION_CHANGED, None, None)
