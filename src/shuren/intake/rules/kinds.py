"""The kinds of import that apps have registered."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportKind:
    """What is imported, and the functions `f(job, import_id)` that check and apply it."""

    kind: str
    title: str
    check: str
    apply: str


_kinds: dict[str, ImportKind] = {}


def register_kind(kind: str, *, title: str, check: str, apply: str) -> None:
    """Offer a kind of import; called where `jobs.py` of its app is read. `title` may be a lazy translation."""
    _kinds[kind] = ImportKind(kind=kind, title=title, check=check, apply=apply)


def kind_named(kind: str) -> ImportKind | None:
    return _kinds.get(kind)


def kinds() -> list[ImportKind]:
    return list(_kinds.values())
