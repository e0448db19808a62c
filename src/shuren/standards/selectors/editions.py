"""Editions of code sets: the files that every process reads its words from, and the record of who took them.

What is in force is one small file that names the bodies; whoever reads sees the old state or the new one, never half of either.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.kernel.errors import NotFound
from shuren.standards.data import Authority, CodeData, CodeSetData, EditionData, Parents
from shuren.standards.models import Edition

logger = logging.getLogger(__name__)
IN_FORCE = "in_force.json"


def editions_dir() -> Path:
    return Path(settings.DATA_DIR) / "standards" / "editions"


def stamp() -> tuple[int, int]:
    """What changes whenever another edition comes into force or goes; one look at the folder."""
    try:
        told = (editions_dir() / IN_FORCE).stat()
    except FileNotFoundError:
        return (0, 0)
    return (told.st_mtime_ns, told.st_ino)


def bodies_in_force() -> list[str]:
    """The names of the bodies in force, earliest first."""
    try:
        told = json.loads((editions_dir() / IN_FORCE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [str(name) for name in told["bodies"]]


def sets_in_force(*, before: str = "") -> list[CodeSetData]:
    """The code sets of every edition in force, later ones last; with the body `before` only of those taken earlier.

    A body that cannot be read is left out and logged: a slip there must not keep anybody from signing in.
    """
    found: list[CodeSetData] = []
    try:
        names = [name for name in bodies_in_force() if not before or name < before]
    except (ValueError, KeyError):
        logger.exception("the editions in force cannot be read")
        return found
    for name in names:
        try:
            found += sets_in(editions_dir() / name)
        except (OSError, ValueError, KeyError):
            logger.exception("the edition %s cannot be read", name)
    return found


def sets_in(path: Path) -> list[CodeSetData]:
    """The code sets of a body."""
    return [code_set_from(entry) for entry in json.loads(path.read_text(encoding="utf-8"))["code_sets"]]


def body_of(code_sets: Sequence[CodeSetData]) -> str:
    """The text of a body; the same sets make the same text."""
    return json.dumps({"code_sets": [_entry(one) for one in code_sets]}, ensure_ascii=False, separators=(",", ":"))


def code_set_from(entry: Mapping[str, Any]) -> CodeSetData:
    return CodeSetData(
        code=entry["code"],
        name_zh=entry["name_zh"],
        name_en=entry["name_en"],
        authority=Authority(entry["authority"]),
        reference=entry["reference"],
        codes={row[0]: _code(row) for row in entry["codes"]},
        parents=Parents(entry["parents"]),
        part_of=entry["part_of"],
        note=entry["note"],
    )


def editions() -> list[EditionData]:
    """Every edition ever taken, the latest first."""
    return [_edition(row) for row in Edition.objects.order_by("-number")]


def edition(number: int) -> EditionData:
    row = Edition.objects.filter(number=number).first()
    if row is None:
        raise NotFound(_("没有这个版本。"))
    return _edition(row)


def edition_of_import(import_id: int) -> EditionData | None:
    """The edition that an import brought; None where it brought none."""
    row = Edition.objects.filter(import_id=import_id).first()
    return _edition(row) if row else None


def edition_sets(number: int) -> list[CodeSetData]:
    """The code sets as an edition brought them, in force or not."""
    row = Edition.objects.filter(number=number).first()
    if row is None:
        raise NotFound(_("没有这个版本。"))
    return sets_in(editions_dir() / row.body)


def _entry(one: CodeSetData) -> dict[str, Any]:
    return {
        "code": one.code,
        "name_zh": one.name_zh,
        "name_en": one.name_en,
        "authority": one.authority.value,
        "reference": one.reference,
        "parents": one.parents.value,
        "part_of": one.part_of,
        "note": one.note,
        "codes": [
            [code.code, code.name_zh, code.name_en, _day(code.begin), _day(code.end), code.replaced_by]
            for code in one.codes.values()
        ],
    }


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def _code(row: Sequence[str]) -> CodeData:
    code, name_zh, name_en, begin, end, replaced_by = row
    return CodeData(
        code=code,
        name_zh=name_zh,
        name_en=name_en,
        begin=date.fromisoformat(begin) if begin else None,
        end=date.fromisoformat(end) if end else None,
        replaced_by=replaced_by,
    )


def _edition(row: Edition) -> EditionData:
    return EditionData(
        number=row.number,
        title=row.title,
        digest=row.digest,
        body=row.body,
        code_sets=tuple(row.code_sets),
        counts=row.counts,
        breaks=row.breaks,
        taken_at=row.taken_at,
        taken_by=row.taken_by,
        undone_at=row.undone_at,
        undone_by=row.undone_by,
        import_id=row.import_id,
    )
