"""Where the values of a data element come from, as elements say it, and what that is in the catalogue."""

from shuren.datahub.data import AssetKind, AssetRef, ColumnFlow

PLACES = {"directory:org": "directory_org", "directory:person": "directory_person"}


def flows_from_source(source: str, target: AssetRef, column: str) -> tuple[ColumnFlow, ...]:
    """The flow that an element's `source` states, into one field."""
    place, _dot, attribute = source.partition(".")
    kind, _colon, name = source.partition(":")
    if place in PLACES:
        return (ColumnFlow(AssetRef(AssetKind.TABLE, PLACES[place]), target, attribute, column),)
    if kind == "register":
        # Keys of registers have dots of their own: the field is what stands behind the last one.
        register, _dot, field = name.rpartition(".")
        return (ColumnFlow(AssetRef(AssetKind.REGISTER, register), target, field, column),) if register else ()
    if kind == "lake":
        return (ColumnFlow(AssetRef(AssetKind.INDICATOR, name), target, "value", column),)
    return ()
