"""The published file of a draw, and running the draw again from it, believing nobody. The standard library is enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shuren.casework.rules.draws import PROTOCOL, DrawImpossible, canonical, commitment_of, outcome, seed_of, sha256

# In which order what is published is checked; the page and the command name each step.
STEPS = ("protocol", "pools", "pools_sm3", "conflicts", "statement", "parties", "times", "commitment", "seed", "result", "record")
_PARTS = frozenset({"protocol", "statement", "statement_digest", "pools", "contribution", "secret", "seed", "result"})

# Whether rule `when` bars this inspector from this object by their published facts; None where they do not say.
Judge = Callable[[str, Mapping[str, Any], Mapping[str, Any]], bool | None]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of checking. `is_good` None: it could not be checked from the file alone, which `detail` explains."""

    name: str
    is_good: bool | None
    detail: str = ""


def statement_of(
    *,
    title: str,
    org: str,
    org_name: str,
    rules: Mapping[str, Any],
    digests: Mapping[str, str],
    commitment: str,
    operator: Mapping[str, str],
    contributor: Mapping[str, str],
    committed_at: datetime,
    contribution_due_at: datetime,
    reveal_due_at: datetime,
) -> dict[str, Any]:
    """All that is said before anybody contributes; its digest goes into the evidence log."""
    return {
        "protocol": PROTOCOL,
        "title": title,
        "org": org,
        "org_name": org_name,
        "rules": dict(rules),
        "pools_sha256": digests["sha256"],
        "pools_sm3": digests["sm3"],
        "commitment": commitment,
        "operator": dict(operator),
        "contributor": dict(contributor),
        "committed_at": moment_text(committed_at),
        "contribution_due_at": moment_text(contribution_due_at),
        "reveal_due_at": moment_text(reveal_due_at),
    }


def moment_text(at: datetime) -> str:
    """A moment as it is hashed: in UTC, whatever database it came back from."""
    return at.astimezone(UTC).isoformat()


def digest_of(statement: Mapping[str, Any]) -> str:
    return sha256(canonical(statement)).hex()


def contribution_digest(statement_digest: str, value: str, at: str) -> str:
    """What goes into the evidence log when a contribution comes: it belongs to this statement and to no other."""
    return sha256(canonical({"statement": statement_digest, "contribution": value, "at": at})).hex()


def digests_on_record(bundle: Mapping[str, Any]) -> dict[str, str]:
    """What the evidence log must hold, each made anew from the parts of the file; in the order in which it came."""
    statement, told = digest_of(bundle["statement"]), bundle["contribution"]
    return {"statement": statement, "contribution": contribution_digest(statement, told["value"], told["at"])}


def verify(bundle: Mapping[str, Any], *, sm3: Callable[[bytes], bytes], judge: Judge | None = None) -> list[Step]:
    """Every step of a published draw, done again. Nothing is taken from anywhere but the file."""
    if not isinstance(bundle, Mapping) or (missing := _PARTS - bundle.keys()):
        return [Step("protocol", False, f"the file lacks {', '.join(sorted(missing))}" if isinstance(bundle, Mapping) else "")]
    checks: list[tuple[str, Callable[[], Iterator[Step]]]] = [
        ("protocol", lambda: _protocol(bundle)),
        ("pools", lambda: _pools(bundle, sm3)),
        ("conflicts", lambda: _conflicts(bundle, judge)),
        ("statement", lambda: _statement(bundle)),
        ("parties", lambda: _parties(bundle)),
        ("times", lambda: _times(bundle)),
        ("commitment", lambda: _commitment(bundle)),
        ("seed", lambda: _seed(bundle)),
        ("result", lambda: _result(bundle)),
    ]
    steps: list[Step] = []
    for name, check in checks:
        try:
            steps += check()
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            steps.append(Step(name, False, f"the file cannot be read here: {error}"))
    return steps


def holds(steps: list[Step]) -> bool:
    return all(step.is_good is not False for step in steps)


def _protocol(bundle: Mapping[str, Any]) -> Iterator[Step]:
    told = bundle["protocol"], bundle["statement"]["protocol"]
    yield Step("protocol", told == (PROTOCOL, PROTOCOL), str(told[0]))


