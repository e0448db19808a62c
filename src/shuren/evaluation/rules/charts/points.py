"""Points and notes that several charts share."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import ngettext

from shuren.pages.data import Point


def suppression_note(document: Mapping[str, Any]) -> str:
    minimum = int(document["run"]["minimum_group"])
    told = ngettext(
        "* 人数不足 %(count)d 人，或可由其他数字推算出来，不予显示。",
        "* 人数不足 %(count)d 人，或可由其他数字推算出来，不予显示。",
        minimum,
    )
    return told % {"count": minimum}


def why_hidden(document: Mapping[str, Any]) -> str:
    """The note without its mark, which the table sets itself."""
    return suppression_note(document).removeprefix("* ")


def mean_point(label: str, row: Mapping[str, Any], *, url: str = "", is_focus: bool = False) -> Point:
    mean = row["mean"]
    return Point(label=label, value=mean["value"], low=mean["low"], high=mean["high"], count=row["n"], url=url, is_focus=is_focus)


def domain_labels(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The domains' names, with their kind before them only where two kinds share a name."""
    names = [row["name"] for row in rows]
    return [f"{row['kind_name']}·{row['name']}" if names.count(row["name"]) > 1 else row["name"] for row in rows]
