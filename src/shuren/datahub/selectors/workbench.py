"""The workbench as one officer sees it: datasets with rows for them, their questions and what these were answered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec, Reader, SharedColumn, SharingWay
from shuren.datahub.models import QuestionAnswer, QuestionSchedule, SavedQuestion, SharingGrant
from shuren.datahub.rules.gate import may_find_rows
from shuren.datahub.selectors.assets import column_types_of_datasets
from shuren.datahub.selectors.catalogue import is_called, known_datasets
from shuren.datahub.selectors.shared_datasets import columns_of_shared, title_of
from shuren.datahub.selectors.sharing import access_usable_grant, grants_seen
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound, Refused
from shuren.standards.data import Grade, MaskStyle

# Whoever may ask others for data asks first what is there.
ASKERS = Permission.ISSUE_COLLECTIONS
HIGHEST_GRADE = Grade.INTERNAL.value


@dataclass(frozen=True, slots=True)
class Desk:
    """Whose rows an officer asks about: their branches, and whether these are the whole region."""

    paths: tuple[str, ...]
    is_region: bool
    orgs: tuple[OrgData, ...]

    @property
    def scope_name(self) -> str:
        return "、".join(org.name for org in self.orgs[:5])

    def reader(self, purpose: str, *, most_rows: int, seconds: float) -> Reader:
        return Reader(
            scope=self.paths,
            purpose=purpose,
            is_region=self.is_region,
            highest_grade=HIGHEST_GRADE,
            most_rows=most_rows,
            seconds=seconds,
        )


@dataclass(frozen=True, slots=True)
class AskedDataset:
    """A dataset that may be asked about, through a grant where the rows are another unit's."""

    spec: DatasetSpec
    grant: SharingGrant | None = None

    @property
    def title(self) -> str:
        return title_of(self.spec)


@dataclass(frozen=True, slots=True)
class AskedColumn:
    """A column as a question finds it: its Arrow type, and the mask that lies over it."""

    column: SharedColumn
    type: str
    mask: MaskStyle


def access_workbench(*, actor: Actor, now: datetime) -> Desk:
    """The actor's branches; `NotFound` for those who ask nobody for data."""
    paths = directory.scope_of(actor=actor, permission=ASKERS, now=now).paths
    if not paths or actor.person_id is None:
        raise NotFound(_("没有找到这个页面。"))
    root = directory.root_org()
    orgs = directory.orgs_by_ids(int(path.rstrip("/").rpartition("/")[2]) for path in paths)
    named = tuple(sorted(orgs.values(), key=lambda org: org.path))
    return Desk(paths, root is not None and root.path in paths, named)


def datasets_asked(desk: Desk, *, actor: Actor, now: datetime, words: str = "") -> list[AskedDataset]:
    """Every dataset with rows for the actor, own ones first by title, then those granted; empty datasets are left out."""
    specs = {spec.name: spec for spec in known_datasets()}
    written = set(column_types_of_datasets(list(specs)))
    own = [
        AskedDataset(spec) for name, spec in specs.items() if name in written and may_find_rows(spec, is_region=desk.is_region)
    ]
    live = grants_seen(actor=actor, now=now, side="got", state="live")
    granted = [
        AskedDataset(specs[grant.dataset], grant)
        for grant in live[:200]
        if grant.dataset in specs and SharingWay.QUERY.value in grant.ways
    ]
    found = [*sorted(own, key=lambda one: one.title), *granted]
    return [one for one in found if is_called(one.spec, words)]


def access_asked_dataset(desk: Desk, *, actor: Actor, name: str, grant_id: int | None, now: datetime) -> AskedDataset:
    """A dataset as the actor may ask about it; otherwise `NotFound`."""
    for one in datasets_asked(desk, actor=actor, now=now):
        if one.spec.name == name and (one.grant.pk if one.grant else None) == grant_id:
            return one
    raise NotFound(_("没有找到这个数据集。"))


def may_ask(*, actor: Actor, name: str, now: datetime) -> bool:
    """Whether the actor finds rows of their own branches in a dataset."""
    try:
        desk = access_workbench(actor=actor, now=now)
        access_asked_dataset(desk, actor=actor, name=name, grant_id=None, now=now)
    except NotFound:
        return False
    return True


