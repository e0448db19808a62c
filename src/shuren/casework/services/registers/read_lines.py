"""Rows of a file read as entries of a register, by the register's own rules; what is wrong is told by row and column."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind, FieldFault
from shuren.casework.models import Definition, Entry
from shuren.casework.rules.identity import identity_of
from shuren.casework.rules.registers import RegisterAccess, first_state, moves_from
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.values import read_value
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.selectors.entries import register_access
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.registers.check import checked_data
from shuren.casework.services.registers.columns import (
    FileColumn,
    file_columns,
    only_on_pages,
    org_title,
    state_title,
    table_sheets,
    told_value,
)
from shuren.casework.services.registers.one_source import changed_fields, differing, held_copies
from shuren.casework.services.registers.read_tables import TableRows, open_tables
from shuren.directory import api as directory
from shuren.directory.data import CompetingData, OrgData
from shuren.intake import api as intake
from shuren.intake.data import Finding, ImportState, Row, RowPlace, Table
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused
from shuren.standards.data import Door

AT_ONCE = 300


@dataclass(slots=True)
class Line:
    """A row as the entry it will be; `entry` stands in the register already."""

    row: Row
    org: OrgData
    state: str
    told: dict[str, Any]
    identity: str
    entry: Entry | None = None
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is not let in, what it is known by if that could be read, and its org if the sender writes there."""

    row: Row
    identity: str
    org: OrgData | None


