"""`shuren verify`: proofs, whole logs and this installation's own records, checked without believing anybody."""

import gzip
import zlib
from pathlib import Path

import click

from shuren.trust import api as trust
from shuren.trust.data import Business

KEY_HELP = "A key of the log that you trust, or a file of them, one a line; may be repeated."


@click.group("verify")
def command() -> None:
    """Check proofs and logs off-line; only `fetch` and `records` ask the database. Exit 1 when something does not hold."""


@command.command("proof")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "keys", multiple=True, required=True, help=KEY_HELP)
@click.option("--witness-key", "witness_keys", multiple=True, help="A witness's key, or a file of them; may be repeated.")
@click.option("--witnesses", "needed", default=0, show_default=True, help="How many of them must have cosigned.")
@click.pass_context
def proof(ctx: click.Context, files: tuple[Path, ...], keys: tuple[str, ...], witness_keys: tuple[str, ...], needed: int) -> None:
    """Check proof files (JSON)."""
    is_bad = False
    for path in files:
        try:
            found = trust.read_proof(path.read_text(encoding="utf-8"))
            verdict = trust.verify_proof(found, log_keys=_lines(keys), witness_keys=_lines(witness_keys))
            fault = verdict.fault
        except ValueError as error:
            fault = str(error)
        else:
            if not fault and len(verdict.witnesses) < needed:
                fault = f"only {len(verdict.witnesses)} witnesses cosigned"
        if fault:
            is_bad = True
            click.secho(f"bad   {path}: {fault}", fg="red")
            continue
        click.echo(f"ok    {path}: {found.business.value} {found.subject}, on record since {found.at.isoformat()}")
        for name, at in verdict.witnesses:
            click.echo(f"      cosigned by {name} at {at.isoformat()}")
    ctx.exit(1 if is_bad else 0)


@command.command("log")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--checkpoint", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A signed head.")
@click.option("--key", "keys", multiple=True, required=True, help=KEY_HELP)
@click.pass_context
def log(ctx: click.Context, folder: Path, checkpoint: Path, keys: tuple[str, ...]) -> None:
    """Read every tile of a log below FOLDER again, up to a signed head: its own, or one that a witness or anybody else kept."""
    note = checkpoint.read_text(encoding="utf-8")
    _tell(ctx, trust.faults_of_folder(folder, note, _lines(keys), on_progress=_progress), "the log holds")


@command.command("archive")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "keys", multiple=True, required=True, help=KEY_HELP)
@click.option("--not-closed", "is_open", is_flag=True, help="Take files without a closing line, as earlier releases wrote them.")
@click.pass_context
def archive(ctx: click.Context, files: tuple[Path, ...], keys: tuple[str, ...], is_open: bool) -> None:
    """Check files of audit entries (.jsonl or .jsonl.gz); of several also that none between them is missing."""
    faults: list[str] = []
    closings: list[trust.Closing] = []
    for path in files:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as lines:
            found = trust.faults_of_archive(lines, log_keys=_lines(keys), is_closed=not is_open, on_closing=closings.append)
            try:
                faults += [f"{path}: {fault}" for fault in found]
            except (OSError, EOFError, zlib.error) as error:
                faults.append(f"{path}: {error}")
    _tell(ctx, [*faults, *trust.faults_of_line(closings)], "all entries are what was anchored")


@command.command("fetch")
@click.argument("subject")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--business", type=click.Choice([kind.value for kind in Business]), default=Business.AUDIT.value, show_default=True)
@click.pass_context
def fetch(ctx: click.Context, subject: str, data_dir: str | None, business: str) -> None:
    """Print the proof (JSON) of the newest entry about SUBJECT, such as consent:5, for somebody who will check it elsewhere."""
    found = trust.proof_of_subject(subject, business=Business(business))
    if found is None:
        click.secho(f"bad   nothing under a head says anything about {subject}", fg="red", err=True)
        ctx.exit(1)
    click.echo(trust.proof_as_json(found))


@command.command("records")
@click.option("--data-dir", help="Folder of the installation.")
@click.pass_context
def records(ctx: click.Context, data_dir: str | None) -> None:
    """Compare this installation's log, audit trail, archive and what apps put on record with what was signed."""
    faults = [*trust.faults_of_log(on_progress=_progress), *trust.faults_of_trail(), *trust.faults_of_records()]
    _tell(ctx, faults, "all records are what was signed")


def _lines(values: tuple[str, ...]) -> list[str]:
    texts = [Path(value).read_text(encoding="utf-8") if "+" not in value else value for value in values]
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]


def _progress(count: int) -> None:
    if count % (256 * 400) == 0:
        click.echo(f"      {count:,} entries", err=True)


def _tell(ctx: click.Context, faults: list[str], good: str) -> None:
    for fault in faults:
        click.secho(f"bad   {fault}", fg="red")
    if not faults:
        click.echo(f"ok    {good}")
    ctx.exit(1 if faults else 0)
