"""How a flow goes on: what a stage's votes come to, where an outcome leads, and what may be done at a stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shuren.casework.rules.specs.flow import END, TO_FILER, Decide, EndSpec, FlowSpec, Move, OutcomeSpec, StageSpec

# What an added signer answers: an opinion, not a decision.
HEARD = "heard"


class FlowStuck(ValueError):
    """A flow leads nowhere: a stage that is not there, or skipped stages that lead in a circle."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many are asked, how many agreed, how many chose something else."""

    asked: int
    agreed: int = 0
    differed: int = 0

    @property
    def answered(self) -> int:
        return self.agreed + self.differed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a stage has come to: still `is_waiting`, `needs_arbiter`, or `outcome`.

    `outcome` is empty where those who differed prevail: it is then what most of them chose.
    """

    is_waiting: bool = False
    needs_arbiter: bool = False
    is_agreed: bool = False
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a case goes next: a stage, an end, or back to its filer; `skipped` are the stages left out on the way."""

    stage: StageSpec | None = None
    end: EndSpec | None = None
    skipped: tuple[str, ...] = ()

    @property
    def is_filers(self) -> bool:
        return self.stage is None and self.end is None


_WAIT = Verdict(is_waiting=True)


def verdict_of(stage: StageSpec, tally: Tally, chosen: str) -> Verdict:
    """What the votes so far come to, `chosen` being the last; blind votes are judged by `blind_verdict`."""
    agreeing = stage.outcomes[0].key
    if stage.decide is Decide.ONE:
        return Verdict(is_agreed=chosen == agreeing, outcome=chosen)
    if stage.decide is Decide.QUORUM:
        needed = min(stage.quorum or 1, tally.asked)
        if tally.agreed >= needed:
            return Verdict(is_agreed=True, outcome=agreeing)
        return Verdict() if tally.asked - tally.differed < needed else _WAIT
    if chosen != agreeing:
        return Verdict(outcome=chosen)
    return Verdict(is_agreed=True, outcome=agreeing) if tally.agreed >= tally.asked else _WAIT


def blind_verdict(stage: StageSpec, votes: list[tuple[str, Any]]) -> Verdict:
    """Two who judged apart, as (outcome, score): they stand where they are near enough and chose the same."""
    if len(votes) < 2:
        return _WAIT
    (first, one), (second, other) = votes[:2]
    scores = _number(one), _number(other)
    if first != second or None in scores or stage.tolerance is None:
        return Verdict(needs_arbiter=True)
    if abs(Decimal(scores[0]) - Decimal(scores[1])) > stage.tolerance:  # type: ignore[arg-type]
        return Verdict(needs_arbiter=True)
    return Verdict(is_agreed=first == stage.outcomes[0].key, outcome=first)


def _number(value: Any) -> Decimal | None:
    return Decimal(str(value)) if isinstance(value, int | float | Decimal) and not isinstance(value, bool) else None


def step_to(flow: FlowSpec, to: str, is_true: Callable[[str], bool]) -> Step:
    """Where `to` leads, stages whose condition is not met being passed as if they had agreed."""
    skipped: list[str] = []
    while True:
        if to == TO_FILER:
            return Step(skipped=tuple(skipped))
        if to.startswith(END):
            end = flow.end(to.removeprefix(END))
            if end is None:
                raise FlowStuck(to)
            return Step(end=end, skipped=tuple(skipped))
        stage = flow.stage(to)
        if stage is None or to in skipped:
            raise FlowStuck(to)
        if not stage.when or is_true(stage.when):
            return Step(stage=stage, skipped=tuple(skipped))
        skipped.append(to)
        to = stage.outcomes[0].to


def outcome_named(stage: StageSpec, key: str) -> OutcomeSpec | None:
    return next((outcome for outcome in stage.outcomes if outcome.key == key), None)


def may(stage: StageSpec | None, move: Move) -> bool:
    return stage is not None and move in stage.may


def stages_before(flow: FlowSpec, key: str, visited: list[str]) -> list[StageSpec]:
    """Stages a case may be returned to: those it has been at before it came to `key`, in the order of the flow."""
    seen = set(visited) - {key}
    return [stage for stage in flow.stages if stage.key in seen]


def values_of(data: Mapping[str, Any], written: Mapping[str, Any]) -> dict[str, Any]:
    """What conditions may name: the form's fields, and over them what deciders wrote down at any stage."""
    found = dict(data)
    for told in written.values():
        if isinstance(told, Mapping):
            found |= told
    return found


def merged_written(rows: list[Mapping[str, Any]]) -> dict[str, Any]:
    """What several wrote down as one: the mean of numbers, otherwise what was said last."""
    if len(rows) == 1:
        return dict(rows[0])
    found: dict[str, Any] = {}
    for key in dict.fromkeys(key for row in rows for key in row):
        told = [row[key] for row in rows if row.get(key) is not None]
        numbers = [number for number in map(_number, told) if number is not None]
        if told and len(numbers) == len(told):
            found[key] = float(round(sum(numbers, Decimal(0)) / len(numbers), 4))
        elif told:
            found[key] = told[-1]
    return found
