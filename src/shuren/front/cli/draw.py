"""`shuren draw`: run a published draw again, off-line and believing nobody."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from shuren.casework import api as casework
from shuren.trust import api as trust

_MEANINGS = {
    "protocol": "the file follows a protocol known here",
    "pools": "the pools are those of the statement, in their order",
    "pools_sm3": "their SM3 digest too",
    "conflicts": "the conflicts follow from the rules",
    "statement": "the statement is what its digest says",
    "parties": "the contributor is not the operator",
    "times": "the contribution came after the commitment and in time",
    "commitment": "the secret is the one that was committed to",
    "seed": "the seed is made of secret, contribution and pools",
    "result": "drawing again gives the same result",
    "record": "statement and contribution stand in the evidence log",
}
_SIGNS = {True: ("ok   ", "green"), False: ("bad  ", "red"), None: ("open ", "yellow")}


@click.group("draw")
def command() -> None:
    """Draws: double-random inspections and lotteries. Needs no database."""


@command.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key", "keys", multiple=True, help="A key of the evidence log that you trust, or a file of them; may be repeated."
)
@click.pass_context
def verify(ctx: click.Context, file: Path, keys: tuple[str, ...]) -> None:
    """Run the draw in FILE (the published JSON) again and tell every step. Exit 1 when one does not hold."""
    try:
        bundle = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        click.secho(f"bad   {file}: {error}", fg="red")
        ctx.exit(1)
    steps = [(step.name, step.is_good, step.detail) for step in casework.verify_draw(bundle)]
    if keys and isinstance(bundle, dict):
        steps += _on_record(bundle, _lines(keys))
    elif isinstance(bundle, dict):
        steps.append(("record", None, "give --key to check the proofs of the evidence log"))
    for name, is_good, detail in steps:
        sign, colour = _SIGNS[is_good]
        click.echo(f"{click.style(sign, fg=colour)} {_MEANINGS[name]}{f': {detail}' if detail else ''}")
    ctx.exit(1 if any(is_good is False for _name, is_good, _detail in steps) else 0)


def _on_record(bundle: Mapping[str, Any], keys: list[str]) -> list[tuple[str, bool | None, str]]:
    """The proofs that came along: each must hold, and be about the digest that the draw has."""
    try:
        digests = casework.digests_on_record(bundle)
        proofs = dict(bundle["proofs"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return [("record", False, "the file has no readable proofs")]
    found: list[tuple[str, bool | None, str]] = []
    since = None
    for name, digest in digests.items():
        if name not in proofs:
            found.append(("record", None, f"{name}: no proof came along; download the file again in a minute"))
            continue
        try:
            proof = trust.read_proof(proofs[name])
            fault = trust.verify_proof(proof, log_keys=keys, witness_keys=[]).fault
        except (TypeError, ValueError) as error:
            found.append(("record", False, f"{name}: {error}"))
            continue
        if not fault and proof.digest.hex() != digest:
            fault = "the proof is about something else"
        if not fault and since is not None and proof.at < since:
            fault = "it was put on record before the statement"
        since = proof.at
        found.append(("record", not fault, f"{name}: {fault or f'since {proof.at.isoformat()}'}"))
    return found


def _lines(values: tuple[str, ...]) -> list[str]:
    texts = [Path(value).read_text(encoding="utf-8") if "+" not in value else value for value in values]
    return [line.strip() for text in texts for line in text.splitlines() if line.strip()]