def _pools(bundle: Mapping[str, Any], sm3: Callable[[bytes], bytes]) -> Iterator[Step]:
    pools, statement = bundle["pools"], bundle["statement"]
    data = canonical(pools)
    counts = f"{len(pools['objects'])} objects, {len(pools['inspectors'])} inspectors"
    ids = [[ticket["id"] for ticket in pools[name]] for name in ("objects", "inspectors")]
    in_order = all(found == sorted(set(found)) for found in ids)
    yield Step("pools", in_order and sha256(data).hex() == statement["pools_sha256"], counts)
    yield Step("pools_sm3", sm3(data).hex() == statement["pools_sm3"], statement["pools_sm3"])


def _conflicts(bundle: Mapping[str, Any], judge: Judge | None) -> Iterator[Step]:
    """Every frozen conflict follows from a rule, and every conflict that the published facts show was frozen."""
    pools, rules = bundle["pools"], bundle["statement"]["rules"]["conflicts"]
    wrong, unsaid = 0, 0
    for thing in pools["objects"]:
        for person in pools["inspectors"]:
            verdicts = [_is_barred(rule, thing, person, judge) for rule in rules]
            told = thing["barred"].get(person["id"])
            if told is None:
                wrong += any(verdict is True for verdict in verdicts)
                unsaid += any(verdict is None for verdict in verdicts)
            else:
                wrong += verdicts[told] is False
                unsaid += verdicts[told] is None
    detail = f"{sum(len(thing['barred']) for thing in pools['objects'])} pairs barred by {len(rules)} rules"
    if wrong:
        yield Step("conflicts", False, f"{wrong} pairs do not follow from the rules")
    elif unsaid:
        yield Step("conflicts", None, f"{detail}; {unsaid} pairs hang on facts that are not published")
    else:
        yield Step("conflicts", True, detail)


def _is_barred(rule: Mapping[str, Any], thing: Mapping[str, Any], person: Mapping[str, Any], judge: Judge | None) -> bool | None:
    if rule["same_org"] and thing["org"] and thing["org"] == person["org"]:
        return True
    if not rule["when"]:
        return False
    return judge(rule["when"], thing["facts"], person["facts"]) if judge else None


def _statement(bundle: Mapping[str, Any]) -> Iterator[Step]:
    yield Step("statement", digest_of(bundle["statement"]) == bundle["statement_digest"], bundle["statement_digest"])


def _parties(bundle: Mapping[str, Any]) -> Iterator[Step]:
    operator, contributor = bundle["statement"]["operator"], bundle["statement"]["contributor"]
    by, kind = bundle["contribution"]["by"], contributor["kind"]
    is_other = bool(contributor["id"]) and contributor["id"] != operator["id"] and by == contributor["id"]
    yield Step("parties", is_other and kind in ("person", "public_value"), f"{operator['name']} | {contributor['name']}")


def _times(bundle: Mapping[str, Any]) -> Iterator[Step]:
    statement = bundle["statement"]
    names = ("committed_at", "contribution_due_at", "reveal_due_at")
    committed, due, reveal = (datetime.fromisoformat(statement[name]) for name in names)
    at = datetime.fromisoformat(bundle["contribution"]["at"])
    yield Step("times", committed < at <= due <= reveal, f"{committed.isoformat()} < {at.isoformat()} <= {due.isoformat()}")


def _commitment(bundle: Mapping[str, Any]) -> Iterator[Step]:
    secret = bytes.fromhex(bundle["secret"])
    is_good = len(secret) == 32 and commitment_of(secret) == bundle["statement"]["commitment"]
    yield Step("commitment", is_good, bundle["statement"]["commitment"])


def _seed(bundle: Mapping[str, Any]) -> Iterator[Step]:
    yield Step("seed", _seed_again(bundle).hex() == bundle["seed"], bundle["seed"])


def _result(bundle: Mapping[str, Any]) -> Iterator[Step]:
    """From the seed that follows from the parts, not from the one that the file tells."""
    try:
        again = outcome(bundle["statement"]["rules"], bundle["pools"], _seed_again(bundle))
    except DrawImpossible as error:
        yield Step("result", False, str(error))
        return
    yield Step("result", again == bundle["result"], f"{len(again)} drawn")


def _seed_again(bundle: Mapping[str, Any]) -> bytes:
    pools_digest = sha256(canonical(bundle["pools"])).hex()
    return seed_of(bytes.fromhex(bundle["secret"]), bundle["contribution"]["value"], pools_digest)
