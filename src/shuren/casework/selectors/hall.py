"""The public hall: items with their guides and versions, who may apply for whom and where, and progress by number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseData, CaseState, DefinitionKind, DefinitionStatus
from shuren.casework.models import Case, CaseEvent, Definition, DefinitionVersion, Entry, StageRun
from shuren.casework.rules.hall import Change, Concern, Light, changes_between, concern_of, light_of, phone_in, place_in
from shuren.casework.rules.specs.form import FieldType, FormSpec
from shuren.casework.rules.specs.work import ItemSpec, MaterialSpec
from shuren.casework.rules.values import value_text
from shuren.casework.selectors.cases import access_case, case_data, flow_of_case, is_party
from shuren.casework.selectors.definitions import definition_named, flow_of, form_of, read_version, spec_of
from shuren.casework.selectors.holidays import holidays
from shuren.directory import api as directory
from shuren.directory.data import HousePurpose, OrgData, OrgType, PersonData, Role, Withheld
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.standards.data import Grade
from shuren.trust import api as trust

OFFICERS = (Role.COUNTY_OFFICER, Role.CITY_OFFICER, Role.PROVINCE_OFFICER)
_CODE_LENGTH = 8
_CODE_PURPOSE = "casework.query_code"
_TAIL = 4
_SCHOOL_TYPES = (OrgType.SCHOOL, OrgType.CAMPUS, OrgType.TEACHING_POINT)


@dataclass(frozen=True, slots=True)
class Offered:
    """An item as the hall offers it."""

    definition: Definition
    spec: ItemSpec


@dataclass(frozen=True, slots=True)
class GuideVersion:
    """One version of a guide: from when on it was so, and what it says otherwise than the one before."""

    number: int
    begun_at: datetime
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class MaterialShown:
    """A material for one applicant: `is_held` the region has it already, `is_asked` it is to be uploaded, else neither.

    What is neither is looked up by whoever decides, in data of other offices.
    """

    material: MaterialSpec
    is_held: bool
    is_asked: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a case, without a name of anybody."""

    title: str
    begun_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a case is, as anybody with its number and a proof may see it: no personal data."""

    number: str
    title: str
    state: CaseState
    steps: tuple[Step, ...]
    submitted_at: datetime | None
    due_at: datetime | None
    closed_at: datetime | None
    light: Light | None
    end: str
    certificate_number: str
    certificate_url: str


def items_offered(*, audience: str = "", topic: str = "", search: str = "") -> list[Offered]:
    """The items in force, by topic and title; empty arguments do not narrow."""
    rows = Definition.objects.filter(
        kind=DefinitionKind.ITEM.value, status=DefinitionStatus.IN_FORCE.value, current__isnull=False
    ).order_by("key")
    found = (Offered(row, spec_of(row)) for row in rows)
    word = search.strip().lower()
    return [
        one
        for one in found
        if (not audience or audience in one.spec.for_whom)
        and (not topic or topic == one.spec.topic)
        and (not word or word in _text_of(one.spec))
    ]


def _text_of(spec: ItemSpec) -> str:
    return f"{spec.title.zh} {spec.title.en} {spec.guide.zh} {spec.guide.en}".lower()


def item_named(key: str) -> Offered:
    """An item in force; `NotFound` where there is none."""
    definition = definition_named(DefinitionKind.ITEM, key)
    if definition.status != DefinitionStatus.IN_FORCE.value:
        raise NotFound(_("没有找到这个事项。"))
    return Offered(definition, spec_of(definition))


def form_of_item(spec: ItemSpec) -> FormSpec:
    flow = spec_of(definition_named(DefinitionKind.FLOW, spec.flow))
    form = definition_named(DefinitionKind.FORM, flow.form)
    assert form.current_id is not None
    return form_of(form.current_id)


def versions_of_item(definition: Definition) -> list[GuideVersion]:
    """The versions of a guide, newest first, each with what changed."""
    rows = list(DefinitionVersion.objects.filter(definition=definition).order_by("number").values_list("pk", "number", "made_at"))
    found: list[GuideVersion] = []
    before: ItemSpec | None = None
    for pk, number, made_at in rows:
        spec: ItemSpec = read_version(pk)
        found.append(GuideVersion(number, made_at, tuple(changes_between(before, spec)) if before else ()))
        before = spec
    return found[::-1]


@dataclass(frozen=True, slots=True)
class Matter:
    """Somebody, or an org, that the actor may apply for, and the chain of orgs they belong to, outermost first."""

    concern: Concern
    person: PersonData | None
    chain: tuple[OrgData, ...]

    @property
    def value(self) -> str:
        if self.person is not None:
            return f"person-{self.person.public_id}"
        return f"org-{self.chain[-1].public_id}"

    @property
    def name(self) -> str:
        return self.person.name if self.person is not None else self.chain[-1].name


def matters_of(*, actor: Actor, spec: ItemSpec, now: datetime) -> list[Matter]:
    """Whom the actor may apply for: themself, their wards, and orgs where they hold a role that may."""
    if actor.person_id is None or actor.app is not None:
        return []
    concerns, found = concern_of(spec), []
    if Concern.WARD in concerns:
        wards = [link.ward_id for link in directory.wards_of([actor.person_id], day=day_of(now))]
        people = directory.people_by_ids(wards)
        found += [Matter(Concern.WARD, people[ward], chain_of_person(ward, now)) for ward in wards if ward in people]
    if Concern.SELF in concerns:
        own = directory.people_by_ids([actor.person_id])
        found += [Matter(Concern.SELF, person, chain_of_person(person.id, now)) for person in own.values()]
    if Concern.ORG in concerns:
        paths = directory.role_paths_of(actor=actor, roles=spec.applies.roles, now=now)
        found += [Matter(Concern.ORG, None, chain) for path in paths if (chain := _chain_of_path(path))]
    return found


def chain_of_person(person_id: int, now: datetime) -> tuple[OrgData, ...]:
    """The orgs that somebody belongs to, outermost first: by class, else by affiliation; empty for strangers to all schools."""
    day = day_of(now)
    paths = [seat.class_path for seat in directory.enrollments_of_people([person_id], day=day)]
    paths = paths or [tie.org_path for tie in directory.affiliations_of_people([person_id], day=day)]
    return _chain_of_path(min(paths)) if paths else ()


def _chain_of_path(path: str) -> tuple[OrgData, ...]:
    return tuple(sorted(directory.orgs_above([path]).values(), key=lambda org: org.depth))


def chain_of_org(org_id: int) -> tuple[OrgData, ...]:
    found = directory.orgs_by_ids([org_id])
    return (*directory.ancestors_of(org_id), found[org_id]) if org_id in found else ()


def place_of(spec: ItemSpec, matter: Matter, chosen: OrgData | None) -> OrgData | None:
    """The org that handles the case: from where one is enrolled or works, otherwise the one chosen; None: one must choose."""
    if chosen is not None:
        return place_in(spec, chain_of_org(chosen.id))
    # Whoever applies for a child of school age or for somebody not yet at school says where they live.
    if spec.kind == "enrolment":
        return None
    return place_in(spec, matter.chain)


def offices_to_choose(spec: ItemSpec) -> list[OrgData]:
    """The offices that an applicant chooses among: of the levels that handle the item, or counties where schools do."""
    root = directory.root_org()
    if root is None:
        return []
    levels = (OrgType.COUNTY,) if spec.filed_at == "school" else spec.level
    return directory.subtree(root.path, types=levels)


def schools_of_office(office: OrgData) -> list[OrgData]:
    return directory.subtree(office.path, types=_SCHOOL_TYPES)


def materials_shown(spec: ItemSpec, form: FormSpec, *, person_id: int | None, org_id: int, now: datetime) -> list[MaterialShown]:
    """Every material with what becomes of it for this applicant."""
    asked = {field.key for field in form.fields if field.type is FieldType.FILE}
    held = _held_elements([m.element for m in spec.materials if m.element], person_id, org_id, now)
    found = []
    for material in spec.materials:
        is_held = material.element in held if material.element else _is_registered(material, person_id)
        found.append(MaterialShown(material, is_held, not is_held and material.field in asked and not material.is_shared))
    return found


def _held_elements(elements: Sequence[str], person_id: int | None, org_id: int, now: datetime) -> set[str]:
    told = [element for element in elements if not element.startswith("org.")]
    held: set[str] = set()
    if told and person_id is not None:
        found = directory.disclosed_people(
            person_ids=[person_id], elements=told, purpose=HousePurpose.ADMINISTRATION.value, recipient="", now=now
        ).get(person_id)
        if found is not None:
            held |= {element for element in told if found.withheld.get(element) is not Withheld.EMPTY}
    org = directory.orgs_by_ids([org_id]).get(org_id)
    if org is not None:
        values = {"org.code": org.code, "org.name": org.name, "org.division_code": org.division_code}
        held |= {element for element in elements if values.get(element)}
    return held


def _is_registered(material: MaterialSpec, person_id: int | None) -> bool:
    if not material.register_key or person_id is None:
        return False
    rows = Entry.objects.filter(
        register__kind=DefinitionKind.REGISTER.value, register__key=material.register_key, removed_at__isnull=True
    )
    return rows.filter(subject_id=person_id).exists()


def access_own_case(*, actor: Actor, id: int, now: datetime) -> Case:
    """The case, for its filer, its subject and their guardians; otherwise `NotFound`."""
    case = access_case(actor=actor, id=id, now=now)
    if not is_party(case, actor, now):
        raise NotFound(_("没有找到这个办件。"))
    return case


def query_code(number: str) -> str:
    """The code by which somebody who knows the number of a case may follow it; it is written on the receipt."""
    digest = trust.blind_index(number, purpose=_CODE_PURPOSE)
    return digest[:_CODE_LENGTH].upper()


def proves_case(case: Case, proof: str) -> bool:
    """Whether `proof` is the query code of a case or the last four figures of the telephone number that it gives."""
    word = proof.strip().upper()
    if word == query_code(case.number):
        return True
    phone = phone_in(case.data)
    return len(word) == _TAIL and len(phone) > _TAIL and phone.endswith(word)


def case_to_follow(*, number: str, proof: str) -> Case:
    """The case of this number, for whoever proves it; `NotFound` says no more than that the two do not go together."""
    case = Case.objects.select_related("definition", "item", "org").filter(number=number.strip().upper()).first()
    if case is None or case.state == CaseState.DRAFT.value or not proves_case(case, proof):
        raise NotFound(_("编号和查询码对不上。"), remedy=_("请核对受理回执上的编号，以及查询码或手机号后四位。"))
    return case


def progress_of(case: Case, *, now: datetime) -> Progress:
    """Steps and dates of a case, and nothing of anybody."""
    flow = flow_of_case(case)
    titles = {stage.key: str(stage.title) for stage in flow.stages} if flow else {}
    steps = [Step(_("提交申请"), case.submitted_at, case.submitted_at)]
    for run in StageRun.objects.filter(case=case).order_by("id"):
        steps.append(Step(titles.get(run.stage, run.stage), run.entered_at, run.left_at))
    state = CaseState(case.state)
    end = flow.end(case.end) if flow and case.end else None
    number, url = delivered_of(case.pk)
    return Progress(
        number=case.number,
        title=case.item.title if case.item else case.definition.title,
        state=state,
        steps=tuple(steps),
        submitted_at=case.submitted_at,
        due_at=case.due_at,
        closed_at=case.closed_at,
        light=light_of(
            case.due_at, promise=flow.promise if flow else None, closed_at=case.closed_at, now=now, holidays=holidays()
        ),
        end=str(end.title) if end else "",
        certificate_number=number,
        certificate_url=url,
    )


def delivered_of(case_id: int) -> tuple[str, str]:
    """The number of the certificate that a case ended with, and where it is verified; empty where there is none."""
    event = CaseEvent.objects.filter(case_id=case_id, act=Act.DELIVERED.value).order_by("-id").first()
    details: dict[str, Any] = event.details if event else {}
    return str(details.get("certificate", "")), str(details.get("url", ""))


def result_of(case_id: int) -> tuple[CaseData, dict[str, str]] | None:
    """A closed case for the app that gives its certificate: the case, and what form and offices say, in Chinese, by field title.

    What is graded L4 is not among it. None where the case is not closed. Applies no scope.
    """
    case = Case.objects.select_related("definition", "item", "org").filter(pk=case_id, state=CaseState.CLOSED.value).first()
    if case is None:
        return None
    item = case.item or case.definition
    texts = {"办件编号": case.number, "事项": item.title_zh, "办理单位": case.org.name}
    flow = flow_of_case(case)
    written = [(stage.fields, case.written.get(stage.key, {})) for stage in flow.stages] if flow else []
    for fields, data in [(form_of(case.form_version_id).fields, case.data), *written]:
        for field in fields:
            value = data.get(field.key)
            if field.title is None or value is None or field.grade is Grade.SENSITIVE:
                continue
            text = value_text(field, value, "zh-hans")
            if text:
                texts[field.title.zh] = text
    return case_data(case), texts


def stages_of_item(spec: ItemSpec) -> Iterable[str]:
    """The titles of the stages that a case of the item goes through."""
    definition = definition_named(DefinitionKind.FLOW, spec.flow)
    assert definition.current_id is not None
    return [str(stage.title) for stage in flow_of(definition.current_id).stages]


def catchments_found(*, year: int, word: str, limit: int = 30) -> list[tuple[Entry, OrgData | None]]:
    """Communities of the register of catchments that hold the word, with their schools, in force in that year."""
    rows = Entry.objects.filter(
        register__kind=DefinitionKind.REGISTER.value,
        register__key="gov.catchments",
        removed_at__isnull=True,
        label__contains=word.strip()[:40],
    ).exclude(state="ended")
    entries = [row for row in rows.order_by("label", "pk")[: limit * 3] if row.data.get("year") == year][:limit]
    orgs = directory.orgs_by_ids(entry.org_id for entry in entries)
    return [(entry, orgs.get(entry.org_id)) for entry in entries]


def places_of_school(*, org_id: int, year: int, stage: str) -> int | None:
    """The places that a school has published for a year; None where it has not."""
    rows = Entry.objects.filter(
        register__kind=DefinitionKind.REGISTER.value, register__key="gov.school_places", removed_at__isnull=True, org_id=org_id
    ).exclude(state="planned")
    found = [row.data for row in rows.order_by("-pk")[:200]]
    return next((data["places"] for data in found if data.get("year") == year and data.get("stage") == stage), None)


def coming_year(today: date) -> int:
    """The year in which those who register now begin school."""
    return today.year if today.month < 9 else today.year + 1
