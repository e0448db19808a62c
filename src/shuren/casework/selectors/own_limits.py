"""What a definition that somebody built may not say: it runs with the rights of the house, and its builder has only their own."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.models import Definition
from shuren.casework.rules.specs.flow import FlowSpec, Who
from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.entries import register_access
from shuren.directory.data import OrgData
from shuren.kernel.data import Actor


def own_findings(spec: Any, *, actor: Actor, org: OrgData, now: datetime) -> Iterator[Finding]:
    """No function of the house, and no register that its builder could not write in by hand for the whole org."""
    if isinstance(spec, FlowSpec):
        for stage in spec.stages:
            told = stage.late.tell if stage.late else None
            for path, who in (("who", stage.who), ("arbiter", stage.arbiter), ("late.tell", told)):
                if who is not None and _has_function(who):
                    yield _function(f"stages.{stage.key}.{path}.function")
        for end in spec.ends:
            if end.function:
                yield _function(f"ends.{end.key}.function")
            for number, entry in enumerate(end.entries):
                if not _may_write(entry.register_key, actor, org, now):
                    reason = _("“%(key)s”不由您登记，流程不能替您写。") % {"key": entry.register_key}
                    yield Finding(
                        f"ends.{end.key}.entries.{number}.register", reason, _("换一个您能登记、又不必走流程变更的台账。")
                    )
    elif isinstance(spec, FormSpec) and spec.functions:
        yield _function("functions")


def _has_function(who: Who) -> bool:
    return bool(who.function) or (who.otherwise is not None and _has_function(who.otherwise))


def _function(path: str) -> Finding:
    return Finding(path, _("只有功能包可以指名平台的函数。"), _("换一种写法，或请平台管理员做成功能包。"))


def _may_write(key: str, actor: Actor, org: OrgData, now: datetime) -> bool:
    row = Definition.objects.filter(kind=DefinitionKind.REGISTER.value, key=key, current__isnull=False).first()
    if row is None:
        return False
    access = register_access(actor, row, now)
    return not spec_of(row).change_by and any(org.path.startswith(path) for path in access.write_paths)
