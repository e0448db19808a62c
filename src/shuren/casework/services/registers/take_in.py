"""A file of entries comes in: every row checked by the register's own rules before one of them is written.

The check says what would be added, changed and left as it is, and sets aside what is wrong where that is wanted. Applying
puts that down unseen, in short transactions under the id of the import, and one switch shows all of it; the same id takes
all of it back.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Entry
from shuren.casework.rules.labels import label_of
from shuren.casework.rules.registers import HIDDEN, Change, changes_between, is_personal, state_of
from shuren.casework.rules.specs.form import FieldSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.values import value_text
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.services.registers.check import fill_in
from shuren.casework.services.registers.columns import language, state_title
from shuren.casework.services.registers.keep import Why
from shuren.casework.services.registers.quarantine import bad_rows, findings_along
from shuren.casework.services.registers.read_lines import AT_ONCE, Line, Reader, open_lines
from shuren.casework.services.registers.stage import (
    EntriesMoved,
    discard_staged,
    show_staged,
    stage_added,
    stage_changed,
    tell_staged,
)
from shuren.datahub import api as datahub
from shuren.datahub.data import AssetKind, AssetRef
from shuren.intake import api as intake
from shuren.intake.data import BadRow, Finding, ImportStatus
from shuren.kernel import audit, clock, ids
from shuren.kernel.errors import Invalid
from shuren.standards import api as standards
from shuren.work.data import JobContext

KIND = "register"
_SAMPLES = 10


def check_register(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Check every row; nothing is written before all are right, or those that are not are set aside for quarantine."""
    state, now, left_out = intake.import_state(import_id), clock.now(), list[BadRow]()
    numbers = {"added": 0, "changed": 0, "ended": 0, "unchanged": 0}
    samples: dict[str, list[dict[str, Any]]] = {"added": [], "changed": []}
    try:
        reader = open_lines(state, now)
        reader.refused = [] if state.quarantines else None
        reader.findings += [*reader.missing(), *reader.unread()]
        if not any(finding.is_error for finding in reader.findings):
            for done, lines in enumerate(reader.lines(), 1):
                for line in lines:
                    _count(line, reader.spec, numbers, samples)
                job.progress(done * AT_ONCE)
            left_out = bad_rows(reader)
        findings = [*reader.findings, *findings_along(left_out, reader.findings)]
    except intake.UnreadableFile as error:
        findings = [error.finding]
    total = numbers["added"] + numbers["changed"] + numbers["unchanged"]
    if not total and not any(finding.is_error for finding in findings):
        findings.append(Finding(state.file_name, "", 0, "", "", _("文件里没有记录"), _("请按模板填写后再上传。")))
    if len(left_out) > intake.ROWS_KEPT:
        findings.append(intake.too_many_to_quarantine(state.file_name))
    standards.keep_refusals(now=now)
    errors = intake.record_findings(import_id, findings)
    is_quarantined = bool(total and 0 < len(left_out) <= intake.ROWS_KEPT)
    counts = {"entry": total}
    if is_quarantined:
        counts["quarantined"] = intake.set_aside(import_id, left_out, now=now)
    difference = {"entry": {**numbers, "samples": samples}}
    intake.record_checked(import_id, counts=counts, difference=difference, is_acceptable=not errors or is_quarantined)
    return {"rows": total, "errors": errors}


def apply_register(job: JobContext, import_id: int) -> Mapping[str, Any]:
    """Write what the check found, all or nothing; what a killed run put down unseen is forgotten first."""
    state = intake.import_state(import_id)
    if state.status == ImportStatus.APPLIED:
        return dict(state.counts)
    discard_staged(import_id)
    reader = open_lines(state, clock.now(), passed=intake.places_set_aside(import_id))
    why = Why(state.owner, reader.now, _("导入文件“%(file)s”") % {"file": state.file_name})
    done = 0
    for lines in reader.lines():
        if job.is_cancelled():
            return {}
        if any(finding.is_error for finding in reader.findings):
            raise Invalid(_("检查之后，台账又有变化，没有写入任何记录。"), remedy=_("请重新检查这个文件，再导入。"))
        _put_down(lines, reader, why)
        done += len(lines)
        job.progress(done, int(state.counts["entry"]))
    try:
        _switch(import_id, reader, why, {"entry": done})
    except EntriesMoved as moved:
        raise Invalid(moved.message, remedy=moved.remedy) from moved
    return {"entry": done}


