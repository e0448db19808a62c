"""Reads of agents."""

from collections.abc import Mapping
from typing import Any

from shuren.directory import api as directory
from shuren.kernel import ids
from shuren.kernel.errors import NotFound

_IDENTIFIERS = ("name", "mbox", "mbox_sha1sum", "openid", "account")


def person_object(agent: Mapping[str, Any]) -> dict[str, Any]:
    """The Person of an agent: every identifier in a list (1.0.3 Communication 2.4).

    Different identifiers are never joined to one person by guess: nobody told this service that they are one.
    """
    return {"objectType": "Person"} | {name: [agent[name]] for name in _IDENTIFIERS if name in agent}


def person_behind(agent: Mapping[str, Any], *, issuer: str) -> int | None:
    """The person of this installation whom an agent's account names by its public id; None for everybody else."""
    account = agent.get("account")
    if not isinstance(account, Mapping) or account.get("homePage") != issuer:
        return None
    try:
        person_id = ids.decode("person", str(account.get("name")))
    except NotFound:
        return None
    return person_id if person_id in directory.people_by_ids([person_id]) else None
