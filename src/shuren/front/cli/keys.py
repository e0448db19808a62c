"""`shuren keys`: what keys there are, new ones, and new versions of old ones."""

from collections.abc import Iterator

import click

from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm, KeyStore, PublicKey

SEAL = "seal"


@click.group("keys")
def command() -> None:
    """List, make and turn over keys. The name `seal` stands for the secret that national ids are sealed with."""


@command.command("list")
@click.option("--data-dir", help="Folder of the installation.")
def list_command(data_dir: str | None) -> None:
    """Print every active key: name, version, algorithm, where its private part lies, when it was made."""
    versions = ", ".join(str(version) for version in trust.seal_versions())
    click.echo(f"{SEAL}  versions at hand: {versions} (the last one seals)")
    for key in _active_keys():
        click.echo(f"{key.name}  v{key.version}  {key.algorithm}  {key.store}  {key.created_at:%Y-%m-%d}  {key.key_id}")


@command.command("make")
@click.argument("name")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--algorithm", type=click.Choice([kind.value for kind in KeyAlgorithm]), required=True)
@click.option("--store", type=click.Choice([kind.value for kind in KeyStore]), default=KeyStore.SEALED.value, show_default=True)
@click.option("--reference", default="", help="Path of the file, name of the variable, or label of the token's object.")
def make_command(name: str, data_dir: str | None, algorithm: str, store: str, reference: str) -> None:
    """Make a key, or take up one that lies in a variable or a token."""
    key = trust.make_key(
        name=name,
        algorithm=KeyAlgorithm(algorithm),
        store=KeyStore(store),
        reference=reference,
        actor=SYSTEM,
        now=clock.now(),
    )
    click.echo(f"{key.name}  v{key.version}  {key.key_id}\n{key.pem}", nl=False)


@command.command("rotate")
@click.argument("name")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--reference", default="", help="Where the next version lies, for a key outside the table.")
def rotate_command(name: str, data_dir: str | None, reference: str) -> None:
    """Make the next version of a key; of `seal` too, whose old values are then sealed again by the worker."""
    if name == SEAL:
        version = trust.rotate_seal_key(actor=SYSTEM, now=clock.now())
        click.echo(f"{SEAL}  v{version}: new values use it; the worker seals the others again. Back up keys/ now.")
        return
    key = trust.rotate_key(name=name, reference=reference, actor=SYSTEM, now=clock.now())
    click.echo(f"{key.name}  v{key.version}  {key.key_id}")


@command.command("revoke")
@click.argument("name")
@click.argument("version", type=click.IntRange(min=1))
@click.option("--data-dir", help="Folder of the installation.")
def revoke_command(name: str, version: int, data_dir: str | None) -> None:
    """Believe a version of a key no more, for good; where it was the active one, rotate the key to sign again.

    Keys of apps are named app.a<number of the app>.<key>.
    """
    trust.revoke_key(name=name, version=version, actor=SYSTEM, now=clock.now())
    click.echo(f"{name}  v{version}  revoked")


@command.command("wrap")
@click.option("--data-dir", help="Folder of the installation.")
def wrap_command(data_dir: str | None) -> None:
    """Wrap the secrets for sealing that lie in plain files by SHUREN_KEY_PASSPHRASE; every process needs it from then on."""
    names = trust.wrap_seal_keys(actor=SYSTEM, now=clock.now())
    click.echo(f"wrapped: {', '.join(names)}. Back up keys/ now." if names else "all are wrapped already")


def _active_keys() -> Iterator[PublicKey]:
    after = ""
    while names := trust.names_under("", limit=500, after=after):
        yield from (trust.public_key_of(name) for name in names)
        after = names[-1]
