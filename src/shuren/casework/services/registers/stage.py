"""Entries that an import writes unseen and shows at one blow: put down in short transactions, switched in one, told after.

Until the switch they are of revision 0 and removed. A run that is killed before it leaves nothing that anybody finds, and
is begun anew; after it what is not told yet is told by whoever comes next.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _

from shuren.casework.models import Definition, Entry, EntryRevision, EntryValue
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.services.registers.keep import REMOVED, Why, document_of, forget_values, write_revisions, write_values
from shuren.casework.services.registers.write import news_of
from shuren.kernel import events
from shuren.kernel.errors import Conflict
from shuren.kernel.moments import stored
from shuren.search import api as search_index

_AT_ONCE = 300
_COPIED = ("label", "state", "data", "longitude", "latitude", "import_id")
_REMOVALS = """
    INSERT INTO casework_entryrevision (entry_id, number, at, person_id, name, org_id, state, data, reason, act)
    SELECT id, revision, %s, %s, %s, org_id, state, data, %s, %s FROM casework_entry
    WHERE pending_import_id = %s AND revision > 1 AND removed_at IS NOT NULL
"""


class EntriesMoved(Conflict):
    """Between what was put down and the switch somebody else wrote the same entries."""


def stage_added(entries: Sequence[Entry], spec: RegisterSpec, why: Why, import_id: int) -> None:
    """New entries that nobody sees before the switch."""
    for entry in entries:
        entry.revision, entry.removed_at, entry.pending_import_id = 0, why.now, import_id
    with transaction.atomic():
        Entry.objects.bulk_create(entries)
        write_revisions(((entry, 1) for entry in entries), why)
        write_values(entries, spec)


def stage_changed(entries: Sequence[Entry], spec: RegisterSpec, why: Why, import_id: int) -> None:
    """What entries that stand will be from the switch on; `entries` hold it, and are themselves not written."""
    numbers = [entry.revision + 1 for entry in entries]
    for entry in entries:
        entry.replaces_id, entry.pk, entry._state.adding = entry.pk, None, True
        entry.revision, entry.removed_at, entry.pending_import_id = 0, why.now, import_id
    with transaction.atomic():
        Entry.objects.bulk_create(entries)
        write_revisions(zip(entries, numbers, strict=True), why)
        write_values(entries, spec)


def show_staged(import_id: int, register: Definition, why: Why) -> None:
    """The switch, in the caller's transaction; raises `EntriesMoved` where what is replaced is no longer what it was.

    `register` is the definition by which the entries were put down.
    """
    if not Definition.objects.filter(pk=register.pk, current_id=register.current_id).exists():
        raise _moved()
    staged = Entry.objects.filter(pending_import_id=import_id, revision=0)
    following = staged.filter(replaces_id__isnull=False)
    told = {column: Subquery(following.filter(replaces_id=OuterRef("pk")).values(column)[:1]) for column in _COPIED}
    replaced = following.values("replaces_id")
    # First, for it locks them.
    Entry.objects.filter(pk__in=replaced, removed_at__isnull=True).update(
        **told, revision=F("revision") + 1, changed_at=why.now, pending_import_id=import_id
    )
    _check_unmoved(import_id)
    EntryValue.objects.filter(entry_id__in=replaced).delete()
    owner = Entry.objects.filter(pk=OuterRef("entry_id")).values("replaces_id")[:1]
    for model in (EntryValue, EntryRevision):
        model.objects.filter(entry_id__in=following.values("pk")).update(entry=Subquery(owner))
    try:
        with transaction.atomic():
            staged.filter(replaces_id__isnull=True).update(removed_at=None, revision=1)
    except IntegrityError as fault:
        raise _moved() from fault


def _check_unmoved(import_id: int) -> None:
    is_next = Entry.objects.filter(pk=OuterRef("entry__replaces_id"), revision=OuterRef("number"), removed_at__isnull=True)
    put_down = EntryRevision.objects.filter(entry__pending_import_id=import_id, entry__revision=0)
    if put_down.filter(~Exists(is_next), entry__replaces_id__isnull=False).exists():
        raise _moved()


def _moved() -> EntriesMoved:
    return EntriesMoved(_("检查之后，台账又有变化，没有写入任何记录。"), remedy=_("请重新检查这个文件，再导入。"))


def take_off(entries: QuerySet[Entry], why: Why, import_id: int) -> int:
    """Remove many at once in the caller's transaction, each with its revision; returns how many."""
    count = entries.update(
        removed_at=why.now, changed_at=why.now, revision=F("revision") + 1, pending_import_id=import_id, import_id=None
    )
    with connection.cursor() as cursor:
        who = (stored(why.now), why.actor.person_id, why.actor.name[:100], why.reason[:500], REMOVED)
        cursor.execute(_REMOVALS, [*who, import_id])
    return count


def tell_staged(import_id: int, register: Definition, spec: RegisterSpec, *, shown_at: datetime) -> None:
    """After the switch: the index of search and the news, some hundred in a transaction, each once."""
    pending = Entry.objects.filter(pending_import_id=import_id).order_by("pk")
    while rows := list(pending[:_AT_ONCE]):
        with transaction.atomic():
            _tell(rows, register, spec, shown_at)


def _tell(rows: Sequence[Entry], register: Definition, spec: RegisterSpec, shown_at: datetime) -> None:
    Entry.objects.filter(pk__in=[row.pk for row in rows if row.revision == 0]).delete()
    standing = [row for row in rows if row.removed_at is None]
    removed = [row for row in rows if row.removed_at is not None and row.revision > 0]
    search_index.index_documents(document_of(row, spec) for row in standing)
    search_index.remove_documents("entry", [row.pk for row in removed])
    forget_values([row.pk for row in removed])
    for row in (*standing, *removed):
        events.publish(_news_name(row, shown_at), news_of(row, register), now=shown_at)
    Entry.objects.filter(pk__in=[row.pk for row in (*standing, *removed)]).update(pending_import_id=None)


def _news_name(row: Entry, shown_at: datetime) -> str:
    if row.removed_at is not None:
        return "casework.entry_removed"
    return "casework.entry_added" if row.made_at == shown_at else "casework.entry_changed"


def discard_staged(import_id: int) -> None:
    """Forget what was put down and never shown."""
    staged = Entry.objects.filter(pending_import_id=import_id, revision=0).order_by("pk")
    while found := list(staged.values_list("pk", flat=True)[:_AT_ONCE]):
        with transaction.atomic():
            Entry.objects.filter(pk__in=found).delete()
