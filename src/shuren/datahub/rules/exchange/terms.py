"""What two installations agree on, and which way data may go between their levels."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from shuren.datahub.data import ColumnSpec, DatasetSpec
from shuren.datahub.rules.names import check_spec, view_name
from shuren.kernel.errors import Invalid
from shuren.standards.data import Grade, MaskStyle

EVERY = (5, 60, 24 * 60, 7 * 24 * 60)
SOURCE, SOURCE_ORG = "source", "source_org"
_FROM = re.compile(rf"(below_)*({SOURCE}|{SOURCE_ORG})")
_LEVELS = ("province", "city", "county", "agency", "group", "school", "campus", "teaching_point")


@dataclass(frozen=True, slots=True)
class TermColumn:
    """A column that is sent: its Arrow type, the grade it keeps, its data element, and the mask it left under."""

    type: str
    grade: str
    element: str
    mask: str


@dataclass(frozen=True, slots=True)
class Terms:
    """The words of an agreement; `basis` is `grant` or `duty`, `ground` the purpose or the law behind it."""

    dataset: str
    title: str
    grade: str
    keys: tuple[str, ...]
    columns: Mapping[str, TermColumn]
    basis: str
    ground: str

    @property
    def digest(self) -> str:
        told = json.dumps(terms_as_json(self), ensure_ascii=False, sort_keys=True)
        return sha256(told.encode()).hexdigest()


def terms_as_json(terms: Terms) -> dict[str, Any]:
    columns = {
        name: {"type": one.type, "grade": one.grade, "element": one.element, "mask": one.mask}
        for name, one in terms.columns.items()
    }
    return {
        "dataset": terms.dataset,
        "title": terms.title,
        "grade": terms.grade,
        "keys": list(terms.keys),
        "columns": columns,
        "basis": terms.basis,
        "ground": terms.ground,
    }


def terms_in(told: Mapping[str, Any]) -> Terms:
    """Terms as they came from the other side; raises `Invalid` for what could not be stored here."""
    try:
        columns = {
            str(name): TermColumn(*(str(one[key]) for key in ("type", "grade", "element", "mask")))
            for name, one in told["columns"].items()
        }
        words = {name: str(told[name]) for name in ("dataset", "title", "grade", "basis", "ground")}
        terms = Terms(
            words["dataset"][:80],
            words["title"][:300],
            words["grade"],
            tuple(str(key) for key in told["keys"]),
            columns,
            words["basis"],
            words["ground"][:500],
        )
        check_spec(landing_spec(terms, owner=""))
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise Invalid(_("交换约定的内容不完整或不合规。"), remedy=_("请让对方重新提出。")) from fault
    grades, masks = {one.grade for one in columns.values()}, {one.mask for one in columns.values()}
    is_plain = any(one.grade == Grade.SENSITIVE.value and one.mask == MaskStyle.NONE.value for one in columns.values())
    is_cut = bool(columns and terms.keys) and not set(terms.keys) & set(columns)
    if not is_cut or is_plain or not grades <= {one.value for one in Grade} or not masks <= {one.value for one in MaskStyle}:
        raise Invalid(_("交换约定的内容不完整或不合规。"), remedy=_("请让对方重新提出。"))
    return terms


def landing_name(dataset: str) -> str:
    """What is received lies apart from what is one's own, under a name that says what it is."""
    return f"received.{view_name(dataset)}"


def landed_as(name: str) -> str:
    """What a key or column is called here: what the sender has from others already stays beside what we say of the sender."""
    return f"below_{name}" if _FROM.fullmatch(name) else name


def landing_spec(terms: Terms, *, owner: str) -> DatasetSpec:
    """The receiver's dataset: the sender's partitions under that of the sender, rows belonging to the org it stands for."""
    columns = {
        landed_as(name): ColumnSpec(element=one.element, grade=one.grade, mask=one.mask if one.mask != "none" else "")
        for name, one in terms.columns.items()
    }
    return DatasetSpec(
        landing_name(terms.dataset),
        (SOURCE, *(landed_as(key) for key in terms.keys)),
        terms.title,
        terms.grade,
        owner,
        columns=columns,
        org_column=SOURCE_ORG,
    )


def goes_up(own_level: str, their_level: str) -> bool:
    """Whether their level stands above ours: only there duties to report lead."""
    if own_level not in _LEVELS or their_level not in _LEVELS:
        return False
    return _LEVELS.index(their_level) < _LEVELS.index(own_level)
