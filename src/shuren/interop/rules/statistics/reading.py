"""Reading a template: what keeps it from being read, and what is wrong with one that was."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext as _
from pydantic import ValidationError

from shuren.casework.api import ExpressionFault, compile_expression, spec_findings
from shuren.casework.data import FigureAsked, Finding
from shuren.directory.data import TallySubject
from shuren.interop.rules.statistics.checks import LAST
from shuren.interop.rules.statistics.plan import CellPlan, Place, figures_asked, plan_of, wheres
from shuren.interop.rules.statistics.spec import CheckSpec, PartSpec, TemplateSpec

# What can be told apart of each subject.
_TOLD = {
    TallySubject.PUPILS: {"grades", "sex", "age", "new"},
    TallySubject.STAFF: {"sex", "age", "roles", "new"},
    TallySubject.CLASSES: {"grades", "size", "new"},
    TallySubject.ORGS: {"types", "grades", "new"},
}
_SAMPLE_YEAR = 2025


def template_findings(body: Mapping[str, Any]) -> Sequence[Finding]:
    """What is wrong with a template by itself."""
    try:
        template = TemplateSpec.model_validate(body)
    except ValidationError as error:
        return list(spec_findings(error, body))
    return [*_names(template), *_sums(template), *_conditions(template), *_checks(template)]


def template_figures(body: Mapping[str, Any]) -> Mapping[str, FigureAsked]:
    """The figures a template asks for, by where they stand; none while it cannot be read."""
    try:
        template = TemplateSpec.model_validate(body)
    except ValidationError:
        return {}
    return {f"lines.{line}": asked for (line, _column), asked in figures_asked(template, _SAMPLE_YEAR).items()}


def _names(template: TemplateSpec) -> Iterator[Finding]:
    both: dict[str, Sequence[PartSpec]] = {"lines": template.lines, "columns": template.columns}
    for place, parts in both.items():
        for attribute in ("key", "code"):
            counts = Counter(str(getattr(part, attribute)) for part in parts)
            for name in (name for name, count in counts.items() if count > 1):
                yield Finding(f"{place}.{name}", _("“%(name)s”写了两次。") % {"name": name}, _("换一个，或去掉一个。"))
    shared = {line.key for line in template.lines} & {column.key for column in template.columns}
    for name in sorted(shared):
        yield Finding(f"lines.{name}", _("行和列都叫“%(name)s”。") % {"name": name}, _("换一个名称。"))


def _sums(template: TemplateSpec) -> Iterator[Finding]:
    both: dict[str, tuple[Sequence[PartSpec], Sequence[PartSpec]]] = {
        "lines": (template.lines, template.columns),
        "columns": (template.columns, template.lines),
    }
    for place, (parts, across) in both.items():
        known, crossed = {part.key: part for part in parts}, {part.key for part in across}
        for part in parts:
            for name in (name for name in part.sum if name not in known):
                yield Finding(f"{place}.{part.key}.sum", _("没有“%(name)s”可以相加。") % {"name": name}, ", ".join(known))
            for name in (name for name in part.blank if name not in crossed):
                yield Finding(f"{place}.{part.key}.blank", _("没有“%(name)s”。") % {"name": name}, ", ".join(sorted(crossed)))
            if part.key in _below(part.key, known):
                yield Finding(f"{place}.{part.key}.sum", _("合计里又加上了自己。"), _("去掉其中一项。"))


def _below(key: str, known: Mapping[str, PartSpec]) -> set[str]:
    """Everything that a sum adds, and what those add."""
    found: set[str] = set()
    waiting = list(known[key].sum)
    while waiting:
        name = waiting.pop()
        if name in known and name not in found:
            found.add(name)
            waiting += known[name].sum
    return found


def _conditions(template: TemplateSpec) -> Iterator[Finding]:
    subjects = {cell.subject for cell in plan_of(template).values() if cell.subject is not None}
    allowed = set().union(*(_TOLD[subject] for subject in subjects))
    for path, where, part in wheres(template):
        told = {name for name in type(where).model_fields if getattr(where, name) not in (None, ())}
        known = _TOLD[part.count] if part.count else allowed
        for name in sorted(told - known):
            reason = _("数的是这些时，分不出“%(name)s”。") % {"name": name}
            yield Finding(f"{path}.{name}", reason, _("可以用：%(names)s。") % {"names": ", ".join(sorted(known))})


def _checks(template: TemplateSpec) -> Iterator[Finding]:
    for check in template.checks:
        path = f"checks.{check.key}"
        try:
            expression = compile_expression(check.check)
        except ExpressionFault as fault:
            yield Finding(f"{path}.check", str(fault))
            continue
        parts: Sequence[PartSpec] = template.columns if check.each == "column" else template.lines
        for name in (name for name in check.only if name not in {part.key for part in parts}):
            yield Finding(f"{path}.only", _("没有“%(name)s”。") % {"name": name})
        for name in sorted(expression.names):
            if fault_of_name := _unknown_name(template, check, name):
                yield Finding(f"{path}.check", fault_of_name)


def _unknown_name(template: TemplateSpec, check: CheckSpec, name: str) -> str:
    lines, columns = {line.key for line in template.lines}, {column.key for column in template.columns}
    first, _dot, part = name.partition(".")
    if first in check.forms:
        return ""
    if check.each is None:
        cells = {f"{line}_{column}" for line in lines for column in columns}
        is_known = part in cells if first == LAST else first in lines and part in columns
    else:
        known = lines if check.each == "column" else columns
        is_known = part in known if first == LAST else name in known
    return "" if is_known else _("校核里的“%(name)s”不是这张表的单元格。") % {"name": name}


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was installed, with its cells."""

    spec: TemplateSpec
    plan: Mapping[Place, CellPlan]


@lru_cache(maxsize=256)
def _read(text: str) -> Template:
    spec = TemplateSpec.model_validate_json(text)
    return Template(spec, plan_of(spec))


def template_of(body: Mapping[str, Any]) -> Template:
    """A template that was installed, read once however often it is asked for."""
    return _read(json.dumps(body, sort_keys=True))
