"""Datasets as they may be shared: whose each is, on which terms, and which columns it has."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shuren.datahub.data import DatasetSpec, SharedColumn, SharedSource, SharingAttribute
from shuren.datahub.models import SharingTerms
from shuren.datahub.rules.sharing import default_attribute
from shuren.datahub.selectors.assets import column_types_of_datasets
from shuren.datahub.selectors.catalogue import column_titles, is_called, known_datasets, spec_named
from shuren.datahub.selectors.sql import with_elements
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards


@dataclass(frozen=True, slots=True)
class TermsData:
    """A dataset's attribute and its ground; `is_declared` is False where only the grade says so."""

    attribute: SharingAttribute
    ground: str = ""
    is_declared: bool = False


@dataclass(frozen=True, slots=True)
class SharedDataset:
    """A dataset with its owner and its terms."""

    spec: DatasetSpec
    owner: OrgData
    terms: TermsData

    @property
    def title(self) -> str:
        return title_of(self.spec)

    @property
    def is_cut_by_org(self) -> bool:
        """Whether its rows can be told apart by the branch they belong to; otherwise it is shared whole or not at all."""
        return bool(self.spec.scope_column or self.spec.org_column)


def shared_dataset(name: str) -> SharedDataset:
    """A dataset of the lake by its name; `NotFound` where there is none."""
    spec = spec_named(name)
    return SharedDataset(spec, _owners([spec])[spec.name], terms_of([spec])[spec.name])


def shared_datasets(*, words: str = "", attribute: str = "") -> list[SharedDataset]:
    """Every dataset, by title: those of the house, which are few, and one for every form that was ever collected."""
    specs = known_datasets()
    owners, terms = _owners(specs), terms_of(specs)
    wanted = words.strip().casefold()
    found = [SharedDataset(spec, owners[spec.name], terms[spec.name]) for spec in specs]
    return sorted(
        (
            one
            for one in found
            if attribute in ("", one.terms.attribute.value)
            and (wanted in one.owner.name.casefold() or is_called(one.spec, wanted))
        ),
        key=lambda one: (one.title, one.spec.name),
    )


def terms_of(specs: Iterable[DatasetSpec]) -> dict[str, TermsData]:
    """The terms of datasets, by name; those that nobody gave follow from the grade."""
    grades = {spec.name: spec.grade for spec in specs}
    found = {name: TermsData(default_attribute(grade)) for name, grade in grades.items()}
    for row in SharingTerms.objects.filter(dataset__in=list(grades)):
        found[row.dataset] = TermsData(SharingAttribute(row.attribute), row.ground, is_declared=True)
    return found


def columns_of_shared(spec: DatasetSpec) -> dict[str, SharedColumn]:
    """The columns of a dataset by name, graded as the gate grades them; empty while nothing was written."""
    graded = with_elements(spec)
    found = {}
    for name in column_types_of_datasets([spec.name]).get(spec.name, {}):
        told = graded.columns.get(name)
        title_zh, title_en = column_titles(spec, name)
        is_place = (told is None or not told.is_kept) and name in {*spec.partition_keys, spec.scope_column, spec.org_column}
        found[name] = SharedColumn(
            name=name,
            title_zh=title_zh,
            title_en=title_en,
            element=told.element if told else "",
            grade="L1" if is_place else (told.grade if told else "") or spec.grade,
            mask=told.mask if told else "",
        )
    return found


def shared_sources() -> dict[str, SharedSource]:
    """By element, the first dataset by name that holds it and that may be applied for.

    What the directory produces is left out: everybody has it without applying.
    """
    found: dict[str, SharedSource] = {}
    specs = known_datasets()
    terms = terms_of(specs)
    for spec in specs:
        if terms[spec.name].attribute is SharingAttribute.NONE:
            continue
        for code in sorted({column.element for column in spec.columns.values() if column.element}):
            element = standards.known_element(code)
            if element is not None and not element.source.startswith("directory:"):
                found.setdefault(code, source_of(spec))
    return found


def source_of(spec: DatasetSpec) -> SharedSource:
    return SharedSource(spec.name, title_of(spec), apply_address(spec.name))


def title_of(spec: DatasetSpec) -> str:
    return spec.title(get_language() or "")


def columns_in_words(dataset: str, names: Iterable[str]) -> dict[str, str]:
    """What columns of a dataset are called, by name, in the order of the dataset."""
    language, wanted = get_language() or "", dict.fromkeys(names)
    try:
        held = columns_of_shared(spec_named(dataset))
    except NotFound:
        held = {}
    known = {name: column.title(language) for name, column in held.items() if name in wanted}
    return known | {name: name for name in wanted if name not in known}


def apply_address(dataset: str) -> str:
    return reverse("datahub:apply_for_sharing", args=[dataset])


def masked_words(column: SharedColumn) -> str:
    """What a column is called where somebody chooses it."""
    title = column.title(get_language() or "")
    return f"{title}（{column.name}，{column.grade}）" if title != column.name else f"{column.name}（{column.grade}）"


def _owners(specs: Iterable[DatasetSpec]) -> dict[str, OrgData]:
    """The org that a dataset names as its owner, and the region for what the house itself keeps."""
    specs = list(specs)
    root = directory.root_org()
    if root is None:
        raise NotFound(_("还没有机构。"))
    named = {spec.name: int(spec.owner[4:]) for spec in specs if spec.owner.startswith("org:") and spec.owner[4:].isdigit()}
    orgs = directory.orgs_by_ids(set(named.values())) if named else {}
    return {spec.name: orgs.get(named.get(spec.name, 0), root) for spec in specs}
