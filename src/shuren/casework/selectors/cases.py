"""Cases, each within its reader's reach: filers, subjects and their guardians, whoever was asked, and offices above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat
from django.utils.translation import gettext as _

from shuren.casework.data import CaseData, CaseResult, CaseState, DefinitionKind, DefinitionStatus
from shuren.casework.models import Case, CaseEvent, CollectionTarget, Definition, StageRun, WorkItem
from shuren.casework.rules.specs.flow import FiledBy, FlowSpec, StageSpec
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.selectors.definitions import flow_of, form_of
from shuren.casework.selectors.work import Hat, asked_q, hats_of
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, Role
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import EXACT_COUNT_LIMIT, Page, page_of
from shuren.kernel.scope import path_q
from shuren.standards.data import Grade

# So many of the newest cases are looked through for a word where the branch is wide: enough for weeks, and quick.
SEARCHED = 50_000
_UNSEEN = (CaseState.DRAFT.value,)


def access_case(*, actor: Actor, id: int, now: datetime) -> Case:
    """The case, if the actor filed it, is its subject or their guardian, was asked about it, or may look into its branch."""
    case = Case.objects.select_related("definition", "org", "filer", "subject", "item").filter(pk=id).first()
    if case is None or not _may_see(case, actor, now):
        raise NotFound(_("没有找到这个办件。"))
    return case


def _may_see(case: Case, actor: Actor, now: datetime) -> bool:
    if actor.is_system or is_party(case, actor, now):
        return True
    if case.state == CaseState.DRAFT.value:
        return may_fill(case, actor, now)
    if directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now).covers(case.org_path):
        return True
    see = flow_of(case.flow_version_id).see if case.flow_version_id else ()
    if see and any(case.org_path.startswith(path) for path in directory.role_paths_of(actor=actor, roles=see, now=now)):
        return True
    if may_fill(case, actor, now):
        return True
    hats = hats_of(actor, now)
    return bool(hats) and WorkItem.objects.filter(asked_q(hats, is_history=True), case_id=case.pk).exists()


def is_party(case: Case, actor: Actor, now: datetime) -> bool:
    """Whether it is the actor's own matter: as the filer, the subject, or a guardian of the subject."""
    if actor.person_id is None or actor.app is not None:
        return False
    if actor.person_id in (case.filer_id, case.subject_id):
        return True
    return case.subject_id is not None and actor.person_id in {
        link.guardian_id for link in directory.guardians_of([case.subject_id])
    }


def may_fill(case: Case, actor: Actor, now: datetime) -> bool:
    """Whether the actor may fill it in while it is a draft: the filer, and in a collection whoever fills in for that org."""
    if actor.is_system or (actor.person_id is not None and actor.app is None and actor.person_id == case.filer_id):
        return True
    target = CollectionTarget.objects.select_related("collection").filter(case_id=case.pk).first()
    if target is None:
        return False
    offices = directory.offices_of(actor=actor, now=now)
    return any(role.value in target.collection.filled_by and path == case.org_path for role, path in offices)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuery:
    """What a list of cases is narrowed by; empty values do not narrow."""

    flow: str = ""
    state: str = ""
    org_path: str = ""
    search: str = ""


def cases_within(
    *, actor: Actor, query: CaseQuery, now: datetime, is_walked: bool = False, is_narrow: bool = False
) -> QuerySet[Case]:
    """Cases in the branches that the actor may look into, drafts of others left out; unordered.

    With `is_walked` the conditions hide from the indexes, so that the rows are met along the primary key; with `is_narrow`
    the state hides, so that they are met by their place.
    """
    scope = directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now)
    rows, place, state, flow = Case.objects.all(), "org_path", "state", "definition_id"
    if is_walked:
        place, state, flow = "walked_place", "walked_state", "walked_flow"
        rows = rows.alias(
            walked_place=Concat("org_path", Value("")),
            walked_state=Concat("state", Value("")),
            walked_flow=F("definition_id") + 0,
        )
    elif is_narrow:
        state = "hidden_state"
        rows = rows.alias(hidden_state=Concat("state", Value("")))
    seen = path_q(place, scope.paths)
    for definition_id, roles in _flows_seen(query.flow):
        paths = [path for path in directory.role_paths_of(actor=actor, roles=roles, now=now) if not scope.covers(path)]
        if paths:
            seen |= Q(**{flow: definition_id}) & path_q(place, paths)
    rows = rows.filter(seen)
    if query.org_path:
        rows = rows.filter(path_q(place, [query.org_path]))
    if query.flow:
        found = Definition.objects.filter(key=query.flow, kind__in=(DefinitionKind.FLOW.value, DefinitionKind.FORM.value))
        rows = rows.filter(**{f"{flow}__in": list(found.values_list("pk", flat=True))})
    rows = rows.filter(**{state: query.state}) if query.state else rows.exclude(**{f"{state}__in": _UNSEEN})
    return rows.filter(_search_q(query.search, is_narrow=is_narrow)) if query.search.strip() else rows


