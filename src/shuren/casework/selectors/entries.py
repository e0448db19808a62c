"""Registers and their entries within an actor's reach; what an entry was, what it belongs to, what looks like it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, EntryData
from shuren.casework.models import Definition, Entry, EntryRevision, EntryValue
from shuren.casework.rules.identity import LABEL_FIELD, folded_label
from shuren.casework.rules.registers import Change, RegisterAccess, changes_between, masked_data, nameless_data
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel import ids
from shuren.kernel.data import Actor, AppReach
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import EXACT_COUNT_LIMIT
from shuren.kernel.scope import outermost, path_q
from shuren.standards import api as standards

_NEAR_SHOWN = 5
_RELATED_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Register:
    """A register as somebody reaches it."""

    definition: Definition
    spec: RegisterSpec
    access: RegisterAccess

    @property
    def key(self) -> str:
        return self.definition.key

    @property
    def title(self) -> str:
        return str(self.spec.title)


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A register in the list of registers; `count` is what the reader sees of it, at most 10,000 and one."""

    register: Register
    count: int
    count_is_exact: bool


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """One change of an entry: who, when, why, and what became of what; the first has no changes.

    `org_before` and `org` are names of orgs, where the change moved it from one to the other; `act` is that of the revision.
    """

    number: int
    at: datetime
    who: str
    reason: str
    case_id: int | None
    state_before: str | None
    state: str
    changes: tuple[Change, ...]
    org_before: str = ""
    org: str = ""
    act: str = ""


def register_access(actor: Actor, definition: Definition, now: datetime) -> RegisterAccess:
    """What `actor` reaches of a register: its keepers write and read, those who `see` read, each in their branch.

    What is public is read without any of this.
    """
    spec: RegisterSpec = spec_of(definition)
    if actor.app is not None:
        return _access_of_app(actor, actor.app, definition, now)
    reads = directory.role_paths_of(actor=actor, roles=(*spec.see, *spec.keep), now=now)
    if not reads:
        return RegisterAccess(is_public=spec.is_public)
    home = definition.org_path
    sensitive = directory.scope_of(actor=actor, permission=Permission.VIEW_SENSITIVE, now=now)
    return RegisterAccess(
        read_paths=_within(reads, home),
        write_paths=_within(directory.role_paths_of(actor=actor, roles=spec.keep, now=now), home),
        sensitive_paths=sensitive.paths,
        is_public=spec.is_public,
    )


def register_keep_paths(*, actor: Actor, keys: Iterable[str], now: datetime) -> dict[str, tuple[str, ...]]:
    """By the key of each register, the branches in which the actor keeps it; nothing for a register that is no more."""
    registers = Definition.objects.filter(kind=DefinitionKind.REGISTER, key__in=list(keys))
    return {register.key: register_access(actor, register, now).write_paths for register in registers if register.current_id}


def _access_of_app(actor: Actor, app: AppReach, definition: Definition, now: datetime) -> RegisterAccess:
    """What its token lets an app do: for a person what they may, in its own name what its orgs may; nothing personal is seen."""
    spec: RegisterSpec = spec_of(definition)
    if Permission.VIEW_REGISTERS not in app.permissions:
        return RegisterAccess(is_public=spec.is_public)
    if actor.person_id is None:
        reads, writes = (directory.app_paths_of(app=app, roles=roles) for roles in ((*spec.see, *spec.keep), spec.keep))
    else:
        person = Actor(person_id=actor.person_id, account_id=actor.account_id, name=actor.name, role=actor.role)
        found = register_access(person, definition, now)
        reads, writes = found.read_paths, found.write_paths
    return RegisterAccess(
        read_paths=_within(reads, definition.org_path),
        write_paths=_within(writes, definition.org_path) if Permission.KEEP_REGISTERS in app.permissions else (),
        is_public=spec.is_public,
        hides_names=True,
    )


def is_own(actor: Actor, entry: Entry) -> bool:
    """Whether the entry is about `actor`, who sees it whole; an app never acts for that."""
    return actor.app is None and actor.person_id is not None and entry.subject_id == actor.person_id


def _within(paths: Iterable[str], home: str) -> tuple[str, ...]:
    """The parts of the branches that lie in the branch a definition belongs to; all of them where it belongs to none."""
    if not home:
        return tuple(paths)
    return outermost(max(path, home, key=len) for path in paths if path.startswith(home) or home.startswith(path))


def access_register(*, actor: Actor, key: str, now: datetime) -> Register:
    """The register, if `actor` reads it anywhere; otherwise `NotFound`."""
    definition = definition_named(DefinitionKind.REGISTER, key)
    access = register_access(actor, definition, now)
    if access.is_empty:
        raise NotFound(_("没有找到这个台账。"))
    return Register(definition, spec_of(definition), access)


