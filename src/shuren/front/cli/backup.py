"""`shuren backup`: backups made, listed, checked, held and forgotten."""

import json
import os
from datetime import datetime
from pathlib import Path

import click

from shuren.backups import api as backups
from shuren.backups.data import RunData, RunState
from shuren.front.cli import proving
from shuren.front.terminal.tables import table
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

data_dir_option = click.option("--data-dir", help="Folder of the installation.")
to_option = click.option(
    "--to", "targets", multiple=True, help="A place instead of those of SHUREN_BACKUP_TARGETS; may be repeated."
)
_MIB = 2**20


@click.group("backup", invoke_without_command=True)
@data_dir_option
@to_option
@click.option(
    "--keys-passphrase-file", type=click.Path(exists=True, path_type=Path), help="Also the keys, sealed by what it says."
)
@click.option("--reads-all", is_flag=True, help="Read every file again, also those of the same size and time as before.")
@click.pass_context
def command(
    ctx: click.Context, data_dir: str | None, targets: tuple[str, ...], keys_passphrase_file: Path | None, reads_all: bool
) -> None:
    """Make a backup now: database, files and lake, encrypted, into every place. Exit 1 when a place failed."""
    if ctx.invoked_subcommand is not None:
        return
    wish = backups.Wish(targets=targets, keys_passphrase=passphrase_in(keys_passphrase_file), reads_all=reads_all)
    run = backups.back_up(actor=SYSTEM, now=clock.now(), wish=wish)
    _print_run(run)
    ctx.exit(0 if run.state is RunState.DONE else 1)


@command.command("list")
@data_dir_option
@to_option
def list_command(data_dir: str | None, targets: tuple[str, ...]) -> None:
    """Print every backup, newest first."""
    rows = [
        [
            one.id,
            one.kind.value,
            one.vendor,
            f"{one.bytes / _MIB:.1f} MiB",
            str(one.files),
            str(one.rows),
            ", ".join(one.targets),
            one.held_for,
        ]
        for one in backups.backups(targets=targets)
    ]
    click.echo(table(["backup", "kind", "database", "size", "files", "rows", "places", "held for"], rows))


@command.command("check")
@data_dir_option
@to_option
@click.pass_context
def check_command(ctx: click.Context, data_dir: str | None, targets: tuple[str, ...]) -> None:
    """Read and verify every chunk in every place; exit 1 and name those that are damaged or missing."""
    faults = backups.check_backups(targets=targets)
    for fault in faults:
        click.secho(f"bad   {fault}", fg="red")
    click.echo("ok    every chunk is there and whole" if not faults else f"{len(faults)} chunks are damaged or missing")
    ctx.exit(1 if faults else 0)


@command.command("prune")
@data_dir_option
@to_option
def prune_command(data_dir: str | None, targets: tuple[str, ...]) -> None:
    """Remove backups that neither SHUREN_BACKUP_KEEP nor a hold keeps, and chunks that no backup names."""
    run = backups.prune(actor=SYSTEM, now=clock.now(), targets=targets)
    click.echo(f"{run.files} backups and {run.report['chunks']} chunks removed")


@command.command("hold")
@click.argument("backup")
@click.option("--reason", required=True, help="Why it must stay.")
@data_dir_option
def hold_command(backup: str, reason: str, data_dir: str | None) -> None:
    """Keep a backup until it is released."""
    backups.hold_backup(manifest=backup, reason=reason, actor=SYSTEM, now=clock.now())
    click.echo(f"{backup} is held")


@command.command("release")
@click.argument("backup")
@data_dir_option
def release_command(backup: str, data_dir: str | None) -> None:
    """Let the policy decide about a held backup again."""
    backups.release_backup(manifest=backup, actor=SYSTEM, now=clock.now())
    click.echo(f"{backup} is released")


@command.command("prove")
@click.argument("backup")
@click.option("--migrated", is_flag=True, help="Migrations ran after the restore.")
@data_dir_option
def prove_command(backup: str, migrated: bool, data_dir: str | None) -> None:
    """Hold this freshly restored, unused installation against its backup, and use it once; prints JSON. Drills call it."""
    proof = backups.proof_of(backups.read_manifest(backup), is_migrated=migrated)
    click.echo(json.dumps(proving.tried(proof, now=clock.now()), ensure_ascii=False))


@command.command("base")
@click.option("--address", help="postgresql://… with REPLICATION; SHUREN_DATABASE_URL when left out.")
@data_dir_option
@click.pass_context
def base_command(ctx: click.Context, address: str | None, data_dir: str | None) -> None:
    """Take a base backup of the whole PostgreSQL server, from which its log is replayed to a moment."""
    run = backups.make_base(address=address or os.environ.get("SHUREN_DATABASE_URL", ""), actor=SYSTEM, now=clock.now())
    _print_run(run)
    ctx.exit(0 if run.state is RunState.DONE else 1)


@command.command("base-restore")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="An empty folder for the server's data.")
@click.option("--at", type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"]), help="Local time.")
@data_dir_option
def base_restore_command(folder: Path, at: datetime | None, data_dir: str | None) -> None:
    """Unpack the newest base backup before a moment; started, the server replays its log up to it."""
    manifest = backups.restore_base(folder=folder, asked=backups.Asked(at=at.astimezone() if at else None))
    click.echo(f"{manifest.id} unpacked into {folder}; start the server with it")


def passphrase_in(path: Path | None) -> str:
    return path.read_text(encoding="utf-8").strip() if path else ""


def _print_run(run: RunData) -> None:
    seconds = run.seconds or 0
    rate = run.bytes / _MIB / seconds if seconds else 0
    click.echo(
        f"{run.manifest}  {run.state.value}: {run.bytes / _MIB:.1f} MiB in {run.files} files and {run.rows} rows, "
        f"{run.stored / _MIB:.1f} MiB new, {seconds:.1f} s ({rate:.0f} MiB/s) → {', '.join(run.targets)}"
    )
    for problem in run.problems:
        click.secho(problem, fg="yellow", err=True)
