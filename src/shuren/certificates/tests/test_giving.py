"""Certificates given, taken back and given again: who may, what is written, what is told."""

from datetime import timedelta

import pytest
from django.apps import apps
from tests.cast import Cast

from shuren.certificates.data import CertificateStatus, Recipient, Verdict
from shuren.certificates.models import Batch, BatchItem, Certificate, StatusList
from shuren.certificates.rules.multibase import key_of_spki
from shuren.certificates.rules.proofs import document_digest, is_proved
from shuren.certificates.rules.status_list import SIZE, is_set
from shuren.certificates.selectors.certificates import credential_of, status_of
from shuren.certificates.selectors.checking import verdict_by_number
from shuren.certificates.selectors.issuer import PROOF_KEY, own_keys
from shuren.certificates.services import give_batch as giving
from shuren.certificates.services.give import give_certificate, take_seats
from shuren.certificates.services.give_batch import give_batch
from shuren.certificates.services.present import status_list
from shuren.certificates.services.revoke import reissue_certificate, revoke_certificate
from shuren.certificates.services.write_template import add_template, change_template, retire_template
from shuren.certificates.tests.conftest import new_template
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import Event
from shuren.messaging.api import notices_of
from shuren.work.api import run_pending


def give(cast: Cast, template_id: int, key: str = "pupil", *, by: str = "school_admin", once: str = "") -> int:
    return give_certificate(
        actor=cast.actor(by),
        org_id=cast.orgs["school"].id,
        template_id=template_id,
        recipient=Recipient(cast.people[key].id, {"等级": "二等奖"}),
        key=once,
        now=cast.now,
    )


def test_a_certificate_proves_itself_and_leaves_traces(cast: Cast, certificate_id: int) -> None:
    row = Certificate.objects.get(pk=certificate_id)
    document = credential_of(row)
    assert row.narrative == "张三 同学（东湖区实验小学四年级1班）在本学年中获得一等奖，特发此证。"
    assert document["credentialSubject"]["narrative"] == row.narrative
    (key,) = own_keys(PROOF_KEY).values()
    assert is_proved(document, key=key_of_spki(key.spki))
    assert document_digest(document) == bytes(row.digest)
    entry = apps.get_model("trust", "LogEntry").objects.get(pk=row.entry_id)
    assert (entry.business, bytes(entry.digest)) == ("honour", bytes(row.digest))
    assert audit.entries(action="certificates.certificate_issued").get().target == f"certificate:{row.pk}"
    event = Event.objects.get(name="certificates.certificate_issued")
    assert event.payload["person_id"] == cast.people["pupil"].id
    for key_of_person in ("pupil", "parent"):
        titles = [notice.title for notice in notices_of(cast.people[key_of_person].id).rows]
        assert any("三好学生" in title for title in titles), key_of_person


def test_values_that_look_like_json_or_places_stay_text(cast: Cast, template_id: int) -> None:
    nasty = '"{name}\\n\\u0000</script>'
    made = give_certificate(
        actor=cast.actor("head"),
        org_id=cast.orgs["school"].id,
        template_id=template_id,
        recipient=Recipient(cast.people["pupil"].id, {"等级": nasty}),
        now=cast.now,
    )
    row = Certificate.objects.get(pk=made)
    assert nasty in row.narrative
    assert document_digest(credential_of(row)) == bytes(row.digest)


def test_the_same_key_gives_once(cast: Cast, template_id: int) -> None:
    assert give(cast, template_id, once="k") == give(cast, template_id, once="k")
    assert Certificate.objects.count() == 1


@pytest.mark.parametrize("by", ["pupil", "parent", "teacher", "class_teacher", "staff", "far_head", "system_admin"])
def test_others_cannot_give(cast: Cast, template_id: int, by: str) -> None:
    with pytest.raises(NotFound):
        give(cast, template_id, by=by)


