"""`shuren doctor`: what is wrong with this installation, and how to mend it."""

import os
import shutil
import sqlite3
import stat
import time
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from dataclasses import dataclass
from datetime import UTC, datetime

import click
from django.conf import settings
from django.core.checks import Warning as CheckWarning
from django.core.checks import run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from shuren.conf import environment as env

GIB = 2**30
LEAST_FREE_DISK = 2 * GIB
OLDEST_SQLITE = (3, 35, 0)
OLDEST_POSTGRES = 150_000
CLOCK_DRIFT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Ailment:
    """Something wrong: what, how to mend it, and whether the installation cannot run with it."""

    what: str
    remedy: str
    is_fatal: bool = True


def settings_check() -> Iterator[Ailment]:
    for problem in run_checks(include_deployment_checks=env.HTTPS.is_on):
        yield Ailment(
            f"{problem.id}: {problem.msg}", problem.hint or "See docs/settings.md.", problem.level > CheckWarning("").level
        )
    if settings.DEBUG:
        yield Ailment("SHUREN_DEBUG is on: tracebacks are shown to everybody.", "Unset SHUREN_DEBUG.", is_fatal=False)


def folder_check() -> Iterator[Ailment]:
    folder = settings.DATA_DIR
    if not os.access(folder, os.W_OK):
        yield Ailment(f"The data folder {folder} cannot be written.", f"Run: chown -R $(id -un) {folder}")
        return
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_DISK:
        yield Ailment(f"Only {free / GIB:.1f} GiB are free in {folder}.", "Free some space: imports need room for a copy.")
    for key in (folder / "keys").glob("*.key"):
        if key.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Ailment(f"{key} can be read by others.", f"Run: chmod 600 {key}")


def database_check() -> Iterator[Ailment]:
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        yield Ailment(f"The database does not answer: {error}".strip(), "Check SHUREN_DATABASE_URL and that the server runs.")
        return
    if connection.vendor == "sqlite" and sqlite3.sqlite_version_info < OLDEST_SQLITE:
        yield Ailment(
            f"SQLite {sqlite3.sqlite_version} is too old.", "Use a Python built with SQLite 3.35 or newer, or PostgreSQL."
        )
    if connection.vendor == "postgresql" and connection.cursor().connection.info.server_version < OLDEST_POSTGRES:
        yield Ailment("PostgreSQL is older than 15.", "Upgrade PostgreSQL to 15 or newer.")
    waiting = MigrationExecutor(connection)
    plan = waiting.migration_plan(waiting.loader.graph.leaf_nodes())
    if plan:
        yield Ailment(f"{len(plan)} migrations are waiting.", "Run: shuren init")


def clock_check() -> Iterator[Ailment]:
    if datetime.now(UTC).year < 2026:
        yield Ailment(f"The clock says {datetime.now(UTC):%Y-%m-%d}.", "Set the clock; periods and deadlines depend on it.")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
            drift = abs(float(cursor.fetchone()[0]) - time.time())
        if drift > CLOCK_DRIFT_SECONDS:
            yield Ailment(f"The database server's clock differs by {drift:.0f} s.", "Synchronise both clocks (chrony or ntpd).")


def pdf_check() -> Iterator[Ailment]:
    if not find_library("pango-1.0") or not find_library("pangoft2-1.0"):
        remedy = "Install Pango: apt install libpango-1.0-0 libpangoft2-1.0-0"
        yield Ailment("PDF reports are off: the system library Pango is missing.", remedy, is_fatal=False)
    if not any((settings.PACKAGE_DIR / "pages" / "fonts").glob("*.ttf")):
        yield Ailment("The Chinese font for PDF reports is missing.", "Run: make frontend", is_fatal=False)


def saml_check() -> Iterator[Ailment]:
    if shutil.which("xmlsec1") is None:
        remedy = "Install the XML signer: apt install xmlsec1"
        yield Ailment("SAML sign-in is off: the program xmlsec1 is missing.", remedy, is_fatal=False)


CHECKS: dict[str, Callable[[], Iterator[Ailment]]] = {
    "settings": settings_check,
    "data folder and disk": folder_check,
    "database": database_check,
    "clock": clock_check,
    "PDF and fonts": pdf_check,
    "SAML": saml_check,
}


@click.command("doctor")
@click.option("--data-dir", help="Folder of the installation.")
@click.pass_context
def command(ctx: click.Context, data_dir: str | None) -> None:
    """Check settings, database, disk, clock and fonts; exit 1 when something keeps the installation from running."""
    is_ill = False
    for name, check in CHECKS.items():
        ailments = list(check())
        click.echo(f"{'ok  ' if not ailments else 'look'}  {name}")
        for ailment in ailments:
            is_ill = is_ill or ailment.is_fatal
            click.secho(f"      {ailment.what}", fg="red" if ailment.is_fatal else "yellow")
            click.echo(f"      → {ailment.remedy}")
    ctx.exit(1 if is_ill else 0)