@dataclass(slots=True)
class Reader:
    """Rows of the file as entries; what is wrong goes to `findings`."""

    actor: Actor
    definition: Definition
    spec: RegisterSpec
    access: RegisterAccess
    table: Table
    import_id: int
    now: datetime
    columns: Sequence[FileColumn]
    tables: list[TableRows] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    orgs: dict[str, OrgData | None] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    alone: Mapping[str, CompetingData] = field(default_factory=dict)
    competed: set[str] = field(default_factory=set)
    passed: frozenset[RowPlace] = frozenset()
    refused: list[RefusedRow] | None = None

    def lines(self) -> Iterator[list[Line]]:
        """Rows that are right, some hundreds at a time, each with the entry that it is already.

        The others are kept in `refused`, where somebody put a list there.
        """
        rows = (row for row in self.table.rows if (any(row.values) or row.findings) and self.place_of(row) not in self.passed)
        while some := list(islice(rows, AT_ONCE)):
            for row in some:
                self.findings += row.findings
            self._find_orgs(self._value(row, org_title()) for row in some)
            lines = [line for line in map(self._line, some) if line is not None]
            self._find_entries(lines)
            right = [line for line in lines if self._may_follow(line) and self._is_right(line)]
            if self.refused is not None:
                self._keep_refused(some, lines, right)
            yield right
        # Rows of an entry that is refused itself are no strays.
        if self.refused is None and not any(finding.is_error for finding in self.findings):
            self.findings += [finding for table in self.tables for finding in table.strays()]

    def place_of(self, row: Row, table: Table | None = None) -> RowPlace:
        of = table or self.table
        return RowPlace(of.file, of.sheet, row.number)

    def _keep_refused(self, some: Sequence[Row], lines: Sequence[Line], right: Sequence[Line]) -> None:
        taken = {line.row.number for line in right}
        named = {line.row.number: line.identity for line in lines}
        assert self.refused is not None
        for row in some:
            if row.number not in taken:
                org = self.orgs.get(self._value(row, org_title()))
                mine = org if org is not None and self.access.may_write(org.path) else None
                self.refused.append(RefusedRow(row, named.get(row.number, ""), mine))

    def identities(self, rows: Sequence[Mapping[str, str]]) -> list[str]:
        """Of the entries that rows of a table name by their cells; empty where they name none."""
        self._find_orgs(cells.get(org_title(), "") for cells in rows)
        return [self._named(cells) for cells in rows]

    def _named(self, cells: Mapping[str, str]) -> str:
        org = self.orgs[cells.get(org_title(), "")]
        told = {one.key: self._told(one, cells.get(one.title, "")) for one in self.columns if one.key in self.spec.identity}
        return self._identity_of(told, org.id if org else 0)

    def _identity_of(self, told: Mapping[str, Any], org_id: int) -> str:
        fields = [one for one in self.spec.fields if one.key in self.spec.identity]
        values = {one.key: read_value(one, told.get(one.key))[0] for one in fields}
        return identity_of(self.spec, values, org_id=org_id)

    def _told(self, column: FileColumn, text: str) -> object:
        return told_value(column.field, text.strip(), actor=self.actor, now=self.now) if column.field is not None else text

    def missing(self) -> list[Finding]:
        """The columns that must be there and are not."""
        wanted = [column.title for column in self.columns if column.is_needed]
        file, sheet, row = self.table.file, self.table.sheet, self.table.header_row
        return [
            Finding(file, sheet, row, title, "", _("缺少这一列"), _("请按模板加上这一列。"))
            for title in wanted
            if title not in self.table.header
        ]

    def unread(self) -> list[Finding]:
        """The columns that no file brings, for which nothing is wrong but that nothing comes of them."""
        reason, remedy = _("这一列不从表格导入"), _("已有的内容保持不变；新的请在这条记录的页面上添加。")
        file, sheet, row = self.table.file, self.table.sheet, self.table.header_row
        titles = [title for title in only_on_pages(self.spec) if title in self.table.header]
        return [Finding(file, sheet, row, title, "", reason, remedy, is_error=False) for title in titles]

    def _value(self, row: Row, title: str) -> str:
        return row.values[self.table.header.index(title)].strip() if title in self.table.header else ""

    def _find_orgs(self, told: Iterable[str]) -> None:
        names = set(told) - set(self.orgs)
        ids = directory.org_ids_by_code(name for name in names if name)
        ids = directory.org_ids_by_sourced(name for name in names if name and name not in ids) | ids
        found = directory.orgs_by_ids(ids.values())
        for name in names:
            self.orgs[name] = found.get(ids.get(name, 0)) if name else self._own_org()

    def _own_org(self) -> OrgData | None:
        """Where a file that names no org belongs: the one org that its sender keeps the register at."""
        paths = self.access.write_paths
        if len(paths) != 1:
            return None
        org_id = int(paths[0].rstrip("/").rsplit("/", 1)[-1])
        return directory.orgs_by_ids([org_id]).get(org_id)

    def _line(self, row: Row) -> Line | None:
        org = self.orgs[self._value(row, org_title())]
        if org is None or not self.access.may_write(org.path) or org.type not in self.spec.at:
            remedy = _("请填写机构代码；只管一个机构时可以留空。")
            self._refused(row, org_title(), _("没有这个机构，或不归您管理"), remedy)
            return None
        state = self._state(row)
        if state is None:
            names = "、".join(str(one.title) for one in self.spec.states)
            self._refused(row, state_title(), _("没有这种状态"), _("请从中选择：%(states)s。") % {"states": names})
            return None
        told = {
            column.key: self._told(column, self._value(row, column.title))
            for column in self.columns
            if column.field is not None and column.title in self.table.header
        }
        # A row that nothing identifies is itself: run again, it is found by where it stands in the file.
        itself = sha256(f"import:{self.import_id}:{row.number}".encode()).hexdigest()
        return self._once(Line(row, org, state, told, self._identity_of(told, org.id) or itself))

    def _once(self, line: Line) -> Line | None:
        first = self.seen.setdefault(line.identity, line.row.number)
        if first == line.row.number:
            return line
        titles = [str(one.title) for one in self.spec.fields if one.key in self.spec.identity]
        reason = _("与第 %(row)d 行相同") % {"row": first}
        self._refused(line.row, titles[0], reason, _("请删去多余的一行。"))
        return None

    def _state(self, row: Row) -> str | None:
        told = self._value(row, state_title())
        if not self.spec.states or not told:
            return ""
        return next((one.key for one in self.spec.states if told in (one.key, one.title.zh, one.title.en)), None)

    def _find_entries(self, lines: Sequence[Line]) -> None:
        wanted = [line.identity for line in lines]
        rows = Entry.objects.filter(register=self.definition, identity__in=wanted, removed_at__isnull=True)
        found = {entry.identity: entry for entry in rows}
        for line in lines:
            line.entry = found.get(line.identity)

    def _may_follow(self, line: Line) -> bool:
        """Whether what stands already may become what the row says."""
        entry = line.entry
        if entry is None:
            line.state = line.state or first_state(self.spec)
            return True
        if not self.access.may_write(entry.org_path):
            self._refused(line.row, org_title(), _("已经由别的单位登记"), _("请与上级联系，或删去这一行。"))
            return False
        line.state = line.state or entry.state
        if line.state != entry.state and line.state not in {one.key for one in moves_from(self.spec, entry.state)}:
            self._refused(line.row, state_title(), _("不能从现在的状态改成这样"), _("请先在台账里看它现在的状态。"))
            return False
        return True

    def _is_right(self, line: Line) -> bool:
        """Whether the register takes what the row says, with what the file does not name as it stands."""
        if any(finding.is_error for finding in line.row.findings):
            return False
        for table in self.tables:
            if rows := table.of(line.identity):
                if any(finding.is_error for row in rows for finding in row.findings):
                    return False
                cells = [table.cells(row) for row in rows]
                line.told[table.sheet.table.key] = [
                    {column.key: self._told(column, one[column.title]) for column in table.sheet.columns} for one in cells
                ]
        held = line.entry.data if line.entry is not None else {}
        try:
            line.data = checked_data(self.spec, {**held, **line.told}, now=self.now, asks_files=False)
        except FormRefused as refused:
            self.findings += [self._fault(line, fault) for fault in refused.faults]
            return False
        return self._is_own(line, held)

    def _is_own(self, line: Line, held: Mapping[str, Any]) -> bool:
        """Whether nothing in the row says otherwise what another source produces."""
        if self.actor.is_system:
            return True
        changed = changed_fields(self.spec, held, line.data)
        copies = held_copies(self.spec, changed, line.org, self.now)
        refused = differing(changed, line.data, copies)
        refused |= {one.element: self.alone[one.element] for one in changed if one.element in self.alone}
        is_own = True
        for one in changed:
            told = refused.get(one.element)
            # A copy that agrees with its source is no write of its own.
            if told is None or (one.key in copies and copies[one.key].value == line.data.get(one.key)):
                continue
            is_own = False
            title = next((column.title for column in self.columns if column.key == one.key), str(one.title))
            self._refused(line.row, title, directory.reason_of(told), directory.remedy_of(told))
            if told.element not in self.competed:
                self.competed.add(told.element)
                directory.note_competing(actor=self.actor, element=told.element, door=Door.REGISTER_IMPORT, now=self.now)
        return is_own

    def _fault(self, line: Line, fault: FieldFault) -> Finding:
        """Where in the file a fault stands: in a row of a table, or in the row of its entry."""
        key, bracket, rest = fault.path.partition("[")
        number, _dot, inner = rest.partition("].")
        table = next((one for one in self.tables if one.sheet.table.key == key and bracket), None)
        if table is not None and number.isdecimal():
            title = next((column.title for column in table.sheet.columns if column.key == inner), fault.title)
            return table.finding(table.of(line.identity)[int(number)], title, fault.reason, fault.remedy)
        title = next((column.title for column in self.columns if column.key == key), fault.title)
        return self._finding(line.row, title, fault.reason, fault.remedy)

    def _refused(self, row: Row, title: str, reason: str, remedy: str) -> None:
        self.findings.append(self._finding(row, title, reason, remedy))

    def _finding(self, row: Row, title: str, reason: str, remedy: str) -> Finding:
        return Finding(self.table.file, self.table.sheet, row.number, title, self._value(row, title), reason, remedy)


