"""The kinds of import that apps have registered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportKind:
    """What is imported, and the functions `f(job, import_id)` that check and apply it.

    One that `quarantines` can take the good rows and leave the others; `pack` then writes its rows as a zip (`f(tables, path)`)
    where files of the kind may be one. `topic` names
    the option that says what a file is about, where that decides whose it is.
    """

    kind: str
    title: str
    check: str
    apply: str
    quarantines: bool = False
    pack: str = ""
    topic: str = ""


_kinds: dict[str, ImportKind] = {}


def register_kind(
    kind: str, *, title: str, check: str, apply: str, quarantines: bool = False, pack: str = "", topic: str = ""
) -> None:
    """Offer a kind of import; called where `jobs.py` of its app is read. `title` may be a lazy translation."""
    _kinds[kind] = ImportKind(kind, title, check, apply, quarantines=quarantines, pack=pack, topic=topic)


def kind_named(kind: str) -> ImportKind | None:
    return _kinds.get(kind)


def kinds() -> list[ImportKind]:
    return list(_kinds.values())
