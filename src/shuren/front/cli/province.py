"""`shuren province`: a synthetic province for trials at size."""

from pathlib import Path

import click

from shuren.directory import api as directory
from shuren.directory.data import RosterForm


@click.command("province")
@click.option("--data-dir", help="Folder of the installation.")
@click.option(
    "--people", type=click.IntRange(100, 10_000_000), default=100_000, show_default=True, help="Pupils, staff and guardians."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed writes the same bytes.")
@click.option("--form", type=click.Choice(["oneroster", "excel"]), default="oneroster", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def command(data_dir: str | None, people: int, seed: int, form: str, out: Path | None) -> None:
    """Write a synthetic province as an import file. Its people are marked synthetic; no id number of theirs is valid."""
    target = out or Path(f"province-{people}-{seed}.{'zip' if form == 'oneroster' else 'xlsx'}")
    with click.progressbar(length=people, label=str(target)) as bar:
        directory.write_province(target, people=people, seed=seed, form=RosterForm(form), on_progress=bar.update)
    click.echo(f"{target}  {target.stat().st_size / 1e6:.1f} MB")
