"""An installation of its own: a data folder, a database, and the processes that work on them."""

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.house.source import ROOT

# The leg of the suite chooses the database, as for every other test: empty means SQLite inside the data folder.
SERVER = os.environ.get("SHUREN_DATABASE_URL", "")


def wait_until(condition: Callable[[], object], *, patience: float, pause: float = 0.05) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def database_url(name: str) -> str:
    return urlunsplit(urlsplit(SERVER)._replace(path=f"/{name}"))


def program_words(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "tests.faults.program", name, *map(str, arguments)]


def on_server(statement: str) -> None:
    with psycopg.connect(database_url("postgres"), autocommit=True) as server:
        server.execute(statement)


class Installation:
    """A folder and, on PostgreSQL, a database; worked through the command line, read from outside in plain SQL."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.folder = folder
        self.database = database
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("SHUREN_", "DJANGO_"))}
        self.environment = environment | {
            "DJANGO_SETTINGS_MODULE": "shuren.conf.settings",
            "SHUREN_DATA_DIR": str(folder),
            "SHUREN_DATABASE_URL": database_url(database) if database else "",
        }

    def words(self, *arguments: object) -> list[str]:
        return [sys.executable, "-m", "shuren.front.cli", *map(str, arguments)]

    def start(self, *arguments: object) -> subprocess.Popen[bytes]:
        """Start a command; what it says goes to a file in the data folder."""
        self.folder.mkdir(exist_ok=True)
        with self.log_of(arguments[0]).open("ab") as log:
            return subprocess.Popen(self.words(*arguments), cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def log_of(self, command: object) -> Path:
        return self.folder / f"{command}.log"

    def run(self, *arguments: object) -> str:
        return self._answer(self.words(*arguments))

    def shell(self, code: str) -> None:
        self._answer([sys.executable, "-m", "django", "shell", "-v", "0", "-c", code])

    def program(self, name: str, *arguments: object) -> Any:
        """What a program of this folder prints, as JSON."""
        return json.loads(self._answer(program_words(name, *arguments)))

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Read, or write, as an operator would at the database's own prompt."""
        if self.database:
            with psycopg.connect(database_url(self.database), autocommit=True) as server:
                cursor = server.execute(statement)
                return cursor.fetchall() if cursor.description else []
        with closing(sqlite3.connect(self.folder / "shuren.sqlite3", timeout=60, isolation_level=None)) as file:
            return file.execute(statement).fetchall()

    def copy(self, folder: Path) -> "Installation":
        """The same installation once more; nobody may be at work in it meanwhile."""
        shutil.copytree(self.folder, folder)
        return Installation(folder, self.database and make_database(self.database))

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.database:
            on_server(f"DROP DATABASE {self.database} WITH (FORCE)")

    def _answer(self, words: list[str]) -> str:
        done = subprocess.run(words, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def make_database(template: str = "template0") -> str:
    name = f"shuren_faults_{secrets.token_hex(6)}"
    on_server(f"CREATE DATABASE {name} TEMPLATE {template}")
    return name


@contextmanager
def new_installation(folder: Path) -> Iterator[Installation]:
    """An empty installation, removed at the end."""
    made = Installation(folder, make_database() if SERVER else "")
    try:
        yield made
    finally:
        made.remove()