def test_nobody_gives_to_people_of_others(cast: Cast, template_id: int) -> None:
    with pytest.raises(NotFound):
        give(cast, template_id, "far_pupil")
    with pytest.raises(Invalid):
        give_certificate(
            actor=cast.actor("head"),
            org_id=cast.orgs["school"].id,
            template_id=template_id,
            recipient=Recipient(cast.people["pupil"].id, {}),
            now=cast.now,
        )


def test_schools_give_with_templates_from_above_where_the_level_is_named(cast: Cast) -> None:
    county = cast.actor("county_officer")
    school_id = cast.orgs["school"].id
    for levels, fits in ((("school",), True), ((), False)):
        template = new_template(levels=levels, fields=(), wording="{name}")
        made = add_template(actor=county, org_id=cast.orgs["county"].id, template=template, now=cast.now)
        recipient = Recipient(cast.people["pupil"].id)
        if fits:
            row_id = give_certificate(
                actor=cast.actor("head"), org_id=school_id, template_id=made, recipient=recipient, now=cast.now
            )
            assert Certificate.objects.get(pk=row_id).issuer_name == "东湖区实验小学"
        else:
            with pytest.raises(NotFound):
                give_certificate(actor=cast.actor("head"), org_id=school_id, template_id=made, recipient=recipient, now=cast.now)


def test_a_change_makes_a_version_and_leaves_what_was_given(cast: Cast, template_id: int, certificate_id: int) -> None:
    admin = cast.actor("school_admin")
    changed = new_template(name="优秀学生", wording="{name} {等级}")
    assert change_template(actor=admin, template_id=template_id, template=changed, now=cast.now) == 2
    later = Certificate.objects.select_related("version").get(pk=give(cast, template_id))
    assert (later.version.name, later.narrative) == ("优秀学生", "张三 二等奖")
    former = Certificate.objects.select_related("version").get(pk=certificate_id)
    assert former.version.name == "三好学生"
    retire_template(actor=admin, template_id=template_id, now=cast.now)
    with pytest.raises(NotFound):
        give(cast, template_id)


def test_revoking_shows_at_once_everywhere(cast: Cast, certificate_id: int) -> None:
    row = Certificate.objects.get(pk=certificate_id)
    before = status_list(row.status_list_id, now=cast.now)["credentialSubject"]["encodedList"]
    assert not is_set(before, row.status_index)
    revoke_certificate(actor=cast.actor("head"), certificate_id=row.pk, reason="评选有误", now=cast.now)
    after = status_list(row.status_list_id, now=cast.now)
    assert is_set(after["credentialSubject"]["encodedList"], row.status_index)
    (key,) = own_keys(PROOF_KEY).values()
    assert is_proved(after, key=key_of_spki(key.spki))
    found = verdict_by_number(row.number, now=cast.now)
    assert (found.verdict, found.revoked_reason) == (Verdict.REVOKED, "评选有误")
    assert apps.get_model("trust", "LogEntry").objects.filter(subject=f"revocation:{row.number}", business="honour").count() == 1
    assert Event.objects.filter(name="certificates.certificate_revoked").count() == 1
    with pytest.raises(Conflict):
        revoke_certificate(actor=cast.actor("head"), certificate_id=row.pk, reason="再来", now=cast.now)


@pytest.mark.parametrize("by", ["pupil", "parent", "class_teacher", "far_head", "audit_admin"])
def test_others_cannot_revoke(cast: Cast, certificate_id: int, by: str) -> None:
    with pytest.raises(NotFound):
        revoke_certificate(actor=cast.actor(by), certificate_id=certificate_id, reason="x", now=cast.now)


def test_a_correction_revokes_and_gives_again_once(cast: Cast, certificate_id: int) -> None:
    def correct() -> int:
        return reissue_certificate(
            actor=cast.actor("head"), certificate_id=certificate_id, values={"等级": "特等奖"}, reason="等级写错", now=cast.now
        )

    made = Certificate.objects.get(pk=correct())
    assert (made.replaces_id, "特等奖" in made.narrative) == (certificate_id, True)
    with pytest.raises(Conflict):
        correct()
    assert Certificate.objects.count() == 2


