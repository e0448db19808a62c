"""Who and what may be drawn: entries of the two registers that a draw names, or the cases that wait for a lottery."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from shuren.casework.data import CaseState, DefinitionKind
from shuren.casework.models import Case, Entry
from shuren.casework.rules.draw_conflicts import named_fields, with_conflicts
from shuren.casework.rules.draws import Ticket, pools_of
from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.specs.work import DrawSpec
from shuren.casework.selectors.definitions import definition_named, register_of
from shuren.kernel import ids
from shuren.kernel.scope import path_q
from shuren.standards.data import Grade

_STATE = "state"


def pools_for(spec: DrawSpec, org_path: str, *, today: date) -> dict[str, Any]:
    """Both pools of a draw in a branch, as they would be frozen today."""
    inspectors = list(_tickets(spec, spec.inspectors, spec.inspector_filter, org_path, "inspector", today))
    objects = _tickets(spec, spec.objects, spec.object_filter, org_path, "object", today)
    barred = with_conflicts(objects, inspectors, spec.conflicts, today=today)
    return pools_of(barred, [ticket for ticket, _data in inspectors])


def lottery_pool(flow: str, org_path: str, stage: str) -> dict[str, Any]:
    """Running cases of a flow in a branch at one stage, known to the public by their numbers alone."""
    rows = Case.objects.filter(
        path_q("org_path", [org_path]),
        definition__kind=DefinitionKind.FLOW.value,
        definition__key=flow,
        state=CaseState.RUNNING.value,
    )
    rows = rows.filter(stage=stage) if stage else rows
    return pools_of((Ticket(ids.encode("case", pk), number) for pk, number in rows.values_list("pk", "number")), [])


def _tickets(
    spec: DrawSpec, register: str, text: str, org_path: str, side: str, today: date
) -> Iterator[tuple[Ticket, Mapping[str, Any]]]:
    definition = definition_named(DefinitionKind.REGISTER, register)
    assert definition.current_id is not None
    form = register_of(definition.current_id)
    shown = _shown_fields(form, named_fields(spec.conflicts, side))
    wanted = compile_expression(text) if text else None
    rows = Entry.objects.filter(path_q("org_path", [org_path]), register=definition, removed_at__isnull=True)
    for entry in rows.select_related("org").order_by("pk").iterator(chunk_size=2_000):
        data = {**entry.data, _STATE: entry.state}
        if wanted is not None and wanted.value(data, today=today) is not True:
            continue
        ticket = Ticket(
            id=ids.encode("entry", entry.pk),
            label=entry.label,
            org=ids.encode("org", entry.org_id),
            org_name=entry.org.name,
            stratum=str(data.get(spec.strata) or "") if spec.strata and side == "object" else "",
            facts={key: _plain(data.get(key)) for key in sorted(shown)},
        )
        yield ticket, data


def _shown_fields(form: RegisterSpec, named: set[str]) -> set[str]:
    """What anybody may read on a public page; what is graded higher decides without being shown."""
    shown = {field.key for field in form.fields if field.grade == Grade.PUBLIC}
    return {key for key in named if key in shown or key == _STATE}


def _plain(value: Any) -> str | int | None:
    """Every language writes texts and whole numbers alike, other numbers not."""
    return value if value is None or isinstance(value, str | int) else str(value)
