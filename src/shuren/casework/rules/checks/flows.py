"""Flows: every stage is reached and left, every outcome leads somewhere, everybody asked can be found."""

from collections.abc import Iterator, Mapping

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.rules.checks.ends import end_findings
from shuren.casework.rules.checks.forms import field_findings
from shuren.casework.rules.checks.known import Known, expression_findings, fields_by_name, nearest
from shuren.casework.rules.offices import office_words
from shuren.casework.rules.specs.flow import END, TO_FILER, Decide, FlowSpec, StageSpec, Who
from shuren.casework.rules.specs.form import About, FieldSpec, FieldType, FormSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.specs.words import Span
from shuren.directory.data import OrgType, Role

_SCHOOLS = frozenset({OrgType.GROUP, OrgType.SCHOOL, OrgType.CAMPUS, OrgType.TEACHING_POINT, OrgType.AGENCY, OrgType.DEPARTMENT})
_ROOMS = frozenset({OrgType.GRADE, OrgType.CLASS})
# Where somebody may hold a role at all; roles that are not named here may be granted anywhere.
_OFFICES: Mapping[Role, frozenset[OrgType]] = {
    Role.PROVINCE_OFFICER: frozenset({OrgType.PROVINCE}),
    Role.CITY_OFFICER: frozenset({OrgType.CITY}),
    Role.COUNTY_OFFICER: frozenset({OrgType.COUNTY}),
    Role.HEAD: _SCHOOLS,
    Role.SCHOOL_ADMIN: _SCHOOLS,
    Role.TEACHER: _SCHOOLS | _ROOMS,
    Role.CLASS_TEACHER: _SCHOOLS | _ROOMS,
    Role.PUPIL: _SCHOOLS | _ROOMS,
    Role.PARENT: _SCHOOLS,
    Role.STAFF: frozenset(OrgType) - _ROOMS,
}
# Where people of a role file as a rule; officers file for any org of their branch, and nothing can be foretold.
_DESKS: Mapping[Role, tuple[OrgType, ...]] = {
    Role.HEAD: (OrgType.SCHOOL,),
    Role.SCHOOL_ADMIN: (OrgType.SCHOOL,),
    Role.STAFF: (OrgType.SCHOOL,),
    Role.TEACHER: (OrgType.CLASS,),
    Role.CLASS_TEACHER: (OrgType.CLASS,),
}
_HOURS = {"hours": 1, "days": 24, "working_days": 24}


def may_be_held(role: Role, kind: OrgType) -> bool:
    """Whether anybody can hold the role at an org of this type."""
    return kind in _OFFICES.get(role, frozenset(OrgType))


def flow_findings(flow: FlowSpec, known: Known) -> Iterator[Finding]:
    yield from known.missing(DefinitionKind.FORM, flow.form, "form")
    form = known.spec(DefinitionKind.FORM, flow.form)
    names = fields_by_name(form)
    for stage in flow.stages:
        names |= {field.key: field for field in stage.fields}
    yield from _keys(flow)
    yield from _graph(flow)
    for stage in flow.stages:
        yield from _stage(stage, flow, names, form, known)
    for end in flow.ends:
        yield from end_findings(end, names, form, known)
    for role in flow.filed_by.roles:
        if flow.filed_by.at and not any(may_be_held(role, kind) for kind in flow.filed_by.at):
            yield _no_holder(role, flow.filed_by.at, "filed_by.roles")


def _keys(flow: FlowSpec) -> Iterator[Finding]:
    for name, keys in (("stages", [stage.key for stage in flow.stages]), ("ends", [end.key for end in flow.ends])):
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield Finding(f"{name}.{key}", _("“%(key)s”写了两次。") % {"key": key})


