"""Parts that pages of cases and of work share."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.casework.models import Case, WorkItem
from shuren.casework.rules.specs.flow import FlowSpec
from shuren.casework.views.case_words import asked_text, is_blind, outcome_title, stage_title
from shuren.kernel import ids


def case_url(case: Case, page: str = "case") -> str:
    return reverse(f"casework:{page}", args=[ids.encode("case", case.pk)])


def work_url(item: WorkItem, page: str = "decide_work") -> str:
    return reverse(f"casework:{page}", args=[ids.encode("work", item.pk)])


def case_trail(case: Case, here: str = "") -> list[dict[str, str]]:
    crumbs = [{"label": _("办件"), "url": reverse("casework:cases")}, {"label": case.title, "url": case_url(case)}]
    return [*crumbs, {"label": here, "url": ""}] if here else crumbs


def steps_of(flow: FlowSpec | None, case: Case, visited: Sequence[str]) -> list[dict[str, Any]]:
    """The line of stages: those that are done, the one it is at, those to come."""
    if flow is None:
        return []
    seen = set(visited)
    steps = [{"title": str(stage.title), "is_current": stage.key == case.stage, "is_done": False} for stage in flow.stages]
    place = next((number for number, step in enumerate(steps) if step["is_current"]), None)
    for number, (step, stage) in enumerate(zip(steps, flow.stages, strict=True)):
        step["is_done"] = stage.key in seen and (place is None or number < place) and not step["is_current"]
        step["is_skipped"] = stage.key not in seen and (case.closed_at is not None or (place is not None and number < place))
    return steps


def opinions_shown(flow: FlowSpec | None, items: Sequence[WorkItem]) -> list[dict[str, Any]]:
    """What was said at each stage; those who judge apart are heard when the stage is over, and not named."""
    shown = []
    for item in items:
        stage, is_apart = item.stage_run.stage, is_blind(flow, item.stage_run.stage)
        if is_apart and item.stage_run.left_at is None:
            continue
        name = item.done_by.name if item.done_by_id and item.done_by else _("系统")
        if item.for_person_id and item.for_person and item.for_person_id != item.done_by_id:
            name = _("%(name)s（代 %(absent)s）") % {"name": name, "absent": item.for_person.name}
        spec = flow.stage(stage) if flow else None
        titles = {field.key: str(field.title) for field in spec.fields} if spec else {}
        shown.append(
            {
                "who": _("评审人") if is_apart else name,
                "office": "" if is_apart or item.assignee_id else asked_text(item),
                "stage": stage_title(flow, stage),
                "outcome": outcome_title(flow, stage, item.outcome),
                "tone": _tone(flow, stage, item.outcome),
                "comment": item.comment,
                "at": item.done_at,
                "written": [(titles.get(key, key), value) for key, value in item.written.items()],
            }
        )
    return shown


def _tone(flow: FlowSpec | None, stage: str, outcome: str) -> str:
    spec = flow.stage(stage) if flow else None
    return next((one.tone for one in spec.outcomes if one.key == outcome), "plain") if spec else "plain"