def _search_q(search: str, *, is_narrow: bool) -> Q:
    """A number from its beginning, or a word of the title: in a wide branch among the newest cases of the house only."""
    word = search.replace("\0", "").strip()
    number = word.upper()
    by_number = Q(number__gte=number, number__lt=number + "\uffff")
    by_title = Q(title__icontains=word)
    if not is_narrow:
        newest = Case.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        by_title &= Q(pk__gt=newest - SEARCHED)
    return by_number | by_title


def _flows_seen(key: str) -> list[tuple[int, tuple[Role, ...]]]:
    """Flows whose definition lets roles read, by row id."""
    rows = Definition.objects.filter(kind=DefinitionKind.FLOW.value, current__isnull=False)
    if key:
        rows = rows.filter(key=key)
    found = rows.exclude(status=DefinitionStatus.DRAFT.value).values_list("pk", "current_id")
    return [(pk, see) for pk, current_id in found if current_id and (see := flow_of(current_id).see)]


def cases_page(*, actor: Actor, query: CaseQuery, number: int = 1, size: int = 25, now: datetime) -> Page[Case]:
    """A page of cases, newest first; as quick over a million as over ten.

    Up to ten thousand are found by index and sorted here; where there are more, the newest cases are walked until enough
    are met. Only those of the page are read whole: a database that joins first takes seconds where it guesses wrong.
    """
    place = cases_within(actor=actor, query=CaseQuery(org_path=query.org_path), now=now)
    is_narrow = place.order_by()[: EXACT_COUNT_LIMIT + 1].count() <= EXACT_COUNT_LIMIT
    rows = cases_within(actor=actor, query=query, now=now, is_narrow=is_narrow)
    found = list(rows.order_by().values_list("pk", flat=True)[: EXACT_COUNT_LIMIT + 1])
    total = len(found)
    is_exact = total <= EXACT_COUNT_LIMIT
    number = min(max(1, number), max(1, -(-total // size))) if is_exact else max(1, number)
    start = (number - 1) * size
    if is_exact:
        found.sort(reverse=True)
    else:
        found = _newest(cases_within(actor=actor, query=query, now=now, is_walked=True), start + size)
    ids = found[start : start + size]
    shown = Case.objects.filter(pk__in=ids).select_related("definition", "org", "filer", "flow_version").order_by("-id")
    return Page(rows=list(shown), total=max(total, start + len(ids)), is_exact=is_exact, number=number, size=size)


def _newest(rows: QuerySet[Case], wanted: int) -> list[int]:
    """Ids of the newest of these rows, looked for in ever wider pieces from the newest case of the house on."""
    top, step = Case.objects.order_by("-pk").values_list("pk", flat=True).first() or 0, SEARCHED // 2
    found: list[int] = []
    while top > 0 and len(found) < wanted:
        piece = rows.filter(pk__gt=top - step, pk__lte=top).order_by("-pk").values_list("pk", flat=True)
        found += piece[: wanted - len(found)]
        top, step = top - step, 2 * step
    return found


def own_cases_page(*, actor: Actor, state: str = "", number: int = 1, size: int = 25, now: datetime) -> Page[Case]:
    """What the actor filed, and what was filed about them or their wards, newest first."""
    if actor.person_id is None:
        return page_of(Case.objects.none(), lambda row: row)
    people = [actor.person_id, *(link.ward_id for link in directory.wards_of([actor.person_id]))]
    own = Q(filer_id=actor.person_id) | (Q(subject_id__in=people) & ~Q(state=CaseState.DRAFT.value))
    rows = Case.objects.filter(own).select_related("definition", "org", "flow_version", "subject")
    if state:
        rows = rows.filter(state=state)
    return page_of(rows.order_by("-filed_at", "-id"), lambda row: row, number=number, size=size)


def case_history(case_id: int, *, limit: int = 200) -> list[CaseEvent]:
    """What happened to the case, newest first."""
    return list(CaseEvent.objects.filter(case_id=case_id).order_by("-id")[:limit])


def stage_runs_of(case_id: int) -> list[StageRun]:
    """Visits of stages, in the order in which they happened."""
    return list(StageRun.objects.filter(case_id=case_id).order_by("id"))


def opinions_of(case_id: int, *, limit: int = 200) -> list[WorkItem]:
    """Answered items, in the order of the answers."""
    rows = WorkItem.objects.filter(case_id=case_id, done_at__isnull=False).select_related(
        "stage_run", "done_by", "for_person", "org"
    )
    return list(rows.order_by("done_at", "id")[:limit])


def flow_of_case(case: Case) -> FlowSpec | None:
    return flow_of(case.flow_version_id) if case.flow_version_id else None


def form_of_case(case: Case) -> FormSpec:
    return form_of(case.form_version_id)


def stage_of_case(case: Case) -> StageSpec | None:
    flow = flow_of_case(case)
    return flow.stage(case.stage) if flow and case.stage else None


def sensitive_fields(case: Case) -> list[str]:
    """Keys of fields graded L4 that hold something: reading them is written into the audit trail."""
    return sorted(_sensitive(form_of_case(case).fields, case.data))


def _sensitive(fields: Sequence[FieldSpec], data: Mapping[str, Any]) -> set[str]:
    found = set()
    for field in fields:
        if not data.get(field.key):
            continue
        inner = field.type is FieldType.TABLE and any(column.grade is Grade.SENSITIVE for column in field.columns)
        if field.grade is Grade.SENSITIVE or inner:
            found.add(field.key)
    return found


def startable_flows(*, actor: Actor, now: datetime) -> list[Definition]:
    """Flows in force that the actor may file somewhere, by title."""
    rows = Definition.objects.filter(
        kind=DefinitionKind.FLOW.value, status=DefinitionStatus.IN_FORCE.value, current__isnull=False
    ).order_by("key")
    if actor.person_id is None:
        return []
    offices = directory.offices_of(actor=actor, now=now)
    held = {role for role, _path in offices}
    return [row for row in rows if row.current_id and _may_start(flow_of(row.current_id).filed_by, held)]


def _may_start(filed_by: FiledBy, held: set[Role]) -> bool:
    return filed_by.anyone or bool(held & set(filed_by.roles))


def orgs_to_file_for(*, actor: Actor, filed_by: FiledBy, now: datetime) -> list[OrgData]:
    """Orgs for which the actor may file: where they hold a role that may; with `anyone` wherever they or their wards belong."""
    offices = directory.offices_of(actor=actor, now=now)
    paths = [path for role, path in offices if role in filed_by.roles]
    org_ids = [int(path.rstrip("/").rpartition("/")[2]) for path in paths]
    if filed_by.anyone and actor.person_id is not None:
        people = [actor.person_id, *(link.ward_id for link in directory.wards_of([actor.person_id]))]
        org_ids += [path_id(path) for role, path in offices]
        org_ids += [seat.class_id for seat in directory.enrollments_of_people(people)]
    found = directory.orgs_by_ids(dict.fromkeys(org_ids))
    return [org for org in found.values() if filed_by.anyone or not filed_by.at or org.type in filed_by.at]


def path_id(path: str) -> int:
    return int(path.rstrip("/").rpartition("/")[2])


def case_data(case: Case) -> CaseData:
    """A case as other apps see it."""
    return CaseData(
        id=case.pk,
        public_id=ids.encode("case", case.pk),
        number=case.number,
        title=case.title,
        flow=case.definition.key if case.flow_version_id else "",
        form=form_of_case(case).key,
        state=CaseState(case.state),
        stage=case.stage,
        result=CaseResult(case.result) if case.result else None,
        end=case.end,
        org_id=case.org_id,
        org_path=case.org_path,
        filer_person_id=case.filer_id,
        subject_person_id=case.subject_id,
        origin=case.origin,
        filed_at=case.filed_at,
        submitted_at=case.submitted_at,
        due_at=case.due_at,
        closed_at=case.closed_at,
        data=case.data,
        built_within="" if case.definition.pack_id else case.definition.org_path,
    )


def case_counts(*, actor: Actor, now: datetime) -> dict[str, int]:
    """How many items wait for the actor and how many of them are late, each counted to a hundred."""
    hats: list[Hat] = hats_of(actor, now)
    if not hats:
        return {"open": 0, "late": 0}
    rows = WorkItem.objects.filter(asked_q(hats), state="open", case__state=CaseState.RUNNING.value)
    return {"open": rows[:100].count(), "late": rows.filter(due_at__lt=now)[:100].count()}
