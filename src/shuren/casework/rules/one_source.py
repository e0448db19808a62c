"""Where a field's value comes from, when the region already holds it."""

from enum import StrEnum

from shuren.casework.rules.specs.form import About, FieldSpec, FieldType, FormSpec
from shuren.standards.data import ElementData

# What cannot be taken over from elsewhere as it stands.
_NEVER = (FieldType.TABLE, FieldType.FILE, FieldType.SIGNATURE)


class Place(StrEnum):
    """The kinds of source an element may name."""

    NOWHERE = ""
    ORG = "org"
    PERSON = "person"
    REGISTER = "register"
    LAKE = "lake"


def place_of(source: str) -> tuple[Place, str]:
    """`directory:org.code` is (ORG, code), `register:infra.rooms.seats` (REGISTER, infra.rooms.seats)."""
    kind, _colon, where = source.partition(":")
    if kind == "directory":
        subject, _dot, name = where.partition(".")
        return Place(subject), name
    return (Place(kind), where) if kind else (Place.NOWHERE, "")


def register_in(source: str) -> str:
    """The key of the register that a source names; empty for other places."""
    place, where = place_of(source)
    return where.rpartition(".")[0] if place == Place.REGISTER else ""


def is_filled_in(form: FormSpec, field: FieldSpec, element: ElementData | None) -> bool:
    """Whether the field is taken over from its element's source instead of being asked.

    A fact of a person is only taken over in a form about a person, any other in a form about somebody or some org at all;
    the register that produces a fact asks for it.
    """
    if element is None or not element.source or field.calculated or field.type in _NEVER:
        return False
    place, where = place_of(element.source)
    if place == Place.PERSON:
        return form.about == About.PERSON
    if place == Place.REGISTER and where.rpartition(".")[0] == form.key:
        return False
    return form.about != About.NOTHING
