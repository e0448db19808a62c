"""Accounts by the million: whether making, finding, granting and issuing tokens stay flat as the region grows.

`python -m bench accounts --sizes 1000000 10000000`; `SHUREN_DATABASE_URL` chooses the database (empty: SQLite). People and most
accounts are written straight into the tables, on PostgreSQL without their indexes and foreign keys, which are built when the
rows lie there; the last 20,000 accounts of each size go through `create_accounts`, which is what an import does, and are
timed. `--plans` names a file for what PostgreSQL says of every question (EXPLAIN with buffers). Everything lies in a database
and a folder that are thrown away.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.db.models import Model

from bench.frame import bare
from bench.tokens import Application, _call, _rate
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgData, OrgType, Role
from shuren.directory.models import Affiliation, Org, Person
from shuren.identity import api as identity
from shuren.identity.data import AccountState, GrantType, NewClient, RegisteredClient
from shuren.identity.models import Account
from shuren.identity.selectors.account_list import account_page
from shuren.identity.selectors.accounts import account_by_name
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor

SCHOOL_SIZE = 2_000
MADE_BY_PRODUCT = 20_000
WANTED = 150.0
_NUMBER = "'B' || substr(CAST(10000000000000 + n.i AS varchar(20)), 2)"
_FAMILY, _GIVEN = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红玲芬燕彬鹏浩宇轩梓涵雨欣怡",
)


class Region:
    """A root, its schools, and three actors: who may grant, an officer of everything, the administrator of one school."""

    def __init__(self) -> None:
        now = clock.now()
        city_id = directory.add_org(actor=SYSTEM, org=NewOrg(None, OrgType.CITY, "测试市"), now=now).id
        self.city = directory.orgs_by_ids([city_id])[city_id]
        self.officer = self._actor("甲", Role.CITY_OFFICER, self.city.id)
        self.people = self.schools = self.first_school = 0
        self.made_cpu = 0.0
        self._add_schools(1)
        self.admin = self._actor("乙", Role.SCHOOL_ADMIN, self.first_school)
        self.kind = Person.objects.create(sourced_id="last", number="last", name="丙", is_synthetic=True)
        place = {
            "person": self.kind,
            "org_id": self.first_school,
            "org_path": f"{self.city.path}{self.first_school}/",
            "role": "pupil",
        }
        self.seat = Affiliation.objects.create(sourced_id="kind", **place)

    def _actor(self, name: str, role: Role, org_id: int) -> Actor:
        now = clock.now()
        person = directory.add_person(actor=SYSTEM, person=NewPerson(name=name, is_synthetic=True), now=now)
        directory.affiliate(actor=SYSTEM, person_id=person.id, org_id=org_id, role=role, begin_date=clock.day_of(now), now=now)
        return Actor(person_id=person.id, account_id=None, name=name)

    def grow(self, count: int) -> tuple[float, float]:
        """Add people with accounts; returns rows per second written straight, and accounts per second by the product."""
        first, base = self.people, self.kind.pk
        self._add_schools(-(-(first + count) // SCHOOL_SIZE) - self.schools)
        school = f"{self.first_school} + (n.i - 1) / {SCHOOL_SIZE}"
        path = f"'{self.city.path}' || CAST({school} AS varchar(20)) || '/'"
        begun = time.perf_counter()
        name = f"{_letter(_FAMILY, 1)} || {_letter(_GIVEN, 20)} || {_letter(_GIVEN, 800)}"
        phone = "CASE WHEN n.i % 2 = 0 THEN CAST(13000000000 + n.i AS varchar(20)) ELSE '' END"
        own = {"sourced_id": _NUMBER, "number": _NUMBER, "name": name, "sort_key": _NUMBER, "phone": phone}
        own["staff_number"] = "CASE WHEN n.i % 20 = 0 THEN 't' || CAST(n.i AS varchar(20)) ELSE '' END"
        ties = {"sourced_id": _NUMBER, "person_id": f"{base} + n.i", "org_id": school, "org_path": path}
        made = min(MADE_BY_PRODUCT, count // 2)
        with bare(Person, Affiliation, Account):
            _multiply(Person, base, first, first + count, {"id": f"{base} + n.i", **own})
            _multiply(Affiliation, self.seat.pk, first, first + count, {"id": f"{self.seat.pk} + n.i", **ties})
            _add_accounts(base + first, base + first + count - made)
        analyse()
        straight = 3 * count / (time.perf_counter() - begun)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        people = range(base + first + count - made + 1, base + first + count + 1)
        identity.create_accounts(actor=SYSTEM, person_ids=people, now=clock.now())
        self.people += count
        self.made_cpu = 1_000 * (time.process_time() - begun_cpu) / made
        return straight, made / (time.perf_counter() - begun)

    def _add_schools(self, count: int) -> None:
        if count <= 0:
            return
        first = (Org.objects.order_by("-pk").values_list("pk", flat=True).first() or 0) + 1
        self.first_school = self.first_school or first
        rows = [
            Org(id=pk, sourced_id=f"s{pk}", name=f"学校{pk}", type="school", parent_id=self.city.id, depth=2)
            for pk in range(first, first + count)
        ]
        for row in rows:
            row.path = f"{self.city.path}{row.pk}/"
        Org.objects.bulk_create(rows, batch_size=2_000)
        self.schools += count


def _letter(letters: str, step: int) -> str:
    return f"substr('{letters}', CAST(1 + (n.i / {step}) % {len(letters)} AS integer), 1)"


def _multiply(model: type[Model], pk: int, after: int, until: int, own: dict[str, str]) -> None:
    """Copy row `pk` with columns of its own for every number n.i behind `after` up to `until`."""
    columns = [column.column for column in model._meta.concrete_fields]
    values = ", ".join(own.get(column, f"t.{column}") for column in columns)
    table = model._meta.db_table
    if connection.vendor == "postgresql":
        series = f"WITH n AS (SELECT i FROM generate_series({after + 1}, {until}) AS g(i))"
    else:
        series = f"WITH RECURSIVE n(i) AS (SELECT {after + 1} UNION ALL SELECT i + 1 FROM n WHERE i < {until})"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) {series} SELECT {values} FROM n CROSS JOIN {table} t WHERE t.id = {pk}"
        )


def _add_accounts(after: int, until: int) -> None:
    """Accounts in use: one in a thousand asleep, one in ten never handed out."""
    if not Account.objects.filter(username="kind").exists():
        Account.objects.create(username="kind", password="!", created_at=clock.now())
    columns = [column.column for column in Account._meta.concrete_fields if column.column != "id"]
    true, false = ("TRUE", "FALSE") if connection.vendor == "postgresql" else ("1", "0")
    own = {
        "person_id": "p.id",
        "username": "lower(p.number)",
        "is_active": f"CASE WHEN p.id % 1000 = 0 THEN {false} ELSE {true} END",
        "password_changed_at": "CASE WHEN p.id % 10 = 0 THEN NULL ELSE t.created_at END",
    }
    values = ", ".join(own.get(column, f"t.{column}") for column in columns)
    source = (
        f"FROM directory_person p CROSS JOIN identity_account t WHERE t.username = 'kind' AND p.id > {after} AND p.id <= {until}"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO identity_account ({', '.join(columns)}) SELECT {values} {source}")


def searches(region: Region) -> dict[str, Callable[[int], object]]:
    """What people ask; the number makes every turn another question."""

    def page(
        actor: Actor, search: str = "", state: AccountState | None = None, *, org: OrgData | None = None, at: int = 1
    ) -> object:
        return account_page(actor=actor, org=org, search=search, state=state, number=at, size=50, now=clock.now())

    def school(turn: int) -> OrgData:
        pk = region.first_school + turn * 37 % region.schools
        return directory.orgs_by_ids([pk])[pk]

    def number(turn: int) -> str:
        return f"B{(turn * 7919) % region.people + 1:013d}"

    def name(turn: int, letters: int = 3) -> str:
        drawn = _FAMILY[turn % 20] + _GIVEN[turn * 3 % len(_GIVEN)] + _GIVEN[turn * 7 % len(_GIVEN)]
        return drawn[:letters]

    return {
        "officer: number": lambda turn: page(region.officer, number(turn)),
        "officer: whole name": lambda turn: page(region.officer, name(turn)),
        "officer: two letters of a name": lambda turn: page(region.officer, name(turn, 2)),
        "officer: phone": lambda turn: page(region.officer, str(13000000000 + 2 * (turn * 7919 % (region.people // 2)) + 2)),
        "officer: staff number": lambda turn: page(region.officer, f"T{20 * (turn * 7919 % (region.people // 20)) + 20}"),
        "officer: first page of all": lambda _turn: page(region.officer),
        "officer: asleep": lambda _turn: page(region.officer, state=AccountState.ASLEEP),
        "officer: never handed out": lambda _turn: page(region.officer, state=AccountState.NEVER_HANDED_OUT),
        "officer: two letters, twentieth page": lambda turn: page(region.officer, name(turn, 2), at=20),
        "officer: page in the middle of all": lambda turn: page(region.officer, at=region.people // 100 + turn),
        "officer: page of those never handed out": lambda turn: page(
            region.officer, state=AccountState.NEVER_HANDED_OUT, at=min(200, region.people // 1_000) + turn
        ),
        "officer: asleep, of a name": lambda turn: page(region.officer, name(turn), state=AccountState.ASLEEP),
        "officer: locked": lambda _turn: page(region.officer, state=AccountState.LOCKED),
        "officer: a school, asleep": lambda turn: page(region.officer, state=AccountState.ASLEEP, org=school(turn)),
        "officer: a school, whole name": lambda turn: page(region.officer, name(turn), org=school(turn)),
        "officer: a school, never handed out": lambda turn: page(
            region.officer, state=AccountState.NEVER_HANDED_OUT, org=school(turn)
        ),
        "school: whole name": lambda turn: page(region.admin, name(turn)),
        "school: first page": lambda _turn: page(region.admin),
        "school: asleep": lambda _turn: page(region.admin, state=AccountState.ASLEEP),
        "look-up when signing in": lambda turn: account_by_name(number(turn)),
    }


def measured(work: Callable[[int], object], turns: int) -> float:
    """The 95th percentile in milliseconds, the first three turns left out."""
    waits = []
    for turn in range(turns + 3):
        begun = time.perf_counter()
        work(turn)
        waits.append(1_000 * (time.perf_counter() - begun))
    return sorted(waits[3:])[math.ceil(0.95 * turns) - 1]


def write_plans(region: Region, path: Path) -> None:
    """Ask every question once and set down what PostgreSQL did for each of its statements."""
    with path.open("a", encoding="utf-8") as file:
        for label, work in searches(region).items():
            asked: list[tuple[str, Any]] = []

            def keep(execute: Any, sql: str, params: Any, many: bool, context: Any, asked: Any = asked) -> Any:
                asked.append((sql, params))
                return execute(sql, params, many, context)

            with connection.execute_wrapper(keep):
                work(5)
            for sql, params in asked:
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
                    plan = "\n".join(row[0] for row in cursor.fetchall())
                file.write(f"\n## {region.people:,}: {label}\n{sql[:1_500]}\n{plan}\n")


def analyse() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def disk() -> float:
    """Gigabytes of the database."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return float(cursor.fetchone()[0]) / 1e9
    return sum(path.stat().st_size for path in Path(settings.DATA_DIR).glob("*.sqlite3*")) / 1e9


