"""`shuren drill`: proof that the backups can be restored."""

import click

from shuren.backups import api as backups
from shuren.backups.data import RunState
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM


@click.command("drill")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--id", "manifest", default="", help="The backup; the newest when left out.")
@click.pass_context
def command(ctx: click.Context, data_dir: str | None, manifest: str) -> None:
    """Restore a backup into a scratch place, prove it, sign the report, remove it. Exit 1 when the proof fails."""
    run = backups.drill(actor=SYSTEM, now=clock.now(), manifest=manifest)
    for name, value in run.report.items():
        click.echo(f"{name}: {value}")
    click.secho("proved" if run.state is RunState.DONE else "NOT proved", fg="green" if run.state is RunState.DONE else "red")
    ctx.exit(0 if run.state is RunState.DONE else 1)
