"""`shuren client`: keys and secrets for programs that send and read learning records by HTTP Basic."""

import click

from shuren.identity import api as identity
from shuren.identity.api import RECORD_SCOPES
from shuren.identity.data import GrantType, NewClient
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM


@click.group("client")
def command() -> None:
    """Make and stop clients of the learning record service; all others are registered on the pages."""


@command.command("add")
@click.argument("name")
@click.option("--data-dir", help="Folder of the installation.")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(RECORD_SCOPES),
    multiple=True,
    default=("all",),
    show_default=True,
    help="May be repeated.",
)
def add_command(name: str, data_dir: str | None, scopes: tuple[str, ...]) -> None:
    """Make a client and print its id and its secret, which is shown this once."""
    client = NewClient(name=name, grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}), scopes=frozenset(scopes))
    made = identity.register_client(actor=SYSTEM, client=client, now=clock.now())
    click.echo(f"id      {made.client_id}\nsecret  {made.client_secret}")


@command.command("stop")
@click.argument("client_id")
@click.option("--data-dir", help="Folder of the installation.")
def stop_command(client_id: str, data_dir: str | None) -> None:
    """Shut a client out, and end its tokens."""
    identity.disable_client(actor=SYSTEM, client_id=client_id, now=clock.now())
    click.echo(f"{client_id} is shut out.")