def look(region: Region, application: Application, client: RegisteredClient, turns: int) -> dict[str, float]:
    found = {f"{label}, p95 ms": measured(work, turns) for label, work in searches(region).items()}

    def grant(turn: int) -> None:
        person_id = region.kind.pk + region.people - turn  # the newest, whom no step before gave anything
        now = clock.now()
        directory.grant_role(
            actor=SYSTEM, person_id=person_id, role=Role.STAFF, org_id=region.first_school, begin_at=now, now=now
        )

    found["grant a role, p95 ms"] = measured(grant, turns)
    issue = _rate(2.0, lambda: _call(application, "/oauth/token/", client, grant_type="client_credentials"))
    found["token issue, ms of a core"] = 1_000 / issue
    return found


def show(sizes: list[int], figures: list[dict[str, float]]) -> None:
    print("\n| | " + " | ".join(f"{size:,}" for size in sizes) + " | last : first |\n|---|" + "---|" * (len(sizes) + 1))
    for label in figures[0]:
        row = [figure[label] for figure in figures]
        print(f"| {label} | " + " | ".join(f"{value:,.1f}" for value in row) + f" | {row[-1] / row[0]:.2f} |")


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench accounts", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[250_000, 1_000_000], help="how many accounts, rising")
    parser.add_argument("--plans", type=Path, help="a file for the plans of every question")
    parser.add_argument("--turns", type=int, default=60, help="how often each question is asked")
    chosen = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    new = NewClient(name="bench", grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}), scopes=frozenset({"directory.read"}))
    client = identity.register_client(actor=SYSTEM, client=new, now=clock.now())
    application: Application = get_wsgi_application()
    assert json.loads(_call(application, "/oauth/token/", client, grant_type="client_credentials"))["access_token"]
    region, sizes, figures = Region(), [], []
    for size in chosen.sizes:
        straight, made = region.grow(size - region.people)
        directory.rebuild_counts(day=clock.day_of(clock.now()))
        found = {"rows written straight /s": straight, "accounts made by the product /s": made}
        found |= {"an account made, ms of a core in Python": region.made_cpu}
        if chosen.plans and connection.vendor == "postgresql":
            write_plans(region, chosen.plans)
        found |= look(region, application, client, chosen.turns) | {"database, GB": disk()}
        sizes.append(region.people)
        figures.append(found)
        print(f"{region.people:,} accounts: {made:,.0f} made a second, {found['database, GB']:.2f} GB", flush=True)
    show(sizes, figures)
    slow = [label for label, value in figures[-1].items() if label.startswith(("officer", "school")) and value > WANTED]
    print(f"\nslower than {WANTED:.0f} ms: {', '.join(slow) or 'none'}")
