"""What changes between two versions of a flow, in words. What goes through a flow keeps the one it began with."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from shuren.casework.rules.changes import Change
from shuren.casework.rules.specs.flow import FlowSpec, StageSpec


def flow_changes(before: FlowSpec, after: FlowSpec) -> list[Change]:
    """Changes of the stages of a flow, in their order."""
    changes = []
    if before.form != after.form:
        changes.append(Change("form", _("表单由 %(old)s 改为 %(new)s") % {"old": before.form, "new": after.form}))
    for stage in before.stages:
        same = after.stage(stage.key)
        if same is None:
            changes.append(Change(f"stages.{stage.key}", _("去掉环节“%(name)s”") % {"name": str(stage.title)}))
        else:
            changes += [Change(f"stages.{stage.key}", words) for words in _stage_changes(stage, same)]
    added = [stage for stage in after.stages if before.stage(stage.key) is None]
    changes += [Change(f"stages.{stage.key}", _("增加环节“%(name)s”") % {"name": str(stage.title)}) for stage in added]
    kept = [stage.key for stage in before.stages if after.stage(stage.key)]
    if kept != [stage.key for stage in after.stages if before.stage(stage.key)]:
        changes.append(Change("stages", _("环节的次序变了")))
    return changes


def _stage_changes(old: StageSpec, new: StageSpec) -> Iterator[str]:
    said = {"name": str(old.title)}
    if str(old.title) != str(new.title):
        yield _("环节“%(name)s”改名为“%(new)s”") % (said | {"new": str(new.title)})
    if old.who != new.who:
        yield _("“%(name)s”换了办理人") % said
    if (old.decide, old.quorum) != (new.decide, new.quorum):
        yield _("“%(name)s”改了决定方式") % said
    if old.due != new.due:
        yield _("“%(name)s”改了时限") % said
    if old.outcomes != new.outcomes:
        yield _("“%(name)s”改了办理结果或去向") % said
    if (old.when, old.fields, old.edits, old.late, old.remind, old.may) != (
        *(new.when, new.fields, new.edits),
        *(new.late, new.remind, new.may),
    ):
        yield _("“%(name)s”改了其他规定") % said
