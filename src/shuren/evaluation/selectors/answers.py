"""The answers a run measures, read from the lake in the declared snapshot."""

from collections.abc import Sequence

import numpy as np

from shuren.assessment.api import items_of, responses_of
from shuren.assessment.data import ItemData, ResponseData
from shuren.evaluation.data import Declaration
from shuren.evaluation.rules.measuring import Answers, ItemInfo


def answers_of(declaration: Declaration) -> Answers:
    """The declared answers in order of person id; raises `NotFound` when the snapshot is gone."""
    assessment_id = declaration.assessment_ids[0]
    snapshot = declaration.snapshots.get(str(assessment_id))
    return answers_from(
        responses_of(assessment_id, snapshot=int(snapshot) if snapshot else None), item_infos(items_of(assessment_id))
    )


def item_infos(items: Sequence[ItemData]) -> tuple[ItemInfo, ...]:
    return tuple(
        ItemInfo(
            code=item.code,
            label=item.label or item.code,
            content=item.content_domain,
            cognitive=item.cognitive_domain,
            units=item.knowledge_units,
            max_score=item.max_score,
        )
        for item in items
    )


def answers_from(data: ResponseData, items: tuple[ItemInfo, ...]) -> Answers:
    """Pupils with a positive weight, their zones only where the test was drawn with zones."""
    has_zones = bool((data.zones > 0).any())
    return Answers(
        person_ids=data.person_ids,
        class_ids=data.class_ids,
        school_ids=data.school_ids,
        district_ids=data.district_ids,
        scores=data.scores,
        items=items,
        weights=data.weights,
        zones=data.zones.astype(np.int64) if has_zones else None,
        reps=data.reps.astype(np.int64) if has_zones else None,
        context={name: data.context[:, at].astype(np.float64) for at, name in enumerate(data.context_names)},
        reference={name: data.references[:, at] for at, name in enumerate(data.reference_names)},
    )
