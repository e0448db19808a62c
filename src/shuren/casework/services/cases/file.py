"""Filing: a draft that is filled in by itself as far as the region already knows, saved while somebody types, handed in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState, DefinitionKind, DefinitionStatus
from shuren.casework.models import Case, Definition
from shuren.casework.rules.forms import check_form, first_data, taken_over, with_parties
from shuren.casework.rules.numbers import case_number
from shuren.casework.rules.specs.flow import FiledBy
from shuren.casework.rules.specs.form import FieldType, FormSpec
from shuren.casework.selectors.attachments import files_of
from shuren.casework.selectors.cases import access_case, may_fill, orgs_to_file_for
from shuren.casework.selectors.definitions import definition_named, flow_of, form_of, spec_of
from shuren.casework.selectors.parties import known_party
from shuren.casework.selectors.prefill import Prefill, prefilled
from shuren.casework.services.cases.trail import locked_case, note, record
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, PersonData, Role
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused

FILLABLE = (CaseState.DRAFT.value, CaseState.RETURNED.value)


@transaction.atomic
def file_case(
    *,
    actor: Actor,
    flow: str = "",
    form: str = "",
    org_id: int,
    subject_person_id: int | None = None,
    item_id: int | None = None,
    data: Mapping[str, Any] | None = None,
    carried: Mapping[str, Any] | None = None,
    title: str = "",
    origin: str = "",
    is_vouched: bool = False,
    now: datetime,
) -> Case:
    """Make a draft, filled in with what the region holds and with `data`; nobody else sees it until it is handed in.

    Whoever the flow (with `item_id` the item of the hall) says may file; a bare form anybody with an office over the org.
    With `is_vouched` the caller has checked the right, and the data, itself; `carried` are answers given and checked before.
    """
    definition, form_version_id = _defined(flow, form)
    org = directory.orgs_by_ids([org_id]).get(org_id)
    if org is None:
        raise NotFound(_("没有找到这个单位。"))
    if not is_vouched:
        _check_filer(actor, definition, item_id, org, now)
    _check_built_here(definition, org)
    subject = _subject(actor, subject_person_id, now)
    spec = form_of(form_version_id)
    if data and not (is_vouched or actor.is_system):
        data = told_by(actor, spec, data, kept={}, files={}, now=now)
    known = prefilled(spec, org=org, person=subject or _own(actor), now=now)
    told = {**first_data(spec), **(carried or {}), **(data or {}), **{key: one.value for key, one in known.items()}}
    case = Case.objects.create(
        number=uuid4().hex[:30],
        title=(title or _title(definition, org, subject))[:200],
        flow_version_id=definition.current_id if definition.kind == DefinitionKind.FLOW.value else None,
        form_version_id=form_version_id,
        definition=definition,
        item_id=item_id,
        state=CaseState.DRAFT.value,
        org_id=org.id,
        org_path=org.path,
        filer_id=actor.person_id,
        subject_id=subject.id if subject else None,
        origin=origin,
        data=check_form(spec, told, today=day_of(now), is_draft=True).data,
        asked=sum(not field.calculated for field in spec.fields),
        saved=len(known),
        filed_at=now,
        changed_at=now,
    )
    prefix = flow_of(case.flow_version_id).prefix if case.flow_version_id else ""
    case.number = case_number(prefix, day_of(now), case.pk)
    case.save(update_fields=["number"])
    note(case, actor, Act.FILED, now=now)
    record(case, actor, "case_filed", now=now, org_id=org.id)
    return case


def _defined(flow: str, form: str) -> tuple[Definition, int]:
    """The definition to run, and the version of its form."""
    if bool(flow) == bool(form):
        raise Invalid(_("请指明一个流程，或一张表单。"))
    definition = definition_named(DefinitionKind.FLOW if flow else DefinitionKind.FORM, flow or form)
    if definition.status != DefinitionStatus.IN_FORCE.value:
        raise Conflict(_("“%(title)s”已经停用，不能再发起。") % {"title": definition.title})
    if form:
        return definition, definition.current_id or 0
    return definition, definition_named(DefinitionKind.FORM, spec_of(definition).form).current_id or 0


def _check_filer(actor: Actor, definition: Definition, item_id: int | None, org: OrgData, now: datetime) -> None:
    if actor.is_system:
        return
    if actor.person_id is None:
        raise Refused(_("请先登录再办理。"))
    if item_id is not None:
        item = Definition.objects.filter(pk=item_id, kind=DefinitionKind.ITEM.value).first()
        if item is None:
            raise NotFound(_("没有找到这个事项。"))
        allowed = spec_of(item).applies
    elif definition.kind == DefinitionKind.FLOW.value:
        allowed = spec_of(definition).filed_by
    else:
        allowed = FiledBy(roles=tuple(role for role in Role if role not in (Role.PUPIL, Role.PARENT)))
    if (
        item_id is None
        and allowed.anyone
        and not any(one.path.startswith(org.path) for one in orgs_to_file_for(actor=actor, filed_by=allowed, now=now))
    ):
        raise Refused(_("您不能为“%(org)s”发起这项办理。") % {"org": org.name}, remedy=_("请选择您或您的孩子所在的单位。"))
    if not may_file(actor, allowed, org, now):
        raise Refused(_("您不能为“%(org)s”发起这项办理。") % {"org": org.name}, remedy=_("请换一个单位，或请有权限的同事发起。"))


def _check_built_here(definition: Definition, org: OrgData) -> None:
    """What somebody built runs in the branch of their org: elsewhere it would be filled in with what others hold."""
    if definition.pack_id is None and not org.path.startswith(definition.org_path):
        raise Refused(_("“%(title)s”不是给“%(org)s”用的。") % {"title": definition.title, "org": org.name})


def may_file(actor: Actor, allowed: FiledBy, org: OrgData, now: datetime) -> bool:
    """Whether the actor may file for the org: anyone, or holders of a role over it where its type is one of those named."""
    if allowed.anyone:
        return actor.person_id is not None and actor.app is None
    if allowed.at and org.type not in allowed.at:
        return False
    return any(org.path.startswith(path) for path in directory.role_paths_of(actor=actor, roles=allowed.roles, now=now))


def _subject(actor: Actor, person_id: int | None, now: datetime) -> PersonData | None:
    """Whom the case is about: oneself, a ward, or somebody whom the filer may see."""
    if person_id is None:
        return None
    found = directory.people_by_ids([person_id]).get(person_id)
    if found is None:
        raise NotFound(_("没有找到这个人。"))
    if actor.is_system or person_id == actor.person_id:
        return found
    wards = {link.ward_id for link in directory.wards_of([actor.person_id])} if actor.person_id else set()
    if person_id not in wards:
        directory.access_person(actor=actor, id=person_id, permission=Permission.VIEW_PEOPLE, now=now)
    return found


def _own(actor: Actor) -> PersonData | None:
    return directory.people_by_ids([actor.person_id]).get(actor.person_id) if actor.person_id else None


def _title(definition: Definition, org: OrgData, subject: PersonData | None) -> str:
    return f"{definition.title_zh} · {subject.name if subject else org.name}"


@transaction.atomic
def save_draft(*, actor: Actor, case_id: int, data: Mapping[str, Any], base_revision: int, now: datetime) -> int:
    """Keep what was typed so far and return the new revision; `Conflict` where somebody else saved meanwhile."""
    case = fillable(actor, case_id, now)
    check_revision(case, base_revision)
    form = form_of(case.form_version_id)
    case.data = check_form(form, taken(case, data, actor, now), today=day_of(now), is_draft=True).data
    case.revision += 1
    case.changed_at = now
    case.save(update_fields=["data", "revision", "changed_at"])
    record(case, actor, "draft_saved", now=now, revision=case.revision)
    return case.revision


def fillable(actor: Actor, case_id: int, now: datetime) -> Case:
    """The case, locked, if the actor may fill it in and it is being filled in."""
    access_case(actor=actor, id=case_id, now=now)
    case = locked_case(case_id)
    if not may_fill(case, actor, now):
        raise Refused(_("只有发起人可以填写。"))
    if case.state not in FILLABLE:
        raise Conflict(_("这个办件已经提交，不能再改。"), remedy=_("要修改请先撤回，或请办理人退回。"))
    return case


def check_revision(case: Case, base_revision: int) -> None:
    if case.revision != base_revision:
        raise Conflict(_("别处已经保存过新的内容。"), remedy=_("请对照最新的内容再保存。"))


def taken(case: Case, data: Mapping[str, Any], actor: Actor, now: datetime) -> dict[str, Any]:
    """What may be said in the form of this case; see `told_by`."""
    return told_by(actor, form_of(case.form_version_id), data, kept=case.data, files=files_of(case_id=case.pk), now=now)


def told_by(
    actor: Actor,
    form: FormSpec,
    data: Mapping[str, Any],
    *,
    kept: Mapping[str, Any],
    files: Mapping[str, Mapping[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    """What an actor may say: files uploaded here, people, orgs and entries within reach, and no signature but their own."""
    before = taken_over(form, data, kept, files)
    known = with_parties(form, before, kept, lambda field, value: known_party(field, value, actor=actor, now=now))
    for field in form.fields:
        told = data.get(field.key)
        if field.type is not FieldType.SIGNATURE or told == kept.get(field.key):
            continue
        if not told:
            known.pop(field.key, None)
        elif isinstance(told, Mapping) and actor.person_id and told.get("person") == ids.encode("person", actor.person_id):
            at = localtime(now).isoformat(timespec="seconds")
            known[field.key] = {"person": told["person"], "name": actor.name, "at": at, "digest": str(told.get("digest", ""))}
    return known


def held_values(case: Case, now: datetime) -> dict[str, Prefill]:
    """What the region holds about the case's org and person, by field: it stands there whatever was typed over it."""
    org = directory.orgs_by_ids([case.org_id])[case.org_id]
    person_id = case.subject_id or case.filer_id
    person = directory.people_by_ids([person_id]).get(person_id) if person_id else None
    return prefilled(form_of(case.form_version_id), org=org, person=person, now=now)
