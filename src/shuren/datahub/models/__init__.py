"""Tables of the data platform."""

from shuren.datahub.models.convergence import Candidate, Golden, Precedence
from shuren.datahub.models.exchange import (
    ExchangeAgreement,
    ExchangeInvitation,
    ExchangeLetter,
    ExchangeNode,
    ExchangePacket,
    ExchangePart,
    ReportDuty,
)
from shuren.datahub.models.life_cycle import ArchivedFile, ArchivedPartition, DestroyedFile, Destruction, LifeCycleRule
from shuren.datahub.models.lineage import CatalogueAsset, CatalogueColumn, LineageEdge, LineageEvent, LineageRun, LineageTouch
from shuren.datahub.models.open_data import OpenDataset, OpenVersion
from shuren.datahub.models.quality import QualityRun, QualityScore, RuleFile
from shuren.datahub.models.sharing import SharingApplication, SharingGrant, SharingTerms, SharingUse
from shuren.datahub.models.snapshots import Dataset, StoredSnapshot
from shuren.datahub.models.view_source import ViewRun, ViewSource
from shuren.datahub.models.workbench import QuestionAnswer, QuestionSchedule, QuestionVersion, SavedQuestion

__all__ = [
    "ArchivedFile",
    "ArchivedPartition",
    "Candidate",
    "CatalogueAsset",
    "CatalogueColumn",
    "Dataset",
    "DestroyedFile",
    "Destruction",
    "ExchangeAgreement",
    "ExchangeInvitation",
    "ExchangeLetter",
    "ExchangeNode",
    "ExchangePacket",
    "ExchangePart",
    "Golden",
    "LifeCycleRule",
    "LineageEdge",
    "LineageEvent",
    "LineageRun",
    "LineageTouch",
    "OpenDataset",
    "OpenVersion",
    "Precedence",
    "QualityRun",
    "QualityScore",
    "QuestionAnswer",
    "QuestionSchedule",
    "QuestionVersion",
    "ReportDuty",
    "RuleFile",
    "SavedQuestion",
    "SharingApplication",
    "SharingGrant",
    "SharingTerms",
    "SharingUse",
    "StoredSnapshot",
    "ViewRun",
    "ViewSource",
]
