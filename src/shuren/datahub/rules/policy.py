"""What applies to a dataset, in a shape that programs read: who answers, how careful, how long, who may open or join it."""

from collections.abc import Iterable, Mapping, Sequence

from shuren.datahub.data import DatasetSpec, LifeCycle, LifeCycleEnd, LifeCycleStart, OpenFacts
from shuren.datahub.rules.life_cycle import stated
from shuren.datahub.rules.open_data.columns import treatments_for

FORM = "shuren-dataset-policy/3"
_GRADE = {"enum": ["L1", "L2", "L3", "L4"]}
_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_DAYS = {"type": ["integer", "null"], "minimum": 0}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False}


_TITLE = _object({"zh": _TEXT, "en": _TEXT})
_COLUMN = _object(
    {
        "name": _TEXT,
        "title": _TITLE,
        "type": _TEXT,
        "element": _TEXT,
        "grade": _GRADE,
        "mask": _TEXT,
        "is_scope": {"type": "boolean"},
        "may_be_opened_as": {"type": "array", "items": _TEXT},
    }
)
SCHEMA: Mapping[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Policy of a dataset",
    **_object(
        {
            "form": {"const": FORM},
            "dataset": _TEXT,
            "title": _TITLE,
            "description": _TEXT,
            "owner": _TEXT,
            "grade": _GRADE,
            "columns": {"type": "array", "items": _COLUMN},
            "rows": _object({"belong_by": {"enum": ["path", "org", "nothing"]}, "column": _TEXT}),
            "retention": _object({"superseded_kept_days": _COUNT, "is_held": {"type": "boolean"}, "held_reason": _TEXT}),
            "life_cycle": _object(
                {
                    "basis": _TEXT,
                    "law": _TEXT,
                    "least_days": _COUNT,
                    "ground": _TEXT,
                    "counted_from": {"enum": [each.value for each in LifeCycleStart]},
                    "in_use_days": _DAYS,
                    "then": {"enum": [each.value for each in LifeCycleEnd]},
                    "archived_days": _DAYS,
                    "is_declared": {"type": "boolean"},
                    "is_held": {"type": "boolean"},
                }
            ),
            "opening": _object(
                {
                    "permission": _TEXT,
                    "least_group": _COUNT,
                    "needs_second_person": {"const": True},
                    "opened_as": {"type": "array", "items": _TEXT},
                }
            ),
            "joining": _object(
                {"partition_keys": {"type": "array", "items": _TEXT}, "formats": {"type": "array", "items": _TEXT}}
            ),
        }
    ),
}


def policy_of(
    spec: DatasetSpec,
    facts: Mapping[str, OpenFacts],
    titles: Mapping[str, tuple[str, str]],
    life_cycle: LifeCycle,
    *,
    permission: str,
    least_group: int,
    held_reason: str,
    opened_as: Iterable[str],
    formats: Sequence[str],
) -> dict[str, object]:
    """The policy as `SCHEMA` has it. A mask that the column does not name is that of its grade: all of it."""
    by = "path" if spec.scope_column else "org" if spec.org_column else "nothing"
    return {
        "form": FORM,
        "dataset": spec.name,
        "title": {"zh": spec.title("zh"), "en": spec.title("en")},
        "description": spec.description,
        "owner": spec.owner,
        "grade": spec.grade,
        "columns": [_column(spec, each, titles[each.name]) for each in facts.values()],
        "rows": {"belong_by": by, "column": spec.scope_column or spec.org_column},
        "retention": {"superseded_kept_days": spec.keep_days, "is_held": bool(held_reason), "held_reason": held_reason},
        "life_cycle": stated(life_cycle, is_held=bool(held_reason)),
        "opening": {
            "permission": permission,
            "least_group": least_group,
            "needs_second_person": True,
            "opened_as": list(opened_as),
        },
        "joining": {"partition_keys": list(spec.partition_keys), "formats": list(formats)},
    }


def _column(spec: DatasetSpec, facts: OpenFacts, titles: tuple[str, str]) -> dict[str, object]:
    told = spec.columns.get(facts.name)
    return {
        "name": facts.name,
        "title": dict(zip(("zh", "en"), titles, strict=True)),
        "type": facts.kind,
        "element": told.element if told is not None else "",
        "grade": facts.grade,
        "mask": facts.mask or "all",
        "is_scope": facts.name in {spec.scope_column, spec.org_column},
        "may_be_opened_as": [each.value for each in treatments_for(facts)],
    }
