"""`shuren roster import` and `shuren roster export`."""

from datetime import datetime
from pathlib import Path

import click
from django.utils.timezone import make_aware

from shuren.directory import api as directory
from shuren.directory.data import RosterForm
from shuren.front.terminal.imports import run_import
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound


@click.group("roster")
def command() -> None:
    """Import and export rosters: orgs, people, classes and who belongs where."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--check-only", is_flag=True, help="Check and show the difference; write nothing.")
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--errors", type=click.Path(path_type=Path, dir_okay=False), help="Write an error workbook here.")
@click.option(
    "--quarantine", is_flag=True, help="Take the good rows and keep the others, and what refers to them, in quarantine."
)
def import_command(file: Path, data_dir: str | None, check_only: bool, yes: bool, errors: Path | None, quarantine: bool) -> None:
    """Import a OneRoster 1.2 zip or an Excel workbook. All of it is applied, or nothing, unless told to quarantine bad rows."""
    run_import(
        "roster", file, options={"quarantine": True} if quarantine else {}, errors=errors, check_only=check_only, ask=not yes
    )


@command.command("export")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--org", help="Sourced id of the branch; the whole region when left out.")
@click.option("--form", type=click.Choice(["oneroster", "excel"]), default="oneroster", show_default=True)
@click.option("--notice", help="Number of a notice (the last part of its address): a file for the recipient it names.")
@click.option("--since", type=click.DateTime(), help="Only what changed from this moment on (OneRoster delta).")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def export_command(
    data_dir: str | None, org: str | None, form: str, notice: str | None, since: datetime | None, out: Path
) -> None:
    """Export a branch in a form that can be imported again, or for a recipient without those who refused."""
    branch = directory.org_ids_by_sourced([org]).get(org) if org else getattr(directory.root_org(), "id", None)
    if branch is None:
        raise NotFound(f"There is no org {org}." if org else "There is no org yet.")
    notice_id = ids.decode("consent_text", notice) if notice else None
    wanted = RosterForm(form)
    directory.export_roster(
        actor=SYSTEM,
        org_id=branch,
        path=out,
        form=wanted,
        notice_id=notice_id,
        since=make_aware(since) if since else None,
        now=clock.now(),
    )
    click.echo(f"{out}  {out.stat().st_size / 1e6:.1f} MB")
