"""What belongs to "everything on file" about a person besides the directory's own rows: each app says it for itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

# Values are plain: text, numbers, switches, nothing; moments and dates as ISO text.
Exporter = Callable[[int], Sequence[Mapping[str, object]]]


@dataclass(frozen=True, slots=True)
class SubjectSection:
    """One section of a person's copy: the rows of an app about them."""

    name: str
    title: str | Promise
    exporter: Exporter


_sections: dict[str, SubjectSection] = {}


def register_subject_data(section: str, exporter: Exporter, *, title: str | Promise) -> None:
    """Add a section to everybody's copy; called where `jobs.py` of the app is read. `exporter` is given the person's row id."""
    _sections[section] = SubjectSection(section, title, exporter)


def subject_sections() -> list[SubjectSection]:
    return [_sections[name] for name in sorted(_sections)]
