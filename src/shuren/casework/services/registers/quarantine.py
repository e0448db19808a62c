"""Rows of a file of entries that are not let in, each with its reasons and its unit; what belongs to one goes with it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from shuren.casework.services.registers.read_lines import Reader, RefusedRow
from shuren.casework.services.registers.read_tables import TableRows
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.intake.data import BadRow, Finding, Row, RowPlace, Table


def bad_rows(reader: Reader) -> list[BadRow]:
    """What a reader with a list of `refused` rows has come to, once every line was read."""
    found: defaultdict[RowPlace, list[Finding]] = defaultdict(list)
    for finding in reader.findings:
        if finding.is_error:
            found[RowPlace(finding.file, finding.sheet, finding.row)].append(finding)
    refused, home = reader.refused or [], _home(reader)
    held = {one.identity: one.org for one in refused if one.identity}
    rows = [_bad(reader.table, one.row, found, _reason_of_entry(), one.org or home) for one in refused]
    for table in reader.tables:
        rows += [
            _bad(table.table, row, found, _reason_of_line(), held.get(identity) or home)
            for identity, row in _going_along(table, refused)
        ]
    return rows


def findings_along(rows: Sequence[BadRow], known: Sequence[Finding]) -> list[Finding]:
    """What is said of rows that go along, beside what was found before."""
    said = {(one.file, one.sheet, one.row) for one in known if one.is_error}
    return [finding for row in rows if tuple(row.place) not in said for finding in row.findings]


def _going_along(table: TableRows, refused: Sequence[RefusedRow]) -> Iterator[tuple[str, Row]]:
    """Rows of a table whose entry is refused, or is not in the file at all."""
    out = {one.identity for one in refused}
    for identity, rows in table.kept.items():
        if identity in out or identity not in table.asked:
            yield from ((identity, row) for row in rows)


def _bad(table: Table, row: Row, found: dict[RowPlace, list[Finding]], otherwise: tuple[str, str], org: OrgData | None) -> BadRow:
    place = RowPlace(table.file, table.sheet, row.number)
    told = found.get(place) or [Finding(*place, "", "", *otherwise)]
    return BadRow(
        place,
        tuple(table.header),
        tuple(row.values),
        tuple(told),
        org.id if org else None,
        org.path if org else "",
    )


def _reason_of_entry() -> tuple[str, str]:
    return _("它的明细行有错误"), _("请先改好它在其他工作表里的行，再一起送入。")


def _reason_of_line() -> tuple[str, str]:
    return _("它所属的记录没有写入"), _("请改好那条记录，再一起送入。")


def _home(reader: Reader) -> OrgData | None:
    """Whose a row is that names no org of its sender's: the first branch that the sender keeps the register at."""
    paths = reader.access.write_paths
    if not paths:
        return None
    org_id = int(paths[0].rstrip("/").rsplit("/", 1)[-1])
    return directory.orgs_by_ids([org_id]).get(org_id)
