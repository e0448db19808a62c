"""Which datasets there are: those the apps declare, and those that were offered while the house ran."""

from collections.abc import Iterator

from django.utils.translation import get_language

from shuren.datahub.data import ColumnSpec, DatasetSpec
from shuren.datahub.models import Dataset
from shuren.datahub.rules import catalogue
from shuren.kernel.errors import NotFound
from shuren.search.api import text_syllables
from shuren.standards import api as standards


def spec_named(name: str) -> DatasetSpec:
    """A dataset by its name, whichever process offered it."""
    try:
        return catalogue.spec_of(name)
    except NotFound:
        stored = Dataset.objects.filter(name=name).first()
        if stored is None:
            raise
        return _spec(stored)


def known_datasets() -> tuple[DatasetSpec, ...]:
    """Every declared or offered dataset, by name."""
    declared = {spec.name: spec for spec in catalogue.declared()}
    offered = {stored.name: _spec(stored) for stored in Dataset.objects.exclude(name__in=declared)}
    return tuple(spec for _name, spec in sorted((declared | offered).items()))


def titles_of_datasets() -> dict[str, str]:
    """What the reader calls every dataset, by name: for lists, which ask once."""
    language = get_language() or ""
    return {spec.name: spec.title(language) for spec in known_datasets()}


def dataset_title(name: str) -> str:
    """What the reader calls a dataset; its name where nothing is known of it."""
    try:
        return spec_named(name).title(get_language() or "")
    except NotFound:
        return name


def column_titles(spec: DatasetSpec, column: str) -> tuple[str, str]:
    """What a column is called in Chinese and English: as the dataset says, else as its data element is called."""
    zh, en = spec.titles_of(column)
    told = spec.columns.get(column)
    element = standards.known_element(told.element if told is not None and told.element else column)
    if element is None:
        return zh, en
    return zh or element.name_zh, en or element.name_en


def is_called(spec: DatasetSpec, words: str) -> bool:
    """Whether what somebody typed is in the name, the description or a title, as written or read aloud in pinyin."""
    wanted = words.strip().casefold()
    return any(wanted in text.casefold() for text in (spec.name, spec.description, *_said(spec)))


def read_aloud(text: str) -> str:
    """Chinese in pinyin, without spaces or tones."""
    return "".join(text_syllables(text))


def _said(spec: DatasetSpec) -> Iterator[str]:
    zh = spec.title("")
    yield from (zh, spec.title("en"))
    yield read_aloud(zh)


def _spec(stored: Dataset) -> DatasetSpec:
    return DatasetSpec(
        stored.name,
        tuple(stored.partition_keys),
        stored.description,
        stored.grade,
        stored.owner,
        columns={name: ColumnSpec(**said) for name, said in stored.columns.items()},
        scope_column=stored.scope_column,
        org_column=stored.org_column,
        sort_by=tuple(stored.sort_by),
        keep_days=stored.keep_days,
        title_zh=stored.title_zh,
        title_en=stored.title_en,
    )
