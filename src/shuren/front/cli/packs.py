"""`shuren packs`: what the region's registers, forms and flows are made of."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from shuren.casework import api as casework
from shuren.casework.data import Finding, PackCounts
from shuren.front.terminal.tables import table
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid

EXIT_REFUSED = 1
data_dir_option = click.option("--data-dir", help="Folder of the installation.")
all_option = click.option("--all", "is_all", is_flag=True, help="Every pack on disk.")


@click.group("packs")
def command() -> None:
    """Packs of registers, forms and flows: those that are shipped, with the region's changes over them, and its own."""


@command.command("list")
@data_dir_option
def list_command(data_dir: str | None) -> None:
    """Print every pack on disk: version there, version installed, files of the region over it."""
    rows = [
        [
            pack.key,
            pack.title_zh,
            pack.version,
            pack.installed if pack.is_current else f"{pack.installed} (changed)" if pack.installed else "-",
            str(pack.definitions),
            pack.level,
            "shipped" if pack.is_shipped else "own",
            str(len(pack.overridden)),
        ]
        for pack in casework.list_packs()
    ]
    click.echo(table(["pack", "title", "version", "installed", "definitions", "built by", "from", "changed files"], rows))


@command.command("check")
@click.argument("names", nargs=-1)
@click.option("--warnings/--no-warnings", default=False, show_default=True, help="Also what is not wrong but could be better.")
@all_option
@data_dir_option
def check_command(names: Sequence[str], warnings: bool, is_all: bool, data_dir: str | None) -> None:
    """Check packs by key, or in a folder of your own, and say what is wrong, where, and how to mend it."""
    wrong = 0
    for name in _asked(names, is_all):
        folder = Path(name)
        findings = casework.check_pack(folder if folder.is_dir() and "/" in name else name)
        errors = [finding for finding in findings if finding.is_error]
        wrong += len(errors)
        _print(findings if warnings else errors)
        click.echo(f"{name}: {len(errors)} wrong, {len(findings) - len(errors)} could be better")
    if wrong:
        sys.exit(EXIT_REFUSED)


@command.command("install")
@click.argument("names", nargs=-1)
@all_option
@data_dir_option
def install_command(names: Sequence[str], is_all: bool, data_dir: str | None) -> None:
    """Put packs into force, each as a whole or not at all; again changes nothing, and the region's changes stay."""
    try:
        if is_all:
            counts, findings = casework.install_all(actor=SYSTEM, now=clock.now())
            _print_counts(counts)
            _print(findings)
            sys.exit(EXIT_REFUSED if findings else 0)
        for name in _asked(names, is_all):
            _print_counts([casework.install_pack(actor=SYSTEM, key=name, now=clock.now())])
    except casework.DefinitionRefused as refused:
        _print(refused.findings)
        sys.exit(EXIT_REFUSED)


@command.command("diff")
@click.argument("names", nargs=-1)
@all_option
@data_dir_option
def diff_command(names: Sequence[str], is_all: bool, data_dir: str | None) -> None:
    """Print what installing would change, and what the region changed in what is shipped."""
    for name in _asked(names, is_all):
        diff = casework.diff_pack(name)
        for heading, changes in (("to be installed", diff.to_install), ("changed by the region", diff.overridden)):
            for change in changes:
                click.echo(f"{name}  {heading}  {change.kind} {change.key}")
                for line in change.lines:
                    click.echo(f"    {line}")
        if not (diff.to_install or diff.overridden):
            click.echo(f"{name}: no difference")


def _asked(names: Sequence[str], is_all: bool) -> list[str]:
    if is_all:
        return [pack.key for pack in casework.list_packs()]
    if not names:
        raise Invalid("Name a pack, or say --all.", remedy="`shuren packs list` prints them.")
    return list(names)


def _print(findings: Sequence[Finding]) -> None:
    for finding in findings:
        click.secho(str(finding), fg="red" if finding.is_error else None, err=True)


def _print_counts(counts: Sequence[PackCounts]) -> None:
    for pack in counts:
        click.echo(
            f"{pack.key} {pack.version}: {pack.added} new, {pack.changed} changed, {pack.same} as before, {pack.retired} retired"
        )