@transaction.atomic
def _switch(import_id: int, reader: Reader, why: Why, counts: Mapping[str, int]) -> None:
    show_staged(import_id, reader.definition, why)
    details = {"register": reader.definition.key, "import_id": import_id, **counts}
    audit.record(actor=why.actor, action="casework.register_imported", target=f"import:{import_id}", details=details, now=why.now)
    file, register = AssetRef(AssetKind.FILE, KIND), AssetRef(AssetKind.REGISTER, reader.definition.key)
    datahub.record_run(
        job="casework.register_import",
        inputs=[file],
        outputs=[register],
        flows=datahub.same_columns(file, register, [one.key for one in reader.spec.fields]),
        key=f"import:{import_id}",
        facts={"import": ids.encode("import", import_id)},
        now=why.now,
    )
    intake.record_applied(import_id, counts, now=why.now)


def _put_down(lines: Sequence[Line], reader: Reader, why: Why) -> None:
    added, changed = [], []
    for line in lines:
        entry = line.entry
        if entry is None:
            entry = Entry(
                register=reader.definition, org_id=line.org.id, org_path=line.org.path, made_at=why.now, changed_at=why.now
            )
            added.append(entry)
        elif _stays(line, entry, reader.spec):
            continue
        else:
            changed.append(entry)
        entry.state, entry.import_id = line.state, reader.import_id
        fill_in(entry, reader.spec, line.data, now=why.now)
        entry.identity = line.identity
    stage_added(added, reader.spec, why, reader.import_id)
    stage_changed(changed, reader.spec, why, reader.import_id)


def settle_import(import_id: int) -> None:
    """After an import was shown, taken back or given up: tell what is new, forget what nobody saw. May run again."""
    state = intake.import_state(import_id)
    shown_at = state.undone_at or state.applied_at
    if shown_at is not None:
        register = definition_named(DefinitionKind.REGISTER, str(state.options.get("register", "")))
        tell_staged(import_id, register, spec_of(register), shown_at=shown_at)
    else:
        discard_staged(import_id)


def _stays(line: Line, entry: Entry, spec: RegisterSpec) -> bool:
    return line.state == entry.state and not changes_between(spec, entry.data, line.data)


def _count(line: Line, spec: RegisterSpec, numbers: dict[str, int], samples: dict[str, list[dict[str, Any]]]) -> None:
    entry = line.entry
    if entry is None:
        numbers["added"] += 1
        if len(samples["added"]) < _SAMPLES:
            samples["added"].append(
                {"sid": "", "name": label_of(spec, line.data, today=clock.day_of(clock.now())) or str(spec.title)}
            )
        return
    changes = changes_between(spec, entry.data, line.data)
    if not changes and line.state == entry.state:
        numbers["unchanged"] += 1
        return
    numbers["changed"] += 1
    if len(samples["changed"]) < _SAMPLES:
        samples["changed"].append({"sid": "", "name": entry.label, "cells": _cells(spec, changes, entry, line)})


def _cells(spec: RegisterSpec, changes: Sequence[Change], entry: Entry, line: Line) -> list[dict[str, str]]:
    """What would become of what, for the page; what is personal is not shown there."""
    cells = [
        {"cell": str(one.field.title), "before": _shown(one.field, one.before), "after": _shown(one.field, one.after)}
        for one in changes
    ]
    before, after = state_of(spec, entry.state), state_of(spec, line.state)
    if line.state != entry.state and after is not None:
        cells.append({"cell": state_title(), "before": str(before.title) if before else "", "after": str(after.title)})
    return cells


def _shown(field: FieldSpec, value: Any) -> str:
    text = value_text(field, value, language())
    return HIDDEN if text and is_personal(field) else text
