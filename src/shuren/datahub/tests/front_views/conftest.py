"""A front database of another department on the same server, with a view of pupils of three schools."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from tests.cast import Cast

from shuren.datahub.api import read_partition
from shuren.datahub.data import NewViewSource, TlsMode, ViewReading, ViewRunKind
from shuren.datahub.models import ViewRun, ViewSource
from shuren.datahub.services.front_views.keep import register_view_source, set_view_reading
from shuren.datahub.services.front_views.read import read_view
from shuren.datahub.services.front_views.runs import ask_view_run
from shuren.directory import api as directory
from shuren.kernel.data import SYSTEM

needs_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="the front database of another department lies on the PostgreSQL of the tests"
)
_MADE = """
CREATE TABLE held (id int PRIMARY KEY, "姓名" text, org text, born date, sum numeric(8,2), changed timestamptz);
CREATE VIEW "低保" AS SELECT * FROM held
"""


@dataclass
class FrontDatabase:
    """The other side, and the source that reads it."""

    cast: Cast
    raw: Any
    source: ViewSource

    def put(self, first: int, count: int, *, org: str = "school", minutes_ago: int = 100) -> None:
        """Rows from `first` on; each later one changed a second later."""
        code = self.codes.get(org, org)
        self.raw.execute(
            "INSERT INTO held SELECT i, '姓' || i, %s, date '2015-01-01' + i, i * 1.5, "
            "now() - make_interval(mins => %s::int) + make_interval(secs => i) FROM generate_series(%s::int, %s::int) i",
            [code, minutes_ago, first, first + count - 1],
        )

    @property
    def codes(self) -> dict[str, str]:
        return {"school": "3310000001", "west_school": "3310000002"}

    def choose(self, *, cursor: str = "", taken: tuple[str, ...] = ("姓名", "born", "sum")) -> None:
        self.turn(ViewRunKind.TRIAL)
        reading = ViewReading(taken=taken, keys=("id",), cursor=cursor, org="org", every_minutes=60)
        actor = self.cast.actor("province_officer")
        set_view_reading(actor=actor, source_id=self.source.pk, reading=reading, now=self.cast.now)

    def ask(self, kind: ViewRunKind = ViewRunKind.READ) -> ViewRun:
        actor = self.cast.actor("province_officer")
        return ask_view_run(actor=actor, source_id=self.source.pk, kind=kind, now=self.cast.now)

    def turn(self, kind: ViewRunKind = ViewRunKind.READ) -> ViewRun:
        run = self.ask(kind)
        read_view(run.pk, now=self.cast.now)
        run.refresh_from_db()
        return run

    def rows(self) -> list[dict[str, Any]]:
        found = read_partition("front.low_income", {"source": "low_income"}).to_pylist()
        return sorted(found, key=lambda row: row["id"])

    def ids(self) -> list[int]:
        return [row["id"] for row in self.rows()]


@pytest.fixture(scope="module")
def front_server(django_db_setup: None, django_db_blocker: Any) -> Iterator[dict[str, Any]]:
    """A database beside that of the tests, for a module."""
    import_name = pytest.importorskip("psycopg")
    told = connection.settings_dict
    name = f"{told['NAME']}_front"
    server = {"host": told["HOST"], "port": int(told["PORT"] or 5432), "user": told["USER"], "password": told["PASSWORD"]}
    with import_name.connect(**server, dbname="postgres", autocommit=True) as raw:
        raw.execute(f'DROP DATABASE IF EXISTS "{name}"')
        raw.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield {**server, "dbname": name}
    with import_name.connect(**server, dbname="postgres", autocommit=True) as raw:
        raw.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def front(front_server: dict[str, Any], cast: Cast, settings: Any) -> Iterator[FrontDatabase]:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.0/8", "::1/128"]
    source = register_view_source(
        actor=cast.actor("province_officer"),
        source=NewViewSource(
            key="low_income",
            title_zh="低保对象",
            title_en="Low-income families",
            org_id=cast.orgs["county"].id,
            host=front_server["host"],
            port=front_server["port"],
            database=front_server["dbname"],
            username=front_server["user"],
            password=front_server["password"] or "none-is-asked",
            tls=TlsMode.PLAIN,
            schema="public",
            view="低保",
        ),
        now=cast.now,
    )
    with pytest.importorskip("psycopg").connect(**front_server, autocommit=True) as raw:
        raw.execute("DROP TABLE IF EXISTS held CASCADE")
        raw.execute(_MADE)
        found = FrontDatabase(cast, raw, source)
        for key, code in found.codes.items():
            directory.correct_org(actor=SYSTEM, org_id=cast.orgs[key].id, changes={"code": code}, now=cast.now)
        yield found