def test_a_term_ends_and_is_renewed(cast: Cast) -> None:
    admin = cast.actor("school_admin")
    template = new_template(valid_months=12)
    made = add_template(actor=admin, org_id=cast.orgs["school"].id, template=template, now=cast.now)
    row = Certificate.objects.get(pk=give(cast, made))
    later = cast.now + timedelta(days=400)
    assert status_of(row, now=cast.now) is CertificateStatus.VALID
    assert verdict_by_number(row.number, now=later).verdict is Verdict.EXPIRED
    again = reissue_certificate(actor=admin, certificate_id=row.pk, values={"等级": "一等奖"}, now=later)
    assert verdict_by_number(Certificate.objects.get(pk=again).number, now=later).verdict is Verdict.VALID


def batch_of(cast: Cast, template_id: int, keys: tuple[str, ...] = ("pupil", "classmate", "other_pupil")) -> int:
    return give_batch(
        actor=cast.actor("school_admin"),
        org_id=cast.orgs["school"].id,
        template_id=template_id,
        recipients=[Recipient(cast.people[key].id, {"等级": "一等奖"}) for key in keys],
        now=cast.now,
    )


def test_a_batch_is_given_by_a_job(cast: Cast, template_id: int) -> None:
    made = batch_of(cast, template_id)
    run_pending()
    assert Certificate.objects.filter(batch_id=made).count() == 3
    assert Batch.objects.get(pk=made).done_at is not None
    assert Event.objects.get(name="certificates.batch_given").payload["count"] == 3
    assert audit.entries(action="certificates.batch_given").get().details["count"] == 3
    seats = list(Certificate.objects.values_list("status_list_id", "status_index"))
    assert len(set(seats)) == 3


class Killed(BaseException):
    """What a kill looks like from inside."""


def test_a_killed_batch_goes_on_without_giving_twice(cast: Cast, template_id: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = batch_of(cast, template_id)
    monkeypatch.setattr(giving, "_AT_ONCE", 1)
    write, calls = giving.write_certificates, []

    def dying(**facts: object) -> object:
        calls.append(1)
        rows = write(**facts)  # type: ignore[arg-type]  # passed through
        if len(calls) == 2:
            raise Killed
        return rows

    class Job:
        job_id, attempt, state = 1, 1, {}

        def progress(self, *_: object) -> None: ...
        def checkpoint(self, **_: object) -> None: ...
        def is_cancelled(self) -> bool:
            return False

    monkeypatch.setattr(giving, "write_certificates", dying)
    with pytest.raises(Killed):
        giving.write_batch(Job(), batch_id=made, now=cast.now)
    assert (Certificate.objects.count(), BatchItem.objects.count()) == (1, 2)
    monkeypatch.setattr(giving, "write_certificates", write)
    assert giving.write_batch(Job(), batch_id=made, now=cast.now) == 3
    assert (Certificate.objects.count(), BatchItem.objects.count()) == (3, 0)


def test_lists_are_filled_to_the_last_bit_and_then_begun_anew(cast: Cast) -> None:
    StatusList.objects.create(taken=SIZE - 2)
    first, second, third = take_seats(3)
    assert first[0] == second[0] != third[0]
    assert StatusList.objects.order_by("-id").first().taken == 1  # type: ignore[union-attr]  # just made


def test_ticked_lists_are_bounded(cast: Cast, template_id: int) -> None:
    with pytest.raises(Invalid):
        batch_of(cast, template_id, ())
    with pytest.raises(NotFound):
        batch_of(cast, template_id, ("pupil", "far_pupil"))


def test_nobody_acts_without_a_person(cast: Cast, template_id: int) -> None:
    stranger = Actor(person_id=None, account_id=None, name="")
    with pytest.raises(NotFound):
        give_batch(
            actor=stranger,
            org_id=cast.orgs["school"].id,
            template_id=template_id,
            recipients=[Recipient(cast.people["pupil"].id)],
            now=cast.now,
        )
