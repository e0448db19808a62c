"""`shuren init`: make the database ready."""

import click
from django.conf import settings
from django.core.management import call_command

from shuren.standards import api as standards


def prepare() -> None:
    """Create or upgrade the tables and load the registries; safe to run again at any time."""
    for folder in ("", "lake", "imports", "keys"):
        (settings.DATA_DIR / folder).mkdir(parents=True, exist_ok=True)
    call_command("migrate", interactive=False, verbosity=0)
    standards.load_registry()


@click.command("init")
@click.option("--data-dir", help="Folder of the installation.")
def command(data_dir: str | None) -> None:
    """Create or upgrade the database and load the registries. Running it again changes nothing."""
    prepare()
    click.echo(f"Ready: {settings.DATABASES['default']['NAME']}")
