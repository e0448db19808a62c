"""What a form fills in by itself, from what the region already holds, and where it is kept (一数一源)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition
from shuren.casework.rules.one_source import Place, is_filled_in, place_of, register_in
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.values import read_value
from shuren.casework.selectors.entries import entry_value
from shuren.datahub import api as datahub
from shuren.directory import api as directory
from shuren.directory.data import CountKind, HousePurpose, OrgData, PersonData
from shuren.kernel.clock import day_of
from shuren.kernel.errors import ShurenError
from shuren.standards import api as standards
from shuren.standards.data import ElementData

_COUNTED = {kind.value for kind in CountKind}
_OF_ORG = ("name", "short_name", "code", "type", "division_code", "grade")


@dataclass(frozen=True, slots=True)
class Prefill:
    """A value as the field keeps it, and in words where it comes from; `element` is what an objection names."""

    value: Any
    source: str
    element: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A field that is taken over: its element, the kind of source and the place there."""

    field: FieldSpec
    element: ElementData
    place: Place
    where: str


def prefilled(form: FormSpec, *, org: OrgData | None, person: PersonData | None, now: datetime) -> dict[str, Prefill]:
    """By field key what the form does not ask; a fact that its source does not hold is left out, and so is asked.

    `org` and `person` are whom the form is about; applies no scope: the caller has checked that the filler may file for them.
    """
    asked = list(_asked(form))
    told: dict[str, Any] = {}
    if org is not None:
        told |= _of_org([one for one in asked if one.place == Place.ORG], org)
        told |= {one.field.key: _from_register(one, org) for one in asked if one.place == Place.REGISTER}
        told |= {one.field.key: _from_lake(one.where, org) for one in asked if one.place == Place.LAKE}
    if person is not None:
        told |= _of_person([one for one in asked if one.place == Place.PERSON], person, now)
    found = {}
    for one in asked:
        value, faults = read_value(one.field, told.get(one.field.key), on=day_of(now))
        if value is not None and not faults:
            found[one.field.key] = Prefill(value, source_words(one.element), one.element.code)
    return found


def source_words(element: ElementData) -> str:
    """Where an element is kept and who produces it, for whoever reads a form: `名录 · 学籍管理部门`."""
    key = register_in(element.source)
    row = Definition.objects.filter(kind=DefinitionKind.REGISTER.value, key=key).first() if key else None
    kept = place_words(element.source, {key: row.title} if row else {})
    return f"{kept} · {element.department}"


def place_words(source: str, titles: Mapping[str, str]) -> str:
    """The place that a source names; `titles` are those of registers by key."""
    place, _where = place_of(source)
    if place in (Place.ORG, Place.PERSON):
        return _("名录")
    if place == Place.REGISTER:
        key = register_in(source)
        return _("台账“%(title)s”") % {"title": titles.get(key, key)}
    return _("数据湖")


def _asked(form: FormSpec) -> Iterable[_Asked]:
    for field in form.fields:
        element = standards.known_element(field.element) if field.element else None
        if element is not None and is_filled_in(form, field, element):
            place, where = place_of(element.source)
            yield _Asked(field, element, place, where)


def _of_org(asked: list[_Asked], org: OrgData) -> dict[str, Any]:
    counts = directory.counts_of([org.id])[org.id] if any(one.where in _COUNTED for one in asked) else {}
    found: dict[str, Any] = {}
    for one in asked:
        if one.field.type == FieldType.ORG:
            found[one.field.key] = {"id": org.public_id, "name": org.name}
        elif one.where in _COUNTED:
            found[one.field.key] = counts.get(CountKind(one.where))
        elif one.where in _OF_ORG:
            found[one.field.key] = str(getattr(org, one.where)) or None
    return found


def _of_person(asked: list[_Asked], person: PersonData, now: datetime) -> dict[str, Any]:
    """What the house may be told of the person for its own administration; masked values are not taken for whole ones."""
    if not asked:
        return {}
    codes = sorted({one.element.code for one in asked if one.field.type != FieldType.PERSON} & _disclosable(asked))
    told: Mapping[str, str] = {}
    if codes:
        disclosed = directory.disclosed_people(
            person_ids=[person.id], elements=codes, purpose=HousePurpose.ADMINISTRATION.value, recipient="", now=now
        ).get(person.id)
        told = {code: value for code, value in disclosed.values.items() if code not in disclosed.masked} if disclosed else {}
    found: dict[str, Any] = {one.field.key: told.get(one.element.code) for one in asked}
    return found | {
        one.field.key: {"id": person.public_id, "name": person.name} for one in asked if one.field.type == FieldType.PERSON
    }


def _disclosable(asked: list[_Asked]) -> set[str]:
    """An element of a region's own with a source in the directory is told where its source is what the directory tells."""
    return {one.element.code for one in asked if one.element.source == f"directory:{one.element.code}"}


def _from_register(one: _Asked, org: OrgData) -> Any:
    register, _dot, field = one.where.rpartition(".")
    return entry_value(register, field, org.id)


def _from_lake(where: str, org: OrgData) -> Any:
    """The value that was submitted last for the org, of the column of a dataset that collections fill."""
    name, _dot, column = where.rpartition(".")
    if name not in {spec.name for spec in datahub.known_datasets()}:
        return None
    view = name.replace(".", "_")
    question = f"SELECT * FROM {view} WHERE _org = $org ORDER BY _submitted_at DESC NULLS LAST LIMIT 1"  # noqa: S608  # declared
    try:
        rows = datahub.query(question, params={"org": org.public_id}, datasets=[name]).to_pylist()
    except ShurenError:
        return None
    return rows[0].get(column) if rows else None
