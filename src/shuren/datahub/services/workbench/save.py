"""Questions are kept, changed, shared, copied, deleted and brought back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.models import QuestionAnswer, QuestionSchedule, QuestionVersion, SavedQuestion
from shuren.datahub.selectors.workbench import access_answer, access_own_question, access_question, access_workbench
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid

DELETED_FOR = timedelta(days=30)


@transaction.atomic
def save_question(*, actor: Actor, answer_id: int, title: str, note: str, is_shared: bool, now: datetime) -> SavedQuestion:
    """Keep the question of an answer as one of one's own."""
    desk = access_workbench(actor=actor, now=now)
    answer = access_answer(desk, actor=actor, id=answer_id, now=now)
    row = SavedQuestion(
        owner_id=answer.person_id,
        org_path=desk.paths[0],
        title=_checked(title),
        note=note.strip()[:500],
        is_shared=is_shared,
        dataset=answer.dataset,
        grant_id=answer.grant_id,
        sql=answer.sql,
        composition=answer.composition,
        changed_at=now,
    )
    row.save()
    _keep_version(row, now)
    QuestionAnswer.objects.filter(pk=answer.pk).update(question=row, title=row.title)
    _record(actor, "datahub.question_saved", row, now)
    return row


@transaction.atomic
def change_question(*, actor: Actor, question_id: int, title: str, note: str, is_shared: bool, now: datetime) -> None:
    """Change what a question is called and who finds it."""
    access_workbench(actor=actor, now=now)
    row = access_own_question(actor=actor, id=question_id)
    row.title, row.note, row.is_shared, row.changed_at = _checked(title), note.strip()[:500], is_shared, now
    row.save(update_fields=["title", "note", "is_shared", "changed_at"])
    _record(actor, "datahub.question_changed", row, now)


@transaction.atomic
def keep_version(*, actor: Actor, question_id: int, answer_id: int, now: datetime) -> SavedQuestion:
    """Give a question the text of an answer; the text before stays as a version. The same text makes none."""
    desk = access_workbench(actor=actor, now=now)
    answer = access_answer(desk, actor=actor, id=answer_id, now=now)
    row = access_own_question(actor=actor, id=question_id)
    if row.sql == answer.sql and row.grant_id == answer.grant_id:
        return row
    row.sql, row.composition, row.dataset, row.grant_id = answer.sql, answer.composition, answer.dataset, answer.grant_id
    row.version += 1
    row.changed_at = now
    row.save(update_fields=["sql", "composition", "dataset", "grant_id", "version", "changed_at"])
    _keep_version(row, now)
    QuestionAnswer.objects.filter(pk=answer.pk).update(question=row, title=row.title)
    _record(actor, "datahub.question_changed", row, now)
    return row


@transaction.atomic
def copy_question(*, actor: Actor, question_id: int, now: datetime) -> SavedQuestion:
    """A question of one's own with the text of another; it is not shared, not scheduled, and knows one version."""
    desk = access_workbench(actor=actor, now=now)
    found = access_question(desk, actor=actor, id=question_id)
    row = SavedQuestion.objects.create(
        owner_id=actor.person_id or 0,
        org_path=desk.paths[0],
        title=_("%(title)s（副本）") % {"title": found.title[:100]},
        note=found.note,
        dataset=found.dataset,
        grant_id=found.grant_id,
        sql=found.sql,
        composition=found.composition,
        changed_at=now,
    )
    _keep_version(row, now)
    _record(actor, "datahub.question_saved", row, now)
    return row


@transaction.atomic
def delete_question(*, actor: Actor, question_id: int, now: datetime) -> None:
    """Take a question away from everybody; for 30 days its owner brings it back. Its schedule ends."""
    access_workbench(actor=actor, now=now)
    row = access_own_question(actor=actor, id=question_id)
    row.deleted_at = now
    row.save(update_fields=["deleted_at"])
    QuestionSchedule.objects.filter(question=row, ended_at__isnull=True).update(ended_at=now, end_reason=_("查询已删除。"))
    _record(actor, "datahub.question_deleted", row, now)


@transaction.atomic
def restore_question(*, actor: Actor, question_id: int, now: datetime) -> None:
    """Bring a deleted question back, without its schedule."""
    access_workbench(actor=actor, now=now)
    row = access_own_question(actor=actor, id=question_id, is_deleted=True)
    row.deleted_at = None
    row.save(update_fields=["deleted_at"])
    _record(actor, "datahub.question_restored", row, now)


def sweep_questions(*, now: datetime) -> int:
    """Forget what was deleted 30 days ago, with its versions and answers; returns how many questions."""
    rows = SavedQuestion.objects.filter(deleted_at__lt=now - DELETED_FOR)
    count = rows.count()
    rows.delete()
    return count


def _checked(title: str) -> str:
    if not title.strip():
        raise Invalid(_("请写标题。"))
    return title.strip()[:120]


def _keep_version(row: SavedQuestion, now: datetime) -> None:
    QuestionVersion.objects.create(question=row, number=row.version, sql=row.sql, composition=row.composition, at=now)


def _record(actor: Actor, action: str, row: SavedQuestion, now: datetime) -> None:
    details = {"title": row.title, "dataset": row.dataset, "version": row.version, "is_shared": row.is_shared}
    audit.record(actor=actor, action=action, target=f"saved_question:{row.pk}", details=details, now=now)
