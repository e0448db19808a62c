"""The rights of those whose data it is: take a copy, ask for a correction or a deletion, get an answer in time."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import Role, SubjectKind, SubjectState
from shuren.directory.models import Affiliation, Disclosure, FormerNumber, Person, SubjectRequest
from shuren.directory.rules.permissions import STRONG
from shuren.directory.rules.retention import erasable
from shuren.directory.rules.tree import prefixes_of
from shuren.directory.selectors.consents import places_of
from shuren.directory.selectors.orgs import root_org
from shuren.directory.selectors.scope import current_q
from shuren.directory.selectors.subjects import access_subject, requests_to_answer, subject_data
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging.api import notify


@transaction.atomic
def give_subject_data(*, actor: Actor, person_id: int, now: datetime) -> dict[str, object]:
    """A copy of everything on file, for the person or a guardian; the taking is audited."""
    person = access_subject(actor=actor, id=person_id, now=now)
    audit.record(actor=actor, action="directory.subject_data_given", target=f"person:{person_id}", now=now)
    return subject_data(person)


@transaction.atomic
def ask_about_data(*, actor: Actor, person_id: int, kind: SubjectKind, body: str, now: datetime) -> int:
    """Ask for a correction or a deletion; publishes `directory.subject_request_made`. The school answers by the day it names."""
    access_subject(actor=actor, id=person_id, now=now)
    if actor.person_id is None or not body.strip():
        raise Invalid(_("请写清楚要改什么、删什么，为什么。"))
    places = sorted(places_of([person_id], day=day_of(now))[person_id], key=lambda path: (path.count("/"), path))
    root = root_org()
    path = places[0] if places else root.path if root else ""
    row = SubjectRequest.objects.create(
        subject_id=person_id,
        asked_by_id=actor.person_id,
        kind=kind.value,
        body=body.strip(),
        org_path=path,
        at=now,
        due_at=now + timedelta(days=settings.SUBJECT_DAYS),
    )
    details = {"request_id": row.pk, "person_id": person_id, "kind": kind.value}
    audit.record(actor=actor, action="directory.subject_request_made", target=f"person:{person_id}", details=details, now=now)
    events.publish("directory.subject_request_made", details, now=now)
    title = _("有一条关于个人信息的请求要答复")
    notify(person_ids=_answerers(path, now, (Role.HEAD, Role.SCHOOL_ADMIN)), title=title, url="/data-requests/", now=now)
    return row.pk


@transaction.atomic
def answer_request(*, actor: Actor, request_id: int, is_granted: bool, answer: str, now: datetime) -> SubjectState:
    """Grant or decline; publishes `directory.subject_request_answered` once it is final.

    A correction is made on the person's page before it is answered. A deletion needs two people: the first proposes, the
    second, who is somebody else, carries it out.
    """
    if not requests_to_answer(actor=actor, now=now).filter(pk=request_id).exists():
        raise NotFound(_("没有找到这条请求。"))
    row = SubjectRequest.objects.select_for_update().get(pk=request_id)
    if row.state in (SubjectState.DONE, SubjectState.DECLINED):
        raise Conflict(_("这条请求已经答复过。"))
    if actor.person_id in (row.subject_id, row.asked_by_id):
        raise Refused(_("不能答复自己的请求。"), remedy=_("请由另一位负责人答复。"))
    if not answer.strip():
        raise Invalid(_("请写明答复的理由。"))
    if row.kind == SubjectKind.DELETE and is_granted and row.state == SubjectState.OPEN:
        row.state, row.proposed_by_id, row.answer = SubjectState.PROPOSED, actor.person_id, answer.strip()
        row.save(update_fields=["state", "proposed_by", "answer"])
        audit.record(actor=actor, action="directory.erasure_proposed", target=f"person:{row.subject_id}", now=now)
        return SubjectState.PROPOSED
    if row.kind == SubjectKind.DELETE and is_granted:
        if row.proposed_by_id == actor.person_id:
            raise Refused(_("删除要两个人都同意。"), remedy=_("请由另一位负责人确认。"))
        _erase(actor, row.subject_id, now)
    row.state = SubjectState.DONE if is_granted else SubjectState.DECLINED
    row.answered_by_id, row.answered_at, row.answer = actor.person_id, now, answer.strip()
    row.save(update_fields=["state", "answered_by", "answered_at", "answer"])
    details = {"request_id": row.pk, "kind": row.kind, "state": row.state, "person_id": row.subject_id}
    target = f"person:{row.subject_id}"
    audit.record(actor=actor, action="directory.subject_request_answered", target=target, details=details, now=now)
    events.publish("directory.subject_request_answered", details, now=now)
    notify(person_ids=[row.asked_by_id], title=_("您的请求已答复"), body=row.answer, url="/my-data/", now=now)
    return SubjectState(row.state)


def _erase(actor: Actor, person_id: int, now: datetime) -> None:
    """Erase what no duty keeps, and with a person without record also who they were; nothing brings it back.

    The event names the recipients that were ever told of the person: they erase it too, wherever the person is now.
    """
    person = Person.objects.select_for_update().get(pk=person_id)
    has_record = Affiliation.objects.filter(person=person).exclude(role=Role.PARENT.value).exists()
    facts = erasable(has_record=has_record)
    for key in facts & {
        "phone",
        "email",
        "username",
        "family_name",
        "given_name",
        "sort_key",
        "pupil_number",
        "staff_number",
        "grade",
    }:
        setattr(person, key, "")
    if not has_record:
        person.name, person.birth_date, person.sex, person.is_active = _("已注销"), None, "0", False
        person.national_id_index, person.national_id_sealed = "", None
        FormerNumber.objects.filter(person=person).exclude(kind="number").delete()
    person.save()
    told = Disclosure.objects.filter(person=person).exclude(recipient="").values_list("recipient", flat=True).distinct()
    details = {"erased": sorted(facts), "is_whole": not has_record, "recipients": sorted(told)}
    audit.record(actor=actor, action="directory.person_erased", target=f"person:{person_id}", details=details, now=now)
    events.publish("directory.person_erased", {"person_id": person_id, **details}, now=now)


def tend_subject_requests(*, now: datetime) -> dict[str, int]:
    """Run daily: what is overdue is told to the offices above, once."""
    late = SubjectRequest.objects.filter(answered_at__isnull=True, escalated_at__isnull=True, due_at__lte=now).order_by("pk")
    told = 0
    for row in late.iterator(chunk_size=500):
        with transaction.atomic():
            SubjectRequest.objects.filter(pk=row.pk).update(escalated_at=now)
            people = _answerers(row.org_path, now, tuple(STRONG))
            title = _("一条关于个人信息的请求已超过答复期限")
            key = f"subject-late:{row.pk}"
            notify(person_ids=people, title=title, url="/data-requests/", key=key, now=now)
            target, details = f"person:{row.subject_id}", {"request_id": row.pk}
            audit.record(actor=SYSTEM, action="directory.subject_request_escalated", target=target, details=details, now=now)
        told += 1
    return {"escalated": told}


def _answerers(path: str, now: datetime, roles: tuple[Role, ...]) -> list[int]:
    rows = Affiliation.objects.visible().filter(
        current_q(day_of(now)), org_path__in=prefixes_of(path), role__in=[role.value for role in roles]
    )
    return list(rows.values_list("person_id", flat=True)[:200])
