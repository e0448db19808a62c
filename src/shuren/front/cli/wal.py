"""`shuren wal`: what PostgreSQL calls to keep its log, and to read it again."""

from importlib import import_module
from pathlib import Path

import click
from django.conf import settings

# Named, as commands are: the face of backups loads the models, and with them all apps.
_WAL = "shuren.backups.services.wal"


@click.group("wal")
def command() -> None:
    """Segments of PostgreSQL's log, sealed in the places of SHUREN_BACKUP_TARGETS. Needs no database."""
    # Translations would load all apps.
    settings.USE_I18N = False


@command.command("push")
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("name")
@click.option("--data-dir", help="Folder of the installation.")
def push(path: Path, name: str, data_dir: str | None) -> None:
    """Keep the segment at PATH under NAME: archive_command = 'shuren wal push %p %f'."""
    import_module(_WAL).push_segment(path, name)


@command.command("fetch")
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--data-dir", help="Folder of the installation.")
def fetch(name: str, path: Path, data_dir: str | None) -> None:
    """Bring the segment NAME back to PATH: restore_command = 'shuren wal fetch %f %p'."""
    import_module(_WAL).fetch_segment(name, path)
