"""A stored body with names put to its ids: the one document that page, PDF, Excel and JSON are drawn from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shuren.evaluation.data import Declaration, DomainKind, Level
from shuren.evaluation.rules.findings import findings
from shuren.evaluation.rules.measuring import ItemInfo
from shuren.evaluation.rules.words import kind_name, level_name, level_names, value_labels

SCHEMA_NAME = "shuren.report/1"
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class OrgName:
    """What a document says of an org."""

    public_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Names:
    """Everything a body refers to by id or code. `labels` are wordings and value meanings of questionnaire columns."""

    orgs: Mapping[int, OrgName]
    items: Mapping[str, ItemInfo]
    labels: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Earlier:
    """The same unit in another finished run of the programme on the same scale."""

    run_public_id: str
    title: str
    held_date: str
    body: Mapping[str, Any]


def document(
    body: Mapping[str, Any],
    *,
    run: Mapping[str, Any],
    declaration: Declaration,
    path: Sequence[OrgName],
    names: Names,
    earlier: Sequence[Earlier] = (),
) -> dict[str, Any]:
    """The whole report as plain values, findings included; `run` are the facts of the run, `path` ends at the unit."""
    level = Level(body["level"])
    scale = declaration.scale
    cut_names = level_names(scale)
    starts: list[float | None] = [None, *(cut.score for cut in scale.cuts)]
    found: dict[str, Any] = {
        "schema": SCHEMA_NAME,
        "run": dict(run),
        "scale": {
            "key": scale.key,
            "levels": [{"name": name, "from": start} for name, start in zip(cut_names, starts, strict=True)],
        },
        "unit": {
            "id": path[-1].public_id,
            "name": path[-1].name,
            "level": level.value,
            "level_name": level_name(level),
            "path": [{"id": step.public_id, "name": step.name} for step in path],
        },
        "is_withheld": body["is_withheld"],
        "children": [_named(row, names) for row in body.get("children", ())],
    }
    if body["is_withheld"]:
        return found | {"findings": []}
    found |= {key: body[key] for key in ("n", "weight", "mean", "sd", "percentiles", "histogram", "beside")}
    found["levels"] = [
        {"name": name, "from": start, **share} for name, start, share in zip(cut_names, starts, body["levels"], strict=True)
    ]
    found["domains"] = [_domain(row) for row in body["domains"]]
    found["above"] = [_named(row, names) for row in body["above"]]
    found["items"] = [_item(row, names) for row in body["items"]]
    found["contrasts"] = [_contrast(row, names) for row in body["contrasts"]]
    found["trend"] = _trend(body, run, earlier)
    found["findings"] = findings(found)
    return found


def _named(row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    org = names.orgs.get(int(row["org"]), OrgName("", "—"))
    kept = {key: value for key, value in row.items() if key != "org"}
    return {"id": org.public_id, "name": org.name, **kept}


def _domain(row: Mapping[str, Any]) -> dict[str, Any]:
    kind, _separator, name = str(row["key"]).partition(":")
    return {"kind": kind, "kind_name": kind_name(DomainKind(kind)), "name": name, **{k: v for k, v in row.items() if k != "key"}}


def _item(row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    item = names.items.get(str(row["code"]))
    if item is None:
        return dict(row)
    return {
        "code": item.code,
        "label": item.label,
        "content": item.content,
        "cognitive": item.cognitive,
        "units": list(item.units),
        **{key: value for key, value in row.items() if key != "code"},
    }


def _contrast(row: Mapping[str, Any], names: Names) -> dict[str, Any]:
    label, meanings = names.labels.get(str(row["column"]), ("", ""))
    words = value_labels(meanings)
    groups = [{**group, "label": words.get(float(group["value"]), f"{group['value']:g}")} for group in row["groups"]]
    return {"column": row["column"], "label": label or row["column"], "groups": groups, "gap": row["gap"]}


def _trend(body: Mapping[str, Any], run: Mapping[str, Any], earlier: Sequence[Earlier]) -> list[dict[str, Any]]:
    """Means over the years, oldest first, each with its change from the one before; empty with a single run."""
    steps = [(one.run_public_id, one.title, one.held_date, one.body) for one in earlier if not one.body["is_withheld"]]
    if not steps:
        return []
    steps.append((str(run["id"]), str(run["title"]), str(run["held_date"] or ""), body))
    rows: list[dict[str, Any]] = []
    for public_id, title, held, one in sorted(steps, key=lambda step: step[2]):
        row: dict[str, Any] = {"run": public_id, "title": title, "held_date": held, "n": one["n"], "mean": one["mean"]}
        row["change"] = _change(rows[-1]["mean"], one["mean"]) if rows else None
        rows.append(row)
    return rows


def _change(before: Mapping[str, float | None], after: Mapping[str, float | None]) -> dict[str, float] | None:
    old, new, old_se, new_se = before["value"], after["value"], before["se"], after["se"]
    if old is None or new is None or old_se is None or new_se is None:
        return None
    value = new - old
    se = (old_se**2 + new_se**2) ** 0.5
    return {
        "value": round(value, 4),
        "se": round(se, 4),
        "low": round(value - Z95 * se, 4),
        "high": round(value + Z95 * se, 4),
    }