def _graph(flow: FlowSpec) -> Iterator[Finding]:
    """Targets exist; from the first stage everything is reached; from everywhere an end is."""
    targets = {stage.key for stage in flow.stages} | {f"{END}{end.key}" for end in flow.ends}
    for stage in flow.stages:
        for outcome in stage.outcomes:
            if outcome.to not in targets | {TO_FILER}:
                path = f"stages.{stage.key}.outcomes.{outcome.key}.to"
                yield Finding(path, _("没有“%(key)s”这一环节或结果。") % {"key": outcome.to}, nearest(outcome.to, targets))
    ways = {stage.key: {outcome.to for outcome in stage.outcomes} for stage in flow.stages}
    reached = _closure(ways, {flow.stages[0].key})
    for stage in flow.stages:
        if stage.key not in reached:
            yield Finding(f"stages.{stage.key}", _("没有环节通到这里。"), _("让某个环节的办理结果（outcomes）通到它，或去掉它。"))
        if not any(target.startswith(END) for target in _closure(ways, {stage.key}) & targets):
            yield Finding(
                f"stages.{stage.key}",
                _("从这个环节走不到任何结果，办件会永远办不完。"),
                _("加一个通到办结方式的办理结果（to: end:…）。"),
            )
    for end in flow.ends:
        if f"{END}{end.key}" not in reached:
            yield Finding(
                f"ends.{end.key}",
                _("没有环节通到这个结果。"),
                _("让某个环节的办理结果通到它（to: end:%(key)s）。") % {"key": end.key},
            )


