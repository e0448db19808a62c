"""Lists of a register at size: pages, filters, sorts and searches, each from the selector to the row.

`python -m bench registers --entries 1000000` is a province's register. Entries are written in bulk, without the
index of search; what a page costs is the median and the worst of `--rounds` reads. `SHUREN_DATABASE_URL` chooses the
database.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.core.management import call_command
from django.db import connection, transaction

from bench.frame import peak
from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, Entry, EntryRevision, EntryValue
from shuren.casework.rules.identity import LABEL_FIELD, folded_label, identity_of
from shuren.casework.rules.registers import indexed_values
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.entries import Register, register_access
from shuren.casework.selectors.entry_lists import EntryQuery, count_entries, entries_page, entries_stream
from shuren.casework.services.define import put_definition
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, OrgData, OrgType
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.statistics import refresh_statistics

_AT_ONCE = 5_000
_KINDS = ("class", "lab", "gym", "library", "office")
REGISTER = {
    "key": "bench.rooms",
    "title": "教室",
    "identity": ["number"],
    "label": "name",
    "states": [{"key": "used", "title": "在用", "to": ["closed"]}, {"key": "closed", "title": "停用"}],
    "sections": [
        {
            "key": "basics",
            "title": "基本情况",
            "fields": [
                {"key": "name", "title": "名称", "type": "text", "required": True},
                {"key": "number", "title": "编号", "type": "text", "is_indexed": True},
                {
                    "key": "kind",
                    "title": "用途",
                    "type": "code",
                    "is_indexed": True,
                    "options": [{"code": kind, "title": kind} for kind in _KINDS],
                },
                {"key": "seats", "title": "座位数", "type": "integer", "is_indexed": True},
                {"key": "built", "title": "建成", "type": "date", "is_indexed": True},
                {"key": "note", "title": "备注", "type": "text"},
            ],
        }
    ],
}


def region(schools: int, now: datetime) -> list[OrgData]:
    """A province of counties of fifty schools; the schools."""
    top = directory.add_org(actor=SYSTEM, org=NewOrg(parent_id=None, type=OrgType.PROVINCE, name="测试省"), now=now)
    made, county = [], None
    for number in range(schools):
        if county is None or number % 50 == 0:
            new = NewOrg(parent_id=top.id, type=OrgType.COUNTY, name=f"第{number // 50}区")
            county = directory.add_org(actor=SYSTEM, org=new, now=now)
        new = NewOrg(parent_id=county.id, type=OrgType.SCHOOL, name=f"第{number}小学", code=f"S{number}")
        made.append(directory.add_org(actor=SYSTEM, org=new, now=now).id)
    found = directory.orgs_by_ids(made)
    return [found[org_id] for org_id in made]


def write(definition: Definition, schools: list[OrgData], count: int, now: datetime) -> None:
    """Entries with their values and first revision; the index of search has a bench of its own."""
    spec = spec_of(definition)
    for start in range(0, count, _AT_ONCE):
        entries = [_entry(definition, schools, number, now) for number in range(start, min(start + _AT_ONCE, count))]
        with transaction.atomic():
            Entry.objects.bulk_create(entries)
            values = []
            for entry in entries:
                own = {"entry": entry, "register_id": definition.pk}
                values.append(EntryValue(field=LABEL_FIELD, text=folded_label(entry.label), **own))
                values += [
                    EntryValue(field=one.field, text=one.text, number=one.number, **own)
                    for one in indexed_values(spec, entry.data)
                ]
            EntryValue.objects.bulk_create(values)
            EntryRevision.objects.bulk_create(
                [
                    EntryRevision(entry=entry, number=1, at=now, name="bench", state=entry.state, data=entry.data)
                    for entry in entries
                ]
            )


def _entry(definition: Definition, schools: list[OrgData], number: int, now: datetime) -> Entry:
    school = schools[number % len(schools)]
    data = {
        "name": f"教室{number * 7919 % 1_000_003}",
        "number": f"N{number:08d}",
        "kind": _KINDS[0] if number % 10 else _KINDS[number // 10 % len(_KINDS)],
        "seats": number * 31 % 500,
        "built": f"{1980 + number % 45}-09-01",
        "note": "二楼东侧，朝南" * 3,
    }
    return Entry(
        register=definition,
        org_id=school.id,
        org_path=school.path,
        label=str(data["name"]),
        identity=identity_of(spec_of(definition), data, org_id=school.id),
        state="used" if number % 100 else "closed",
        data=data,
        made_at=now,
        changed_at=now - timedelta(seconds=number * 37 % 100_000),
    )


def timed(label: str, work: Callable[[], object], rounds: int) -> float:
    spent = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        spent.append((time.perf_counter() - began) * 1_000)
    print(f"{label:<58} {statistics.median(spent):8.1f} ms  worst {max(spent):8.1f} ms", flush=True)
    return statistics.median(spent)


def read(register: Register, school: OrgData, rounds: int) -> float:
    """Every way a list is asked for; the slowest median."""
    county = directory.orgs_by_ids([school.parent_id or 0])[school.parent_id or 0]
    asked = {
        "first page": EntryQuery(),
        "page 400 of it": EntryQuery(number=400),
        "newest first": EntryQuery(sort="-changed"),
        "by name": EntryQuery(sort="label"),
        "by seats, downward": EntryQuery(sort="-seats"),
        "of a county, by seats": EntryQuery(org_path=county.path, sort="seats"),
        "of a school, newest first": EntryQuery(org_path=school.path, sort="-changed"),
        "one kind in a hundred": EntryQuery(filters={"kind": "gym"}),
        "nine kinds in ten, by seats": EntryQuery(filters={"kind": "class"}, sort="seats"),
        "kind, seats and year, by day built": EntryQuery(
            filters={"kind": "class", "seats_from": "400", "built_from": "2015-01-01"}, sort="-built"
        ),
        "one number": EntryQuery(filters={"number": "N00001234"}),
        "state of one in a hundred": EntryQuery(state="closed"),
        "search by the beginning of a name": EntryQuery(search="教室12345"),
        "search of what all begin with": EntryQuery(search="教室"),
    }
    return max(timed(label, partial(entries_page, register, query), rounds) for label, query in asked.items())


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench registers", description=__doc__)
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--schools", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    now = clock.now()
    schools = region(chosen.schools, now)
    definition = put_definition(actor=SYSTEM, kind=DefinitionKind.REGISTER, body=REGISTER, now=now)
    began = time.perf_counter()
    write(definition, schools, chosen.entries, now)
    spent = time.perf_counter() - began
    print(
        f"{connection.vendor}: {chosen.entries:,} entries written in {spent:.0f} s, {chosen.entries / spent:,.0f}/s\n", flush=True
    )
    refresh_statistics(Entry, EntryValue)
    register = Register(definition, spec_of(definition), register_access(SYSTEM, definition, now))
    slowest = read(register, schools[len(schools) // 2], chosen.rounds)
    began = time.perf_counter()
    streamed = sum(1 for _row in entries_stream(register, EntryQuery()))
    spent = time.perf_counter() - began
    print(f"\nstreamed {streamed:,} rows in {spent:.1f} s, {streamed / spent:,.0f}/s; peak {peak():,.0f} MiB")
    print(f"slowest page {slowest:.0f} ms; {count_entries(register, EntryQuery())[0]:,} counted")
