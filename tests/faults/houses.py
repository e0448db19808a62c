"""Installations that do everything in processes of their own, so that each can be struck; seen from outside meanwhile."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection

from shuren.backups.services.make_tables import make_tables
from tests.faults.installation import SERVER, Installation, make_database
from tests.faults.moments import Moment, Outcome, done


class House:
    """A data folder with keys of its own, and a database."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.folders = (str(installation.folder),)

    def enter(self) -> None:
        """From here on this process works in the house."""
        folder = self.installation.folder
        connection.settings_dict["NAME"] = self.installation.database or str(folder / "shuren.sqlite3")
        settings.DATA_DIR, settings.SHUREN_BACKUP_SCRATCH = folder, folder / "scratch"
        settings.SHUREN_EVIDENCE_DIR, settings.SHUREN_SEAL_KEY_FILE = folder / "evidence", folder / "keys" / "seal.key"

    def does(self, act: Callable[..., Any], *words: Any, moment: Moment | None = None) -> Outcome:
        def inside() -> Any:
            self.enter()
            return act(*words)

        return done(inside, moment=moment, folders=self.folders)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        return self.installation.rows(statement)

    def files(self) -> list[Path]:
        return [path for path in self.installation.folder.rglob("*") if path.is_file()]


def bare_house(folder: Path) -> House:
    """An empty folder, and a database without tables."""
    (folder / "keys").mkdir(parents=True)
    return House(Installation(folder, make_database() if SERVER else ""))


def empty_house(folder: Path) -> House:
    """With tables, to be copied."""
    made = bare_house(folder)
    made.does(make_tables_here)
    return made


def make_tables_here() -> None:
    make_tables(connection)
