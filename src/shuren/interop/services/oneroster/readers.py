"""Who reads the service, and how far they reach."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shuren.directory import api as directory
from shuren.directory.data import DisclosedPerson, Permission
from shuren.interop.data import AppData
from shuren.interop.selectors.people import wished_of_people
from shuren.kernel import ids
from shuren.kernel.data import Actor

Told = dict[str, object]
_PLACES = {
    "academicSession": "academicSessions",
    "class": "classes",
    "course": "courses",
    "org": "orgs",
    "user": "users",
}
_KINDS = {"academicSession": "session", "class": "org", "course": "course", "org": "org", "user": "person"}


@dataclass(frozen=True, slots=True)
class Reader:
    """A client with its token: `root` is the address of all services, `paths` are the branches it reaches.

    `recipient` is empty for the house's own systems; `app` is the app of the register behind the client, if there is one.
    """

    actor: Actor
    client_id: str
    recipient: str
    purpose: str
    root: str
    paths: tuple[str, ...]
    now: datetime
    app: AppData | None = None

    def covers(self, path: str) -> bool:
        return any(path.startswith(branch) for branch in self.paths)


def reader_paths(actor: Actor, *, now: datetime) -> tuple[str, ...]:
    """The branches in which the actor may see both orgs and people."""
    orgs = directory.scope_of(actor=actor, permission=Permission.VIEW_ORGS, now=now)
    people = directory.scope_of(actor=actor, permission=Permission.VIEW_PEOPLE, now=now)
    inner = [path for path in orgs.paths if people.covers(path)]
    return tuple(sorted({*inner, *(path for path in people.paths if orgs.covers(path))}))


def ref(reader: Reader, kind: str, row_id: int) -> Told:
    return named_ref(reader, kind, ids.encode(_KINDS[kind], row_id))


def named_ref(reader: Reader, kind: str, sourced_id: str, *, place: str = "", service: str = "rostering") -> Told:
    where = place or _PLACES[kind]
    return {"href": f"{reader.root}/{service}/v1p2/{where}/{sourced_id}", "sourcedId": sourced_id, "type": kind}


def moment_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def told_people(
    reader: Reader,
    person_ids: Sequence[int],
    elements: Collection[str],
    *,
    brought: Mapping[str, Mapping[int, str]] | None = None,
) -> dict[int, DisclosedPerson]:
    """What the client is told of people; a line is kept for everybody told of. `brought` are values of elements kept elsewhere.

    An app of the register is told nothing but what the version agreed to where they are asks for.
    """
    asked = dict.fromkeys(person_ids, frozenset(elements) - ({"person.number"} if reader.recipient else set()))
    if reader.app is not None and not reader.app.is_sandbox:
        wished = wished_of_people(reader.app, person_ids, now=reader.now)
        asked = {pk: wanted & wished[pk] for pk, wanted in asked.items()}
    alike: dict[frozenset[str], list[int]] = {}
    for pk, wanted in asked.items():
        alike.setdefault(wanted, []).append(pk)
    told: dict[int, DisclosedPerson] = {}
    for wanted, group in alike.items():
        told |= directory.disclosed_people(
            person_ids=group,
            elements=sorted(wanted),
            purpose=reader.purpose,
            recipient=reader.recipient,
            now=reader.now,
            actor=reader.actor,
            brought=brought,
        )
    return told
