"""Put a definition into force: checked as a whole, a new version only where the body changed, and never past open cases."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from json import dumps
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shuren.casework.data import FINAL_STATES, CaseState, CollectionState, DefinitionKind, DefinitionStatus, Finding
from shuren.casework.models import Case, Collection, Definition, DefinitionVersion, Entry, Pack
from shuren.casework.rules.changes import Change, blocking, form_changes
from shuren.casework.rules.functions import function_names
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.selectors.definitions import read_version
from shuren.casework.selectors.known import body_findings, known_now, specs_in_force
from shuren.casework.selectors.own_limits import own_findings
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, Refused


class DefinitionRefused(Invalid):
    """A definition has faults; `findings` are all of them, the message tells the first."""

    def __init__(self, findings: list[Finding]) -> None:
        first = findings[0]
        more = len(findings) - 1
        told = str(Finding(first.path, first.reason, "", True, first.file, first.line))
        if more:
            told += " " + ngettext("另外还有 %(count)d 处。", "另外还有 %(count)d 处。", more) % {"count": more}
        super().__init__(told, remedy=first.remedy)
        self.findings = findings


class OpenCasesCannotFollow(Conflict):
    """A change would lose what people have filled in and not finished."""


@transaction.atomic
def put_definition(
    *,
    actor: Actor,
    kind: DefinitionKind,
    body: Mapping[str, Any],
    org_id: int | None = None,
    pack: Pack | None = None,
    now: datetime,
) -> Definition:
    """The definition in force with this body; publishes `casework.definition_changed` where it changed.

    Whoever holds `DEFINE_CASEWORK` over `org_id` may, and over the org that has the definition already; packs come by the
    house itself. Raises `DefinitionRefused` or `OpenCasesCannotFollow`.
    """
    org = _permitted(actor, org_id, pack, now)
    spec, findings = body_findings(kind, dict(body), known_now(specs_in_force(), functions=function_names()))
    if org is not None and spec is not None:
        findings = [*findings, *own_findings(spec, actor=actor, org=org, now=now)]
    if errors := [finding for finding in findings if finding.is_error]:
        raise DefinitionRefused(errors)
    assert spec is not None
    row = Definition.objects.select_for_update(of=("self",)).filter(kind=kind.value, key=spec.key).first()
    if row is not None and row.pack_id and pack is None:
        raise Refused(_("“%(key)s”来自功能包，不能在页面上改。") % {"key": spec.key}, remedy=_("请在本地区的功能包文件夹里改。"))
    if row is not None and row.org_id and pack is None:
        _permitted(actor, row.org_id, None, now)
    if row is None and pack is None and Pack.objects.filter(pk=spec.key.partition(".")[0]).exists():
        raise Refused(_("“%(key)s”开头的名称属于功能包。") % {"key": spec.key.partition(".")[0]}, remedy=_("换一个开头。"))
    return write_definition(actor=actor, kind=kind, body=body, spec=spec, org=org, pack=pack, now=now)


def write_definition(
    *,
    actor: Actor,
    kind: DefinitionKind,
    body: Mapping[str, Any],
    spec: Any,
    org: OrgData | None,
    pack: Pack | None,
    now: datetime,
) -> Definition:
    """Write what was checked; the caller's transaction. Open cases move along where they can, else nothing is written."""
    told = dumps(body, sort_keys=True, ensure_ascii=False, default=str)
    digest = sha256(told.encode()).hexdigest()
    titles = {"title_zh": spec.title.zh[:120], "title_en": spec.title.en[:120]}
    row, is_new = Definition.objects.select_related("current").get_or_create(
        kind=kind.value,
        key=spec.key,
        defaults={
            **titles,
            "status": DefinitionStatus.IN_FORCE.value,
            "pack": pack,
            "org_id": org.id if org else None,
            "org_path": org.path if org else "",
        },
    )
    current = row.current
    if current is not None and current.digest == digest and row.status == DefinitionStatus.IN_FORCE and row.pack == pack:
        return row
    if current is not None and current.digest != digest:
        _refuse_loss(row, read_version(current.pk), spec)
    if current is None or current.digest != digest:
        number = (row.versions.order_by("-number").values_list("number", flat=True).first() or 0) + 1
        row.current = DefinitionVersion.objects.create(
            definition=row, number=number, body=dict(body), digest=digest, made_at=now, made_by_id=actor.person_id
        )
        if current is not None:
            _move_along(kind, row, row.current)
    row.status, row.pack = DefinitionStatus.IN_FORCE.value, pack
    row.title_zh, row.title_en = titles["title_zh"], titles["title_en"]
    row.save()
    _tell(actor, row, is_new=is_new, now=now)
    return row


