"""`shuren restore`: an installation brought back."""

import json
from datetime import datetime
from pathlib import Path

import click

from shuren.backups import api as backups
from shuren.front.cli.backup import passphrase_in
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM


@click.command("restore")
@click.option("--data-dir", help="Folder of the installation; must be empty.")
@click.option("--from", "targets", multiple=True, help="A place instead of those of SHUREN_BACKUP_TARGETS; may be repeated.")
@click.option("--id", "manifest", default="", help="The backup; the newest when left out.")
@click.option(
    "--at", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"]), help="The newest up to then, local time."
)
@click.option(
    "--keys-passphrase-file", type=click.Path(exists=True, path_type=Path), help="Also the keys, opened by what it says."
)
@click.option("--json", "is_json", is_flag=True, help="Print the result as JSON.")
@click.option("--unrecorded", is_flag=True, help="Leave no entry in what is restored, as drills do.")
def command(
    data_dir: str | None,
    targets: tuple[str, ...],
    manifest: str,
    at: datetime | None,
    keys_passphrase_file: Path | None,
    is_json: bool,
    unrecorded: bool,
) -> None:
    """Restore into an empty data folder and an empty database; called again after an interruption, it goes on."""
    asked = backups.Asked(
        manifest=manifest,
        at=at.astimezone() if at else None,
        targets=targets,
        keys_passphrase=passphrase_in(keys_passphrase_file),
    )
    done = backups.restore(actor=SYSTEM, now=clock.now(), asked=asked, is_recorded=not unrecorded)
    if is_json:
        told = {"manifest": done.manifest, "at": done.at.isoformat(), "seconds": done.seconds, "bytes": done.bytes}
        click.echo(json.dumps(told | {"files": done.files, "rows": done.rows, "migrated": done.migrated}))
        return
    rate = done.bytes / 2**20 / done.seconds if done.seconds else 0
    click.echo(f"{done.manifest}: {done.files} files and {done.rows} rows back in {done.seconds:.1f} s ({rate:.0f} MiB/s)")
    if done.migrated:
        click.echo(f"{done.migrated} migrations applied that came after the backup")
    click.echo(f"keys: {', '.join(done.keys)}" if done.keys else "keys/ is not part of this: put back the copy that lies apart")
