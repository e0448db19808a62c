"""How an entry is put down: its row, what it was, the values that lists go by, and the word in the index of search.

Callers have checked who may and whether the data is right, and hold the transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, Entry, EntryRevision, EntryValue
from shuren.casework.rules.identity import LABEL_FIELD, folded_label, shown_identity
from shuren.casework.rules.registers import indexed_values, is_personal
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.found import register_paths
from shuren.kernel.data import Actor
from shuren.search import api as search_index
from shuren.search.data import Document

REMOVED, RESTORED = "removed", "restored"
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Why:
    """Who changes entries, when and why; `case_id` is the case that does, `act` what they do but write and change."""

    actor: Actor
    now: datetime
    reason: str = ""
    case_id: int | None = None
    act: str = ""


def put_down(entries: Sequence[Entry], spec: RegisterSpec, why: Why) -> None:
    """New entries with their first revision."""
    Entry.objects.bulk_create(entries, batch_size=_AT_ONCE)
    _remember(entries, spec, why)


def put_anew(entries: Sequence[Entry], spec: RegisterSpec, why: Why) -> None:
    """Changed entries: each counts one revision more."""
    for entry in entries:
        entry.revision += 1
        entry.changed_at = why.now
    Entry.objects.bulk_update(
        entries,
        [
            "org",
            "org_path",
            "label",
            "identity",
            "state",
            "data",
            "longitude",
            "latitude",
            "revision",
            "import_id",
            "changed_at",
            "removed_at",
        ],
        batch_size=_AT_ONCE,
    )
    forget_values([entry.pk for entry in entries])
    _remember(entries, spec, why)


def take_down(entries: Sequence[Entry], why: Why) -> None:
    """Removed entries keep their row and their history; nothing finds them any more."""
    for entry in entries:
        entry.revision += 1
        entry.changed_at = entry.removed_at = why.now
    Entry.objects.bulk_update(entries, ["revision", "changed_at", "removed_at"], batch_size=_AT_ONCE)
    _write_revisions(entries, replace(why, act=REMOVED))
    forget_values([entry.pk for entry in entries])
    search_index.remove_documents("entry", [entry.pk for entry in entries])


def forget_values(entry_ids: Sequence[int]) -> None:
    for start in range(0, len(entry_ids), _AT_ONCE):
        EntryValue.objects.filter(entry_id__in=entry_ids[start : start + _AT_ONCE]).delete()


def _remember(entries: Sequence[Entry], spec: RegisterSpec, why: Why) -> None:
    _write_revisions(entries, why)
    write_values(entries, spec)
    search_index.index_documents(document_of(entry, spec) for entry in entries)


def write_values(entries: Sequence[Entry], spec: RegisterSpec) -> None:
    EntryValue.objects.bulk_create([value for entry in entries for value in _values(entry, spec)], batch_size=_AT_ONCE)


def _write_revisions(entries: Iterable[Entry], why: Why) -> None:
    write_revisions(((entry, entry.revision) for entry in entries), why)


def write_revisions(numbered: Iterable[tuple[Entry, int]], why: Why) -> None:
    """What entries are as the revision of that number."""
    EntryRevision.objects.bulk_create(
        [
            EntryRevision(
                entry=entry,
                number=number,
                at=why.now,
                person_id=why.actor.person_id,
                name=why.actor.name[:100],
                case_id=why.case_id,
                org_id=entry.org_id,
                state=entry.state,
                data=entry.data,
                reason=why.reason[:500],
                act=why.act,
            )
            for entry, number in numbered
        ],
        batch_size=_AT_ONCE,
    )


def _values(entry: Entry, spec: RegisterSpec) -> Iterable[EntryValue]:
    yield EntryValue(entry=entry, register_id=entry.register_id, field=LABEL_FIELD, text=folded_label(entry.label))
    for value in indexed_values(spec, entry.data):
        yield EntryValue(entry=entry, register_id=entry.register_id, field=value.field, text=value.text, number=value.number)


def document_of(entry: Entry, spec: RegisterSpec) -> Document:
    """What search finds an entry by: its label, and what identifies it unless that is personal."""
    is_hidden = any(is_personal(field) for field in spec.fields if field.key in spec.identity)
    text = "" if is_hidden else " ".join(shown_identity(spec, entry.data))
    of_register = register_paths(entry.register_id, entry.org_path)
    return Document("entry", entry.pk, entry.label, text=text[:200], path=entry.org_path, other_paths=of_register)


def index_entries(on_done: Callable[[int], None] = lambda done: None) -> int:
    """Every entry that stands into the index of search again; returns how many. May be killed and run again."""
    done = 0
    for register in Definition.objects.filter(kind=DefinitionKind.REGISTER.value, current__isnull=False):
        spec, last = spec_of(register), 0
        rows = Entry.objects.filter(register=register, removed_at__isnull=True).order_by("pk")
        while some := list(rows.filter(pk__gt=last)[:_AT_ONCE]):
            search_index.index_documents(document_of(entry, spec) for entry in some)
            last, done = some[-1].pk, done + len(some)
            on_done(done)
    return done
