"""A declaration is canonical JSON: the same choices give the same text, and so the same hash."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict

from shuren.evaluation.data import Cut, Declaration, Published, Scale

SCALE_METHODS = ("declared", "reference", "anchor")
DEFAULT_CUTS = (400.0, 475.0, 550.0, 625.0)
OPTIONS = frozenset(
    {
        "title",
        "programme",
        "scale",
        "omitted_as",
        "not_reached_in_calibration",
        "not_reached_in_scoring",
        "conditioning",
        "condition_on_school",
        "contrasts",
        "seed",
        "plausible_values",
        "minimum_group",
        "published",
        "reference",
    }
)
_POLICIES = ("wrong", "missing")


class BadDeclaration(ValueError):
    """A choice that a run cannot be made with; the text says which and what would do."""


def as_json(declaration: Declaration) -> dict[str, object]:
    """Plain JSON values, as they are stored."""
    return json.loads(json.dumps(asdict(declaration)))  # type: ignore[no-any-return]  # a dataclass becomes an object


def canonical(stored: Mapping[str, object]) -> str:
    return json.dumps(stored, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def digest(stored: Mapping[str, object]) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical(stored).encode()).hexdigest()


def from_json(stored: Mapping[str, object]) -> Declaration:
    """The declaration that `as_json` wrote."""
    values = dict(stored)
    values["scale"] = scale_from_json(values["scale"])
    for name in ("assessment_ids", "conditioning", "contrasts", "reference"):
        values[name] = tuple(values[name])  # type: ignore[arg-type]  # lists of the stored JSON
    published = values.get("published")
    rows = published.items() if isinstance(published, Mapping) else ()
    values["published"] = {stem: Published(**row) for stem, row in rows}
    return Declaration(**values)  # type: ignore[arg-type]  # field names are those as_json wrote


def scale_from_json(stored: object) -> Scale:
    values = dict(stored) if isinstance(stored, Mapping) else {}
    cuts = tuple(
        Cut(float(cut["score"]), str(cut.get("name", ""))) if isinstance(cut, Mapping) else Cut(float(cut))
        for cut in values.pop("cuts", ()) or ()
    )
    return Scale(**values, cuts=cuts)


def refuse_bad(declaration: Declaration) -> None:
    """Raise `BadDeclaration` for the first choice that makes no sense."""
    scale = declaration.scale
    scores = [cut.score for cut in scale.cuts]
    if scale.method not in SCALE_METHODS:
        raise BadDeclaration(f"scale.method={scale.method}: {', '.join(SCALE_METHODS)}")
    if scale.method == "anchor" and scale.anchor_run_id is None:
        raise BadDeclaration("scale.anchor_run_id: missing")
    if scale.method == "reference" and not declaration.reference:
        raise BadDeclaration("scale.method=reference: no ref_ columns")
    if not scale.sd > 0:
        raise BadDeclaration(f"scale.sd={scale.sd}: must be above 0")
    if scores != sorted(set(scores)):
        raise BadDeclaration(f"scale.cuts={scores}: must rise")
    for name in ("omitted_as", "not_reached_in_calibration", "not_reached_in_scoring"):
        if getattr(declaration, name) not in _POLICIES:
            raise BadDeclaration(f"{name}={getattr(declaration, name)}: {', '.join(_POLICIES)}")
    if not 2 <= declaration.plausible_values <= 50:
        raise BadDeclaration(f"plausible_values={declaration.plausible_values}: 2–50")
    if not 10 <= declaration.minimum_group <= 1000:
        raise BadDeclaration(f"minimum_group={declaration.minimum_group}: 10–1000")