def columns_asked(asked: AskedDataset) -> dict[str, AskedColumn]:
    """The columns of a dataset by name, each with the mask that the gate lays over it."""
    types = column_types_of_datasets([asked.spec.name]).get(asked.spec.name, {})
    found = {}
    for name, column in columns_of_shared(asked.spec).items():
        if asked.grant is not None:
            if name in asked.grant.masks:
                found[name] = AskedColumn(column, types[name], MaskStyle(asked.grant.masks[name]))
            continue
        is_plain = column.grade <= HIGHEST_GRADE
        found[name] = AskedColumn(column, types[name], MaskStyle.NONE if is_plain else MaskStyle(column.mask or MaskStyle.ALL))
    return found


def questions_seen(desk: Desk, *, actor: Actor, side: str = "", words: str = "") -> QuerySet[SavedQuestion]:
    """Saved questions, newest first; `side` is `mine`, `shared` or `deleted`, the last being one's own of 30 days."""
    mine = Q(owner_id=actor.person_id or 0)
    if side == "deleted":
        return SavedQuestion.objects.filter(mine, deleted_at__isnull=False).order_by("-pk")
    shared = Q(is_shared=True, org_path__in=_above(desk.paths))
    wanted = mine if side == "mine" else shared & ~mine if side == "shared" else mine | shared
    rows = SavedQuestion.objects.filter(wanted, deleted_at__isnull=True).order_by("-pk")
    for word in words.split()[:5]:
        rows = rows.filter(Q(title__icontains=word) | Q(note__icontains=word) | Q(dataset__icontains=word))
    return rows


def access_question(desk: Desk, *, actor: Actor, id: int) -> SavedQuestion:
    """One's own question, or one that is shared in a branch that one belongs to."""
    row = questions_seen(desk, actor=actor).filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个查询。"))
    return row


def access_own_question(*, actor: Actor, id: int, is_deleted: bool = False) -> SavedQuestion:
    """A question for its owner, locked; inside a transaction."""
    rows = SavedQuestion.objects.select_for_update().filter(owner_id=actor.person_id or 0, deleted_at__isnull=not is_deleted)
    row = rows.filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这个查询。"))
    return row


def schedule_of(question: SavedQuestion) -> QuestionSchedule | None:
    return QuestionSchedule.objects.filter(question=question).first()


def answers_of(*, actor: Actor, question: SavedQuestion | None = None) -> QuerySet[QuestionAnswer]:
    """The actor's own answers, newest first; those of a question where one is named."""
    rows = QuestionAnswer.objects.filter(person_id=actor.person_id or 0).order_by("-pk").defer("content")
    return rows if question is None else rows.filter(question=question)


def newest_answer(question: SavedQuestion, *, actor: Actor) -> int:
    """The id of the actor's newest answer of a question that has rows; `NotFound` before it was asked."""
    pk = answers_of(actor=actor, question=question).filter(fault="").values_list("pk", flat=True).first()
    if pk is None:
        raise NotFound(_("没有找到这份结果。"))
    return pk


def access_answer(desk: Desk, *, actor: Actor, id: int, now: datetime) -> QuestionAnswer:
    """An answer for who asked, while all of its rows are still theirs; otherwise `NotFound`."""
    row = QuestionAnswer.objects.select_related("question").filter(pk=id, person_id=actor.person_id or 0).first()
    if row is None:
        raise NotFound(_("没有找到这份结果。"))
    if row.grant_id is not None:
        access_usable_grant(actor=actor, id=row.grant_id, way=SharingWay.QUERY, now=now)
    elif not all(path.startswith(desk.paths) for path in row.scope):
        raise NotFound(_("这份结果超出了现在的数据范围。"), remedy=_("请重新查询。"))
    return row


def answer_before(desk: Desk, answer: QuestionAnswer, *, actor: Actor, now: datetime) -> QuestionAnswer | None:
    """The answer of the same schedule before this one that has rows; None where these are the actor's no more."""
    if not answer.schedule_id:
        return None
    rows = QuestionAnswer.objects.filter(schedule=answer.schedule_id, pk__lt=answer.pk, fault="").order_by("-pk")
    pk = rows.values_list("pk", flat=True).first()
    try:
        return access_answer(desk, actor=actor, id=pk or 0, now=now)
    except (NotFound, Refused):
        return None


def names_of_people(person_ids: Iterable[int]) -> Mapping[int, str]:
    return {key: person.name for key, person in directory.people_by_ids(set(person_ids)).items()}


def _above(paths: Iterable[str]) -> list[str]:
    """The branches that hold one of the paths: `1/15/` lies in `1/` and in itself."""
    found: set[str] = set()
    for path in paths:
        steps = path.rstrip("/").split("/")
        found.update("/".join(steps[:count]) + "/" for count in range(1, len(steps) + 1))
    return sorted(found)