def public_register(key: str) -> Register:
    """A register that everybody may read what is graded L1 of; otherwise `NotFound`."""
    definition = definition_named(DefinitionKind.REGISTER, key)
    spec: RegisterSpec = spec_of(definition)
    if not spec.is_public:
        raise NotFound(_("没有找到这个台账。"))
    return Register(definition, spec, RegisterAccess(is_public=True))


def registers_open_to(*, actor: Actor, now: datetime) -> list[Register]:
    """The registers that `actor` reads anywhere, in the order of their keys."""
    rows = Definition.objects.filter(kind=DefinitionKind.REGISTER.value, current__isnull=False).order_by("key")
    found = (Register(row, spec_of(row), register_access(actor, row, now)) for row in rows)
    return [register for register in found if not register.access.is_empty]


def counted(registers: Iterable[Register]) -> list[RegisterRow]:
    return [_counted(register) for register in registers]


def _counted(register: Register) -> RegisterRow:
    rows = within(register, Entry.objects.filter(register=register.definition, removed_at__isnull=True))
    count = rows.order_by()[: EXACT_COUNT_LIMIT + 1].count()
    return RegisterRow(register, min(count, EXACT_COUNT_LIMIT), count <= EXACT_COUNT_LIMIT)


def within(register: Register, rows: Any, *, column: str = "org_path") -> Any:
    """The rows of a queryset that lie where the register is read; the whole tree asks no question."""
    root = directory.root_org()
    if root is not None and root.path in register.access.read_paths:
        return rows
    return rows.filter(path_q(column, register.access.read_paths))


def access_entry(*, actor: Actor, id: int, now: datetime) -> Entry:
    """The entry, if it lies where `actor` reads its register, or is about `actor`; otherwise `NotFound`."""
    entry = Entry.objects.select_related("register", "org").filter(pk=id, removed_at__isnull=True).first()
    if entry is not None and (is_own(actor, entry) or register_access(actor, entry.register, now).may_read(entry.org_path)):
        return entry
    raise NotFound(_("没有找到这条台账。"))


def access_removed_entry(*, actor: Actor, id: int, now: datetime) -> Entry:
    """An entry that was removed, for whoever may write its register there; otherwise `NotFound`."""
    rows = Entry.objects.select_related("register", "org").filter(pk=id, removed_at__isnull=False, revision__gt=0)
    entry = rows.first()
    if entry is None or not register_access(actor, entry.register, now).may_write(entry.org_path):
        raise NotFound(_("没有找到这条台账。"))
    return entry


def register_of_entry(*, actor: Actor, entry: Entry, now: datetime) -> Register:
    """The register of an entry that was reached, as `actor` reaches it."""
    return Register(entry.register, spec_of(entry.register), register_access(actor, entry.register, now))


def entry_data(entry: Entry) -> EntryData:
    return EntryData(
        id=entry.pk,
        public_id=ids.encode("entry", entry.pk),
        register=entry.register.key,
        label=entry.label,
        state=entry.state,
        org_id=entry.org_id,
        org_path=entry.org_path,
        data=entry.data,
        revision=entry.revision,
        changed_at=entry.changed_at,
    )


def shown_data(register: Register, entry: Entry, *, is_own: bool = False, may_reveal: bool = False) -> dict[str, Any]:
    """The data as the reader of a register sees it; L4 whole only where `may_reveal` says that the reading is written down."""
    sees = is_own or register.access.sees_sensitive(entry.org_path)
    if sees and may_reveal:
        return dict(entry.data)
    shown = masked_data(register.spec, entry.data, mask=hidden_text, sensitive_only=sees)
    return nameless_data(register.spec, shown) if register.access.hides_names else shown


def hidden_text(text: str, element: str) -> str:
    return standards.mask(text, element, may_see=False)


def entry_value(register: str, field: str, org_id: int) -> Any:
    """The value of a field in the org's entry that was changed last; None where there is none. Applies no scope."""
    rows = Entry.objects.filter(register__kind=DefinitionKind.REGISTER.value, register__key=register, removed_at__isnull=True)
    data = rows.filter(org_id=org_id).order_by("-changed_at", "-pk").values_list("data", flat=True).first()
    return (data or {}).get(field)


def entry_history(entry: Entry, spec: RegisterSpec, *, limit: int = 50) -> list[RevisionRow]:
    """What changed, newest first, each revision against the one before it."""
    rows = list(EntryRevision.objects.filter(entry=entry).select_related("org").order_by("-number")[: limit + 1])
    before: list[EntryRevision | None] = [*rows[1:], None]
    return [_revision_row(row, older, spec) for row, older in zip(rows, before, strict=True)][:limit]


