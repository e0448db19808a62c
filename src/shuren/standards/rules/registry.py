"""The registry as the files of this package, and of the region's own folder, write it."""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from shuren.standards.data import Authority, CodeData, CodeSetData, ElementData, ElementType, Grade, MaskStyle, Parents
from shuren.standards.rules.tables import SHIPPED, table_named

__all__ = ["SHIPPED", "Registry", "RegistryFault", "divisions", "province_codes", "read_registry", "with_code_sets"]


_NAME = r"[a-z][a-z0-9_]*"
_SOURCE = re.compile(rf"register:{_NAME}(\.{_NAME}){{2,}}|directory:(org|person)\.{_NAME}|lake:{_NAME}(\.{_NAME})*")


@dataclass(frozen=True, slots=True)
class Registry:
    """Everything the files say, by code."""

    elements: Mapping[str, ElementData]
    code_sets: Mapping[str, CodeSetData]


class RegistryFault(ValueError):
    """A file of the registry contradicts itself or another one; the message names file and entry."""


def read_registry(folders: Iterable[Path], *, onto: Registry | None = None) -> Registry:
    """Read `*.yaml` of every folder; an entry takes the place of an earlier one, or of one in `onto`, with its code."""
    elements: dict[str, ElementData] = dict(onto.elements) if onto else {}
    code_sets: dict[str, CodeSetData] = dict(onto.code_sets) if onto else {}
    for folder in folders:
        for path in sorted(folder.glob("*.yaml")):
            for entry in yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) or []:
                try:
                    if "codes" in entry:
                        code_sets[entry["code"]] = _code_set(entry)
                    else:
                        elements[entry["code"]] = _element(entry)
                except (KeyError, TypeError, ValueError) as error:
                    raise RegistryFault(f"{path.name}: {entry!r:.80}: {error}") from error
    for element in elements.values():
        if element.code_set and element.code_set not in code_sets and table_named(element.code_set) is None:
            raise RegistryFault(f"element {element.code} names the code set {element.code_set}, which there is not")
    return Registry(elements=elements, code_sets=code_sets)


@cache
def divisions() -> Mapping[str, str]:
    """Names of provinces, cities and counties by their six digits."""
    with (SHIPPED / "divisions.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


@cache
def province_codes() -> frozenset[str]:
    return frozenset(code[:2] for code in divisions())


def with_code_sets(told: Registry, code_sets: Iterable[CodeSetData]) -> Registry:
    """The registry with these code sets in the place of earlier ones."""
    return Registry(elements=told.elements, code_sets={**told.code_sets, **{one.code: one for one in code_sets}})


def _element(entry: Mapping[str, Any]) -> ElementData:
    element_type = ElementType(entry["type"])
    if (element_type == ElementType.CODE) != bool(entry.get("code_set")):
        raise ValueError("a coded element has a code set, and no other")
    source, department = entry.get("source", ""), entry.get("department", "")
    if source and not _SOURCE.fullmatch(source):
        raise ValueError(
            f"{source} is no source: register:<register>.<field>, directory:org.<name>, directory:person.<name>, lake:<name>"
        )
    if bool(source) != bool(department):
        raise ValueError("an element with a source names the one department that produces it, and no other names one")
    return ElementData(
        code=entry["code"],
        name_zh=entry["name_zh"],
        name_en=entry["name_en"],
        type=element_type,
        grade=Grade(entry["grade"]),
        length=entry.get("length"),
        unit=entry.get("unit", ""),
        code_set=entry.get("code_set", ""),
        mask=MaskStyle(entry.get("mask", "none")),
        reference=entry.get("reference", ""),
        source=source,
        department=department,
    )


def _code_set(entry: Mapping[str, Any]) -> CodeSetData:
    codes = {str(code): _code(str(code), told) for code, told in entry["codes"].items()}
    for code in codes.values():
        if code.replaced_by and code.replaced_by not in codes:
            raise ValueError(f"code {code.code} is replaced by {code.replaced_by}, which there is not")
    return CodeSetData(
        code=entry["code"],
        name_zh=entry["name_zh"],
        name_en=entry["name_en"],
        authority=Authority(entry["authority"]),
        reference=entry.get("reference", ""),
        codes=codes,
        parents=Parents(entry.get("parents", "")),
        part_of=entry.get("part_of", ""),
    )


def _code(code: str, told: list[str] | Mapping[str, Any]) -> CodeData:
    if isinstance(told, list):
        name_zh, name_en = told
        return CodeData(code=code, name_zh=name_zh, name_en=name_en)
    begin, end = told.get("begin"), told.get("end")
    if not all(day is None or isinstance(day, date) for day in (begin, end)):
        raise ValueError(f"code {code}: begin and end are dates")
    return CodeData(
        code=code, name_zh=told["zh"], name_en=told["en"], begin=begin, end=end, replaced_by=told.get("replaced_by", "")
    )
