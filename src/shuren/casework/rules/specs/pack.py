"""Packs: a folder of definitions with the elements, code sets and sample rows they need."""

from enum import StrEnum

from pydantic import Field

from shuren.casework.rules.specs.words import Key, RowId, Spec, Words


class BuildLevel(StrEnum):
    """Who builds what a pack runs: the core is built by the state, what is common above, what is special by oneself."""

    NATIONAL = "national"
    UPPER = "upper"
    OWN = "own"


class PackSpec(Spec):
    """`pack.yaml`. `rows` gives the title of every requirement row that the pack's definitions say they fulfil."""

    key: Key
    title: Words
    note: Words | None = None
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    level: BuildLevel = BuildLevel.OWN
    needs: tuple[Key, ...] = ()
    rows: dict[RowId, Words] = Field(default_factory=dict)