def _revision_row(row: EntryRevision, older: EntryRevision | None, spec: RegisterSpec) -> RevisionRow:
    left = older.org if older is not None and older.org_id != row.org_id else None
    return RevisionRow(
        number=row.number,
        at=row.at,
        who=row.name,
        reason=row.reason,
        case_id=row.case_id,
        state_before=older.state if older is not None and older.state != row.state else None,
        state=row.state,
        changes=tuple(changes_between(spec, older.data, row.data)) if older is not None else (),
        org_before=left.name if left else "",
        org=row.org.name if left and row.org else "",
        act=row.act,
    )


def near_duplicates(*, register: Register, label: str, except_id: int | None = None) -> list[Entry]:
    """The reader's entries whose label differs by nothing but width, case, spaces and signs."""
    return _near(register, [folded_label(label)], except_id).get(folded_label(label), [])[:_NEAR_SHOWN]


def near_labels(register: Register, labels: Iterable[str]) -> Mapping[str, list[Entry]]:
    """`near_duplicates` for many labels at once, by the folded label."""
    return _near(register, sorted({folded_label(label) for label in labels}), None)


def _near(register: Register, wanted: list[str], except_id: int | None) -> dict[str, list[Entry]]:
    rows = EntryValue.objects.filter(register=register.definition, field=LABEL_FIELD, text__in=wanted)
    rows = within(register, rows.filter(entry__removed_at__isnull=True), column="entry__org_path")
    found: dict[str, list[Entry]] = {}
    for row in rows.select_related("entry", "entry__org").order_by("entry_id")[:1_000]:
        if row.entry_id != except_id:
            found.setdefault(row.text, []).append(row.entry)
    return found


@dataclass(frozen=True, slots=True)
class Relation:
    """Another entry, and the field by which the two belong together; `is_back` is told from the other side."""

    entry: Entry
    field: str
    register_title: str
    is_back: bool


def relations_of(*, actor: Actor, entry: Entry, spec: RegisterSpec, now: datetime) -> list[Relation]:
    """The entries that this one names and those that name it, as far as `actor` reads them."""
    named = EntryValue.objects.filter(entry=entry, field__in=[path for path, _title in _entry_fields(spec)]).exclude(text="")
    titles = dict(_entry_fields(spec))
    ahead = {_entry_id(row.text): titles.get(row.field, "") for row in named}
    back = _naming(entry)
    wanted = {pk for pk in ahead if pk is not None} | {pk for pk, _field in back}
    rows = Entry.objects.select_related("register", "org").filter(pk__in=wanted, removed_at__isnull=True)
    readable = {row.pk: row for row in rows if _reads(actor, row, now)}
    found = [
        Relation(readable[pk], title, _title(readable[pk]), is_back=False)
        for pk, title in ahead.items()
        if pk is not None and pk in readable
    ]
    return found + [
        Relation(readable[pk], dict(_entry_fields(spec_of(readable[pk].register))).get(field, ""), _title(readable[pk]), True)
        for pk, field in back
        if pk in readable
    ]


def count_naming(entry: Entry) -> int:
    """How many entries name this one, whoever reads them."""
    return len({pk for pk, _field in _naming(entry)})


def _naming(entry: Entry) -> list[tuple[int, str]]:
    """Ids of the entries that name this one, with the field, along the index of values, register by register."""
    key, public_id = entry.register.key, ids.encode("entry", entry.pk)
    condition = Q(pk__in=())
    for row in Definition.objects.filter(kind=DefinitionKind.REGISTER.value, current__isnull=False):
        fields = [path for path, _title in _entry_fields(spec_of(row), key)]
        if fields:
            condition |= Q(register=row, field__in=fields, text=public_id)
    rows = EntryValue.objects.filter(condition, entry__removed_at__isnull=True).exclude(entry=entry)
    return list(rows.order_by("entry_id").values_list("entry_id", "field")[:_RELATED_SHOWN])


def _entry_fields(spec: RegisterSpec, register_key: str = "") -> list[tuple[str, str]]:
    """The path and the title of every field that names entries, of one register where it is said."""
    found = [(field.key, field) for field in spec.fields if field.register_key]
    found += [
        (f"{table.key}.{column.key}"[:60], column) for table in spec.fields for column in table.columns if column.register_key
    ]
    return [(path, str(field.title or "")) for path, field in found if not register_key or field.register_key == register_key]


def _reads(actor: Actor, entry: Entry, now: datetime) -> bool:
    return register_access(actor, entry.register, now).may_read(entry.org_path)


def _title(entry: Entry) -> str:
    spec: RegisterSpec = spec_of(entry.register)
    return str(spec.title)


def _entry_id(public_id: str) -> int | None:
    try:
        return ids.decode("entry", public_id)
    except NotFound:
        return None
