"""The import wizard on the command line: check, show the difference, ask, apply."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import click

from shuren.intake import api as intake
from shuren.intake.data import ImportState, ImportStatus
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid
from shuren.work import api as work
from shuren.work.data import JobState

SHOWN_FINDINGS = 20


def finish_job(job_id: int, label: str) -> JobState:
    """Work the job in this process, or watch a worker that took it first, and draw its progress."""
    with click.progressbar(length=1000, label=label, show_pos=False) as bar:

        def draw(state: JobState) -> None:
            bar.update(max(0, int(1000 * (state.share or 0)) - bar.pos))

        state = work.wait_for(job_id, on_progress=draw)
        bar.update(1000 - bar.pos)
    if state.error:
        raise Invalid(state.error)
    return state


def show_findings(state: ImportState, errors: Path | None) -> None:
    page = intake.findings(state.id, number=1, size=SHOWN_FINDINGS)
    for finding in page.rows:
        place = " ".join(str(part) for part in (finding.file, finding.sheet, finding.row, finding.column) if part)
        click.secho(f"{place}: {finding.reason} {finding.remedy}", fg="red" if finding.is_error else "yellow", err=True)
    if page.total > len(page.rows):
        click.echo(f"… {page.total - len(page.rows)} more", err=True)
    if errors and page.total:
        shutil.copyfile(intake.error_workbook(state.id), errors)
        click.echo(f"All findings: {errors}", err=True)


def run_import(
    kind: str,
    file: Path,
    *,
    options: Mapping[str, object],
    errors: Path | None = None,
    check_only: bool = False,
    ask: bool = True,
) -> ImportState:
    """Take `file` through check and apply as the installation itself; raises `Invalid` when the check refuses it."""
    import_id = intake.start_import(
        actor=SYSTEM, kind=kind, file_name=file.name, content=file, options=dict(options), now=clock.now()
    )
    finish_job(intake.import_state(import_id).job_id or 0, "check")
    state = intake.import_state(import_id)
    show_findings(state, errors)
    if state.status is not ImportStatus.READY:
        raise Invalid(f"{file.name}: {state.error or 'refused, nothing was written.'}")
    click.echo("  ".join(f"{name}: {count}" for name, count in state.difference.items() if isinstance(count, int | str)))
    if state.counts.get("quarantined"):
        click.echo(f"rows for quarantine: {state.counts['quarantined']}")
    if check_only:
        return state
    if ask:
        click.confirm("Apply?", abort=True)
    intake.request_apply(actor=SYSTEM, import_id=import_id, now=clock.now())
    finish_job(intake.import_state(import_id).job_id or 0, "apply")
    return intake.import_state(import_id)
