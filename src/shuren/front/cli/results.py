"""`shuren results import`."""

from pathlib import Path

import click

from shuren.front.terminal.imports import run_import


@click.group("results")
def command() -> None:
    """Results of tests."""


@command.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--check-only", is_flag=True, help="Check and show the difference; write nothing.")
@click.option("--yes", is_flag=True, help="Apply without asking.")
@click.option("--errors", type=click.Path(path_type=Path, dir_okay=False), help="Write an error workbook here.")
def import_command(file: Path, data_dir: str | None, check_only: bool, yes: bool, errors: Path | None) -> None:
    """Import a results package (zip of CSV files, or an Excel workbook). All of it is applied, or nothing."""
    run_import("results", file, options={}, errors=errors, check_only=check_only, ask=not yes)
