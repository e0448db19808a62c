"""Records of the index that other apps may hold."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """Something with a name that can be found.

    `title` is matched by characters, words, pinyin and initials; `text` (numbers, former names, where it belongs) by
    words. `path` is the branch it lies in; `other_paths` are further branches whose people may find it too. Of kind
    `person` the title is read as a Chinese name.
    """

    kind: str
    object_id: int
    title: str
    text: str = ""
    path: str = ""
    other_paths: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a title; `is_match` marks what the query hit."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """One found document; `title_parts` is the title cut where it matched."""

    kind: str
    object_id: int
    title: str
    text: str
    path: str
    title_parts: tuple[Part, ...]
