"""Open data as officers prepare it, inside their scope, and as everybody finds it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec, OpenColumn, OpenDeclaration, OpenFacts, OpenShape, OpenState, OpenTreatment
from shuren.datahub.models import OpenDataset, OpenVersion
from shuren.datahub.rules.open_data.columns import treatments_for
from shuren.datahub.selectors.assets import column_types_of_datasets
from shuren.datahub.selectors.catalogue import column_titles, known_datasets, spec_named
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q
from shuren.standards import api as standards
from shuren.standards.data import Grade

OPEN = Permission.OPEN_DATA
_OWN = "open."
_IN_HAND = (OpenState.DRAFT, OpenState.WAITING, OpenState.REFUSED)


def facts_of(dataset: str) -> dict[str, OpenFacts]:
    """Every column of the dataset with grade and mask of its element, and of the dataset where it names none."""
    return _facts(spec_named(dataset), column_types_of_datasets([dataset]).get(dataset, {}))


def _facts(spec: DatasetSpec, types: Mapping[str, str]) -> dict[str, OpenFacts]:
    where = spec.scope_column or ("org_path" if "org_path" in types else spec.org_column)
    found = {}
    for name, kind in types.items():
        column = spec.columns.get(name)
        grade, mask = (column.grade, column.mask) if column is not None else ("", "")
        if column is not None and column.element and standards.known_element(column.element) is not None:
            element = standards.meaning_of(column.element)
            grade, mask = grade or element.grade.value, mask or element.mask.value
        if (column is None or not column.is_kept) and name in spec.partition_keys:
            grade = Grade.PUBLIC.value
        found[name] = OpenFacts(name, kind, grade or spec.grade, mask, is_place=name == where)
    return found


def titles_of(dataset: str, language: str) -> dict[str, str]:
    """What the columns that hold rows are called; those that nobody named are left out."""
    spec, place = spec_named(dataset), 1 if language.startswith("en") else 0
    titles = {name: column_titles(spec, name) for name in column_types_of_datasets([dataset]).get(dataset, {})}
    return {name: told[place] or told[0] for name, told in titles.items() if any(told)}


def datasets_to_open() -> list[DatasetSpec]:
    """The datasets that hold rows and have a column that may be opened."""
    specs = [spec for spec in known_datasets() if not spec.name.startswith(_OWN)]
    written = column_types_of_datasets([spec.name for spec in specs])
    return [spec for spec in specs if _may_open(_facts(spec, written.get(spec.name, {})))]


def _may_open(facts: Mapping[str, OpenFacts]) -> bool:
    return any(treatments_for(each) for each in facts.values())


def access_dataset_to_open(name: str) -> dict[str, OpenFacts]:
    """The columns of a dataset that may be opened; otherwise `NotFound`."""
    facts = {} if name.startswith(_OWN) or "\x00" in name else facts_of(name)
    if not _may_open(facts):
        raise NotFound(_("没有找到这份数据。"))
    return facts


def opening_orgs(*, actor: Actor, now: datetime) -> list[OrgData]:
    """The orgs in whose name the actor may open data: the tops of their branches."""
    paths = directory.scope_of(actor=actor, permission=OPEN, now=now).paths
    tops = directory.orgs_by_ids(int(path.rstrip("/").rpartition("/")[2]) for path in paths)
    return sorted(tops.values(), key=lambda org: org.path)


def access_openings(*, actor: Actor, now: datetime) -> None:
    """`NotFound` for those who open no data anywhere."""
    if not directory.scope_of(actor=actor, permission=OPEN, now=now).paths:
        raise NotFound(_("没有找到这个页面。"))


def openings(*, actor: Actor, now: datetime, state: str = "", search: str = "") -> QuerySet[OpenVersion]:
    """Versions of the orgs in the actor's branches, newest first."""
    paths = directory.scope_of(actor=actor, permission=OPEN, now=now).paths
    rows = OpenVersion.objects.select_related("dataset")
    # Datasets are opened one by one and by hand: there are hundreds of them, not millions.
    rows = rows.filter(dataset__in=OpenDataset.objects.filter(path_q("org_path", paths))).order_by("-pk")
    if state:
        rows = rows.filter(state=state)
    return rows.filter(dataset__words__contains=search.lower()) if search else rows


def access_opening(*, actor: Actor, id: int, now: datetime) -> OpenVersion:
    """A version within the actor's branches; otherwise `NotFound`."""
    row = openings(actor=actor, now=now).filter(pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这份开放数据。"))
    return row


def may_decide(version: OpenVersion, *, actor: Actor) -> bool:
    """Four eyes: whoever asks does not decide."""
    is_person = actor.person_id is not None and actor.person_id != version.asked_by
    return version.state == OpenState.WAITING and is_person


def version_in_hand(dataset: OpenDataset) -> OpenVersion | None:
    return dataset.versions.filter(state__in=_IN_HAND).first()


def opened_beside(version: OpenVersion) -> int:
    """Other open datasets of the same source: tables that somebody may lay beside this one."""
    others = OpenDataset.objects.filter(source=version.dataset.source, opened_at__isnull=False, withdrawn_at__isnull=True)
    return others.exclude(pk=version.dataset_id).count()


def open_datasets(*, search: str = "") -> QuerySet[OpenDataset]:
    """What everybody may read, newest first."""
    rows = OpenDataset.objects.filter(opened_at__isnull=False, withdrawn_at__isnull=True).order_by("-opened_at", "-pk")
    for word in search.lower().split()[:5]:
        rows = rows.filter(words__contains=word)
    return rows


def access_open_dataset(number: str) -> OpenDataset:
    """What was ever opened under the number, withdrawn or not; otherwise `NotFound`."""
    row = OpenDataset.objects.filter(number=number, opened_at__isnull=False).first()
    if row is None:
        raise NotFound(_("没有找到这份开放数据。"))
    return row


def published_versions(dataset: OpenDataset) -> list[OpenVersion]:
    """Newest first; those of a withdrawn dataset too, whose files are gone."""
    states = Q(state=OpenState.PUBLISHED) | Q(state=OpenState.WITHDRAWN)
    return list(dataset.versions.filter(states).order_by("-number"))


def access_published(dataset: OpenDataset, number: int) -> OpenVersion:
    """One published version, or the latest where `number` is 0; `NotFound` once it is withdrawn."""
    rows = dataset.versions.filter(state=OpenState.PUBLISHED).order_by("-number")
    found = (rows.filter(number=number) if number else rows).first()
    if found is None:
        raise NotFound(_("没有找到这个版本。"))
    return found


def declaration_of(version: OpenVersion) -> OpenDeclaration:
    told: Mapping[str, Any] = version.declaration
    return OpenDeclaration(
        dataset=told["dataset"],
        columns=tuple(OpenColumn(name, OpenTreatment(treatment)) for name, treatment in told["columns"]),
        shape=OpenShape(told["shape"]),
        where=dict(told["where"]),
        suppresses=told["suppresses"],
        has_totals=told["has_totals"],
        epsilon=told["epsilon"],
    )
