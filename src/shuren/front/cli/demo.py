"""`shuren demo`: the demonstration region, built and served."""

import shutil
import time
from pathlib import Path

import click
from django.conf import settings
from django.db import connection

from shuren.evaluation.data import TruthRow
from shuren.front.cli.init import prepare
from shuren.front.cli.serve import serve
from shuren.front.demo import build
from shuren.front.demo.accounts import DemoAccount
from shuren.front.terminal.tables import table
from shuren.kernel.errors import Invalid

# What a build may leave behind in its folder; keys stay, so that links and sealed values outlive a fresh build.
BUILT = ("shuren.sqlite3", "shuren.sqlite3-wal", "shuren.sqlite3-shm", "lake", "imports", "demo", "demo.json")


def clear() -> None:
    """Forget an earlier, perhaps unfinished, build in the data folder."""
    if settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        raise Invalid("A demonstration on PostgreSQL needs an empty database.", remedy="Create one and set SHUREN_DATABASE_URL.")
    connection.close()
    for name in BUILT:
        path = Path(settings.DATA_DIR) / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def show_truth(rows: list[TruthRow]) -> bool:
    """Print the truth check; True when every row holds."""
    click.secho("\nTruth check (TIMSS 2011, Austria, grade 4)", bold=True)
    cells = [[row.what, row.published, row.found, row.bar, "holds" if row.passed else "FAILS"] for row in rows]
    click.echo(table(["what", "published", "found", "bar", ""], cells))
    return bool(rows) and all(row.passed for row in rows)


def show_accounts(accounts: list[DemoAccount]) -> None:
    click.secho("\nAccounts", bold=True)
    cells = [[row.role.replace("_", " "), row.username, row.password, row.name, row.place] for row in accounts]
    click.echo(table(["role", "account", "password", "name", "place"], cells))


@click.command("demo")
@click.option("--data-dir", default="demo-data", show_default=True, help="Folder of the demonstration.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--serve/--no-serve", "is_served", default=True, help="Serve it when it is built.")
@click.option("--fresh", is_flag=True, help="Build again from nothing.")
@click.pass_context
def command(ctx: click.Context, data_dir: str, host: str, port: int, is_served: bool, fresh: bool) -> None:
    """Build the demonstration region on real data, check it against what was published, print accounts, serve it.

    The responses are real (TIMSS 2011, Austria, grade 4; SOURCE: TIMSS 2011 Assessment, IEA); schools and names are
    invented. A region that is already built is served as it stands.
    """
    begun = time.monotonic()
    if fresh or not build.is_built():
        clear()
        prepare()
        build.build(lambda step: click.secho(f"— {step}", fg="cyan"))
        click.echo(f"Built in {time.monotonic() - begun:.0f} s.")
    else:
        prepare()
    is_true = show_truth(build.kept_truth())
    show_accounts(build.kept_accounts())
    if not is_true:
        ctx.exit(1)
    if is_served:
        click.secho(f"\nhttp://{host}:{port}/  (Ctrl-C stops)", bold=True)
        serve(host, port)