def retire_definition(*, actor: Actor, definition: Definition, now: datetime) -> None:
    """It takes nothing new any more; what runs on it goes on. The caller's transaction, the caller has checked the right."""
    definition.status = DefinitionStatus.RETIRED.value
    definition.save(update_fields=["status"])
    target = f"definition:{definition.pk}"
    audit.record(actor=actor, action="casework.definition_retired", target=target, details={"key": definition.key}, now=now)
    events.publish("casework.definition_changed", {"kind": definition.kind, "key": definition.key, "version": None}, now=now)


def _permitted(actor: Actor, org_id: int | None, pack: Pack | None, now: datetime) -> OrgData | None:
    if actor.is_system and (pack is not None or org_id is None):
        return None
    if pack is not None or org_id is None:
        raise Refused(_("功能包由平台安装，不能由个人改动。"))
    return directory.access_org(actor=actor, id=org_id, permission=Permission.DEFINE_CASEWORK, now=now)


def _tell(actor: Actor, row: Definition, *, is_new: bool, now: datetime) -> None:
    assert row.current is not None
    said = {"kind": row.kind, "key": row.key, "version": row.current.number}
    action = "casework.definition_made" if is_new else "casework.definition_changed"
    audit.record(actor=actor, action=action, target=f"definition:{row.pk}", details=said, now=now)
    events.publish("casework.definition_changed", said, now=now)


def _refuse_loss(row: Definition, before: Any, after: Any) -> None:
    if not (isinstance(before, FormSpec) and isinstance(after, FormSpec)):
        return
    losing = [change for change in form_changes(before, after) if change.loses]
    if not losing:
        return
    if row.kind == DefinitionKind.REGISTER:
        entries = Entry.objects.filter(register=row, removed_at__isnull=True)
        found = blocking(losing, _used(entries, before, losing), 0)
        unit = _("条在册记录")
    else:
        cases = _open_cases(row)
        running = cases.filter(state=CaseState.RUNNING.value).count()
        found = blocking(losing, _used(cases, before, losing), running)
        unit = _("件没有办完的事")
    if found:
        words = "；".join(change.words for change in found)
        reason = _("不能这样改“%(title)s”：%(words)s，而有%(unit)s用到它。") % {
            "title": row.title_zh,
            "words": words,
            "unit": unit,
        }
        raise OpenCasesCannotFollow(reason, remedy=_("保留原字段，另加一个新字段；或者等这些办完再改。"))


def _used(rows: QuerySet[Any], before: FormSpec, losing: list[Change]) -> dict[str, int]:
    old = {field.key for field in before.fields}
    tops = {change.path: change.path.partition(".")[0] for change in losing}
    return {path: rows.filter(data__has_key=top).count() for path, top in tops.items() if top in old}


def _open_cases(row: Definition) -> QuerySet[Case]:
    return Case.objects.filter(form_version__definition=row).exclude(state__in=[state.value for state in FINAL_STATES])


def _move_along(kind: DefinitionKind, row: Definition, version: DefinitionVersion) -> None:
    """Open cases get the new form, drafts the new flow too; what already goes through a flow keeps the one it began with."""
    collections = Collection.objects.filter(state__in=[CollectionState.ISSUING.value, CollectionState.OPEN.value])
    if kind == DefinitionKind.FORM:
        _open_cases(row).update(form_version=version)
        collections.filter(form_version__definition=row).update(form_version=version)
    elif kind == DefinitionKind.FLOW:
        Case.objects.filter(flow_version__definition=row, state=CaseState.DRAFT.value).update(flow_version=version)
        collections.filter(flow_version__definition=row).update(flow_version=version)