def open_lines(state: ImportState, now: datetime, *, passed: frozenset[RowPlace] = frozenset()) -> Reader:
    """The file of an import, ready to be read once; raises `Refused` where its sender may not write.

    Rows that were set aside (`passed`) are as if they were not there.
    """
    definition = definition_named(DefinitionKind.REGISTER, str(state.options.get("register", "")))
    spec: RegisterSpec = spec_of(definition)
    access = register_access(state.owner, definition, now)
    if not access.write_paths or (spec.change_by and not state.owner.is_system):
        raise Refused(_("您不能向这个台账导入数据。"))
    columns = file_columns(spec)
    expected = [column.title for column in columns if column.is_needed]
    path = intake.import_file(state.id)
    table = intake.open_table(path, expected=expected, file_name=state.file_name)
    reader = Reader(state.owner, definition, spec, access, table, state.id, now, columns, passed=passed)
    elements = [one.element for one in spec.fields if one.element]
    reader.alone = directory.competing(actor=state.owner, elements=elements, door=Door.REGISTER_IMPORT, now=now)
    reader.tables = open_tables(path, table_sheets(spec), reader.identities, file_name=state.file_name, passed=passed)
    reader.findings += [*table.findings, *(finding for one in reader.tables for finding in one.findings)]
    return reader
