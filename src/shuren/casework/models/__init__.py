"""Definitions and their versions, cases with what is asked of whom, entries of registers, collections, ratings and draws."""

from shuren.casework.models.cases import Attachment, Case, CaseEvent, Delegation, StageRun, Timer, WorkItem
from shuren.casework.models.collections import Collection, CollectionTarget
from shuren.casework.models.definitions import Definition, DefinitionVersion, Pack
from shuren.casework.models.drafts import DefinitionDraft
from shuren.casework.models.draws import Draw
from shuren.casework.models.hall import Outward, Rating, WindowApplicant
from shuren.casework.models.registers import Entry, EntryRevision, EntryValue
from shuren.casework.models.tallies import CaseTally

__all__ = [
    "Attachment",
    "Case",
    "CaseEvent",
    "CaseTally",
    "Collection",
    "CollectionTarget",
    "Definition",
    "DefinitionDraft",
    "DefinitionVersion",
    "Delegation",
    "Draw",
    "Entry",
    "EntryRevision",
    "EntryValue",
    "Outward",
    "Pack",
    "Rating",
    "StageRun",
    "Timer",
    "WindowApplicant",
    "WorkItem",
]