def _closure(ways: Mapping[str, set[str]], start: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        here = waiting.pop()
        if here not in reached:
            reached.add(here)
            waiting += ways.get(here, ())
    return reached


def _stage(
    stage: StageSpec, flow: FlowSpec, names: dict[str, FieldSpec], form: FormSpec | None, known: Known
) -> Iterator[Finding]:
    path = f"stages.{stage.key}"
    yield from expression_findings(stage.when, names, f"{path}.when")
    own = {**names, **{field.key: field for field in stage.fields}}
    for field in stage.fields:
        yield from field_findings(field, own, known, f"{path}.fields.{field.key}")
    for key in stage.edits:
        if form is not None and form.field_named(key) is None:
            yield Finding(f"{path}.edits", _("没有字段“%(key)s”。") % {"key": key}, nearest(key, names))
    keys = [outcome.key for outcome in stage.outcomes]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield Finding(f"{path}.outcomes.{key}", _("“%(key)s”写了两次。") % {"key": key})
    yield from _who(stage.who, flow, names, known, f"{path}.who")
    if stage.arbiter:
        yield from _who(stage.arbiter, flow, names, known, f"{path}.arbiter")
    yield from _numbers(stage, own, path)
    yield from _times(stage, flow, names, known, path)


def _numbers(stage: StageSpec, own: Mapping[str, FieldSpec], path: str) -> Iterator[Finding]:
    if stage.decide == Decide.QUORUM and stage.who.pool and stage.quorum and stage.quorum > stage.who.count:
        said = {"quorum": stage.quorum, "count": stage.who.count}
        yield Finding(f"{path}.quorum", _("只请 %(count)d 人，凑不够 %(quorum)d 票。") % said)
    if stage.decide == Decide.BLIND:
        if stage.who.pool and stage.who.count != 2:
            yield Finding(f"{path}.who.count", _("双盲由两人各自打分。"), _("抽取人数改成 2（count: 2）。"))
        scored = next((field for field in stage.fields if field.key == stage.score), None)
        if scored is None or scored.type not in (FieldType.INTEGER, FieldType.DECIMAL):
            yield Finding(f"{path}.score", _("“%(key)s”不是这个环节的数字字段。") % {"key": stage.score})


def _times(stage: StageSpec, flow: FlowSpec, names: Mapping[str, FieldSpec], known: Known, path: str) -> Iterator[Finding]:
    if stage.due is None and (stage.remind or stage.late):
        yield Finding(f"{path}.due", _("没有期限，也就没有提醒和超期。"), _("写上时限（due）。"))
    if stage.due is not None:
        if _hours(stage.due) == 0:
            yield Finding(f"{path}.due", _("期限是零，一到手就超期。"))
        if any(_hours(span) >= _hours(stage.due) for span in stage.remind):
            yield Finding(f"{path}.remind", _("提醒早于收到的时间。"), _("提醒从期限往回数，要比期限短。"))
        if flow.promise is not None and _hours(stage.due) > _hours(flow.promise):
            yield Finding(f"{path}.due", _("这个环节的期限比整件事承诺的时间还长。"))
    if stage.late and stage.late.outcome and stage.late.outcome not in {outcome.key for outcome in stage.outcomes}:
        yield Finding(f"{path}.late.outcome", _("这个环节没有“%(key)s”这个出口。") % {"key": stage.late.outcome})
    if stage.late and stage.late.tell:
        yield from _who(stage.late.tell, flow, names, known, f"{path}.late.tell")


def _hours(span: Span) -> int:
    return sum((getattr(span, unit) or 0) * hours for unit, hours in _HOURS.items())


def _who(who: Who, flow: FlowSpec, names: Mapping[str, FieldSpec], known: Known, path: str) -> Iterator[Finding]:
    if who.role is not None and not who.named_in:
        kinds = (who.at,) if isinstance(who.at, OrgType) else filing_kinds(flow) if who.at == "here" else ()
        if kinds and not any(may_be_held(who.role, kind) for kind in kinds):
            yield _no_holder(who.role, kinds, f"{path}.role")
    if path.endswith(("who", "arbiter")):
        yield from _found_by_nobody(who, flow, f"{path}.at")
    if who.each and not isinstance(who.at, OrgType):
        yield Finding(f"{path}.each", _("每个机构都办（each）时，要写明是哪一级机构（at）。"))
    if who.named_in:
        named = names.get(who.named_in)
        if named is None or named.type not in (FieldType.PERSON, FieldType.ORG):
            yield Finding(
                f"{path}.named_in", _("“%(key)s”不是人员或机构字段。") % {"key": who.named_in}, nearest(who.named_in, names)
            )
        elif named.type == FieldType.ORG and who.role is None:
            yield Finding(f"{path}.role", _("选的是机构，还要写明由那里的哪个角色办理。"))
    if who.pool:
        yield from known.missing(DefinitionKind.REGISTER, who.pool, f"{path}.pool")
        pool = known.spec(DefinitionKind.REGISTER, who.pool)
        if isinstance(pool, RegisterSpec) and not lists_people(pool):
            yield Finding(f"{path}.pool", _("台账“%(key)s”里没有人员字段，抽不出人。") % {"key": who.pool})
    if who.owner_of and who.owner_of not in known.elements and who.owner_of not in names:
        yield Finding(
            f"{path}.owner_of", _("没有数据元“%(key)s”。") % {"key": who.owner_of}, nearest(who.owner_of, known.elements)
        )
    yield from known.missing_function(who.function, f"{path}.function")
    if who.otherwise:
        yield from _who(who.otherwise, flow, names, known, f"{path}.otherwise")


def filing_kinds(flow: FlowSpec) -> tuple[OrgType, ...]:
    """The types of orgs that cases lie in; none where that cannot be foretold."""
    if flow.filed_by.at or flow.filed_by.anyone:
        return flow.filed_by.at
    if any(role not in _DESKS for role in flow.filed_by.roles):
        return ()
    return tuple(dict.fromkeys(kind for role in flow.filed_by.roles for kind in _DESKS[role]))


def _found_by_nobody(who: Who, flow: FlowSpec, path: str) -> Iterator[Finding]:
    """Types of orgs where a case may lie and nobody of a chain of `at: here` can be found."""
    chain: list[Who] = []
    link: Who | None = who
    while link is not None:
        chain.append(link)
        link = link.otherwise
    if any(one.role is None or one.named_in or one.at != "here" for one in chain):
        return
    lost = [
        office_words(kind) for kind in filing_kinds(flow) if not any(may_be_held(one.role, kind) for one in chain if one.role)
    ]
    if lost and len(lost) < len(filing_kinds(flow)):
        reason = _("在 %(kinds)s 发起的办件，这里找不到办理人。") % {"kinds": "、".join(lost)}
        yield Finding(
            path, reason, _("写明在哪一级办理（如 at: school，从办件所在机构往上找），或限定只能在哪一级发起（filed_by.at）。")
        )


def lists_people(register: RegisterSpec) -> bool:
    """Whether people can be drawn from it."""
    return register.about == About.PERSON or any(field.type == FieldType.PERSON for field in register.fields)


def _no_holder(role: Role, kinds: tuple[OrgType, ...], path: str) -> Finding:
    said = {"role": office_words(role), "kinds": "、".join(office_words(kind) for kind in kinds)}
    reason = _("在 %(kinds)s 没有人担任 %(role)s，找不到办理人。") % said
    can = "、".join(office_words(kind) for kind in OrgType if may_be_held(role, kind))
    return Finding(path, reason, _("这个角色在：%(kinds)s。") % {"kinds": can})
