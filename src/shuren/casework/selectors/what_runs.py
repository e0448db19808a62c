"""What runs here: the requirement rows, and the packs and apps that fulfil each; what a pack holds, and how much of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import get_language

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Case, Definition, Entry, Pack
from shuren.casework.selectors.definitions import read_version
from shuren.kernel import announced
from shuren.kernel.paging import EXACT_COUNT_LIMIT


@dataclass(frozen=True, slots=True)
class RowFulfilled:
    """A requirement row with what fulfils it: titles of definitions, names of apps, versions of the packs."""

    row: str
    title: str
    definitions: tuple[str, ...]
    packs: tuple[str, ...]
    apps: tuple[str, ...]
    is_overridden: bool


@dataclass(frozen=True, slots=True)
class RunningDefinition:
    """A definition in force; `count` is of its entries or cases, at most 10,000 and one, None where nothing is counted."""

    kind: DefinitionKind
    key: str
    title: str
    rows: tuple[str, ...]
    version: int
    count: int | None
    is_overridden: bool


def rows_fulfilled(*, search: str = "", pack: str = "") -> list[RowFulfilled]:
    """Every row that a pack or an app says it fulfils, by id; `search` is in its id, its title or what fulfils it."""
    packs = {one.key: one for one in Pack.objects.all()}
    told: dict[str, dict[str, list[str]]] = {}
    titles: dict[str, str] = {}
    for one in packs.values():
        for row, words in one.rows.items():
            titles.setdefault(row, _words(words))
            told.setdefault(row, {"packs": [], "definitions": [], "apps": []})["packs"].append(one.key)
    for row, apps in announced.rows().items():
        titles.setdefault(row, str(apps[0][1]))
        told.setdefault(row, {"packs": [], "definitions": [], "apps": []})["apps"] += [app for app, _title in apps]
    for definition, rows in _definitions_with_rows():
        for row in rows:
            if row in told:
                told[row]["definitions"].append(definition.title)
    found = [_fulfilled(row, titles[row], told[row], packs) for row in sorted(told) if not pack or pack in told[row]["packs"]]
    wanted = search.strip().casefold()
    return [
        one for one in found if not wanted or wanted in " ".join((one.row, one.title, *one.definitions, *one.apps)).casefold()
    ]


def _fulfilled(row: str, title: str, told: dict[str, list[str]], packs: dict[str, Pack]) -> RowFulfilled:
    named = [packs[key] for key in told["packs"]]
    return RowFulfilled(
        row=row,
        title=title,
        definitions=tuple(told["definitions"]),
        packs=tuple(f"{one.title} {one.version}" for one in named),
        apps=tuple(told["apps"]),
        is_overridden=any(one.overridden for one in named),
    )


def installed_packs() -> list[Pack]:
    return list(Pack.objects.order_by("key"))


def installed_pack(key: str) -> Pack | None:
    return Pack.objects.filter(pk=key).first()


def definitions_of_pack(key: str, *, number: int, size: int) -> tuple[list[RunningDefinition], int]:
    """A page of the definitions in force of a pack, by kind and key, and how many there are."""
    rows = Definition.objects.filter(pack_id=key, status=DefinitionStatus.IN_FORCE.value).select_related("current", "pack")
    page = list(rows.order_by("kind", "key")[(number - 1) * size : number * size])
    return [_running(row) for row in page], rows.count()


def _running(row: Definition) -> RunningDefinition:
    assert row.current is not None
    assert row.pack is not None
    name = row.key.rpartition(".")[2]
    return RunningDefinition(
        kind=DefinitionKind(row.kind),
        key=row.key,
        title=row.title,
        rows=tuple(getattr(read_version(row.current.pk), "rows", ())),
        version=row.current.number,
        count=_count(row),
        is_overridden=f"{row.kind}s/{name}.yaml" in row.pack.overridden,
    )


def _count(row: Definition) -> int | None:
    """Counted as far as a reader cares; a register of a million entries is not walked for a number."""
    if row.kind == DefinitionKind.REGISTER:
        return Entry.objects.filter(register=row, removed_at__isnull=True)[: EXACT_COUNT_LIMIT + 1].count()
    if row.kind in (DefinitionKind.FLOW, DefinitionKind.FORM):
        return Case.objects.filter(definition=row)[: EXACT_COUNT_LIMIT + 1].count()
    return None


def _definitions_with_rows() -> Iterable[tuple[Definition, Sequence[str]]]:
    rows = Definition.objects.filter(status=DefinitionStatus.IN_FORCE.value, current__isnull=False).order_by("kind", "key")
    for row in rows:
        yield row, getattr(read_version(row.current_id or 0), "rows", ())


def _words(words: dict[str, str]) -> str:
    return words.get("en") or words["zh"] if (get_language() or "").startswith("en") else words["zh"]
