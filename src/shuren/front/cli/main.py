"""Entry point of the `shuren` command.

Subcommands are named here and imported when they are called, after the data folder is known and Django is set up;
`shuren --help` therefore answers at once.
"""

import errno
import os
import sys
from importlib import import_module

import click
import django
from django.core.exceptions import ImproperlyConfigured
from django.db.utils import DatabaseError

from shuren.kernel.errors import ShurenError

COMMANDS = {
    "demo": "build the demonstration region on real data and serve it",
    "init": "create the database, load the registries, make the first administrator",
    "serve": "serve the web pages and work the jobs",
    "worker": "work the jobs only, beside a serve or on another machine",
    "province": "write a synthetic province as import files",
    "roster": "import and export rosters",
    "results": "import the results of a test",
    "evaluate": "measure a test and build its five-level reports",
    "packs": "check, list, install and compare packs of registers, forms and flows",
    "backup": "make, list, check, hold and prune backups; base backups of PostgreSQL",
    "restore": "bring an installation back from a backup",
    "drill": "restore the newest backup in a scratch place and prove it",
    "wal": "keep and fetch segments of PostgreSQL's log, for its own settings to call",
    "keys": "list, make and turn over keys, and the secret that seals",
    "client": "make and stop keys of programs that send and read learning records",
    "reindex": "index and count all orgs and people anew",
    "draw": "run a published draw again, believing nobody",
    "verify": "check proofs and logs of evidence without believing anybody",
    "doctor": "check this installation and say how to mend what is wrong",
}
EXIT_REFUSED = 1
# What an operator can mend, and no traceback helps to.
_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES}
# Called once for every 16 MiB that a database writes: loading the apps would take longer than the work.
WITHOUT_APPS = {"wal"}


class LazyGroup(click.Group):
    """A group that knows the names of its commands before importing any of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in WITHOUT_APPS:
            django.setup()
        command = import_module(f"shuren.front.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="shuren")
@click.option("--data-dir", envvar="SHUREN_DATA_DIR", show_default="var", help="Folder of the installation.")
def cli(data_dir: str | None) -> None:
    """树人 Shuren: software that runs a region's "Internet + Education" platform.

    Every command takes its settings from SHUREN_… environment variables; see docs/settings.md.
    Exit codes: 0 done, 1 refused or failed with a message, 2 wrong usage.
    """


def data_dir_in(arguments: list[str]) -> str | None:
    """The value of `--data-dir`, wherever it stands on the command line: it must be known before Django is."""
    for position, word in enumerate(arguments):
        if word == "--data-dir" and position + 1 < len(arguments):
            return arguments[position + 1]
        if word.startswith("--data-dir="):
            return word.partition("=")[2]
    return None


def main() -> None:
    """Run the command line and turn expected failures into one line and exit code 1."""
    folder = data_dir_in(sys.argv[1:])
    if folder:
        os.environ["SHUREN_DATA_DIR"] = folder
    elif "demo" in sys.argv[1:2]:
        os.environ.setdefault("SHUREN_DATA_DIR", "demo-data")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
    try:
        cli(prog_name="shuren")
    except ShurenError as error:
        click.secho(str(error), fg="red", err=True)
        sys.exit(EXIT_REFUSED)
    except OSError as error:
        if error.errno not in _DISK:
            raise
        click.secho(str(error), fg="red", err=True)
        sys.exit(EXIT_REFUSED)
    except (DatabaseError, ImproperlyConfigured) as error:
        click.secho(f"{error}\nRun `shuren doctor` to see what is wrong.", fg="red", err=True)
        sys.exit(EXIT_REFUSED)
