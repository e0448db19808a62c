"""Values of a register that another source produces: a copy that agrees is welcome, one that differs is refused."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shuren.casework.rules.one_source import is_filled_in
from shuren.casework.rules.specs.form import FieldSpec
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.prefill import Prefill, prefilled
from shuren.directory import api as directory
from shuren.directory.data import CompetingData, OrgData
from shuren.kernel.data import Actor
from shuren.standards import api as standards
from shuren.standards.data import Door

_EMPTY: tuple[object, ...] = (None, "", [], {})


def refuse_competing(
    *,
    actor: Actor,
    spec: RegisterSpec,
    org: OrgData,
    before: Mapping[str, Any],
    kept: Mapping[str, Any],
    case_id: int | None,
    now: datetime,
) -> None:
    """Raise `CompetingWrite` for the first value that its own source alone writes; what stays as it was is no write.

    What a flow decided was filled in from the sources when it was filed, and is asked for the declared producers alone.
    """
    if actor.is_system:
        return
    door = Door.FORM if case_id is not None else Door.API if actor.app is not None else Door.REGISTER
    changed = changed_fields(spec, before, kept)
    held = held_copies(spec, changed, org, now) if case_id is None else {}
    refused = differing(changed, kept, held)
    written = [field.element for field in changed if field.key not in held]
    refused |= directory.competing(actor=actor, elements=written, door=door, now=now)
    for told in refused.values():
        directory.note_competing(actor=actor, element=told.element, door=door, now=now)
    for told in refused.values():
        raise directory.CompetingWrite(told)


def changed_fields(spec: RegisterSpec, before: Mapping[str, Any], kept: Mapping[str, Any]) -> list[FieldSpec]:
    """The fields of elements that hold something else than before."""
    return [
        field
        for field in spec.fields
        if field.element and not field.calculated and _told(kept.get(field.key)) != _told(before.get(field.key))
    ]


def held_copies(spec: RegisterSpec, fields: list[FieldSpec], org: OrgData, now: datetime) -> dict[str, Prefill]:
    """By field key what the sources elsewhere hold of these fields; costs nothing where none is a copy."""
    copies = {field.key for field in fields if is_filled_in(spec, field, standards.known_element(field.element))}
    if not copies:
        return {}
    return {key: held for key, held in prefilled(spec, org=org, person=None, now=now).items() if key in copies}


def differing(fields: list[FieldSpec], kept: Mapping[str, Any], held: Mapping[str, Prefill]) -> dict[str, CompetingData]:
    """Of the copies those that say something else than their source, by element."""
    return {
        field.element: directory.told_of(standards.element(field.element))
        for field in fields
        if field.key in held and _told(kept.get(field.key)) not in (None, held[field.key].value)
    }


def _told(value: Any) -> Any:
    return None if value in _EMPTY else value
