"""Diagnosis of items with several steps, each of which asks for attributes of its own."""

from __future__ import annotations

import numpy as np

from edmeasure.responses import NOT_ADMINISTERED, Responses


def step_items(responses: Responses) -> Responses:
    """Answers as right/wrong items, one for every step of every item.

    Parameters
    ----------
    responses
        Graded scores 0..m. Step h of an item is right for who scored at least h, wrong for who
        scored h - 1, and not given to who never reached it.

    Returns
    -------
    Responses
        An item of several steps "I" becomes "I.1", "I.2", ...; right/wrong items keep their id.

    Notes
    -----
    The sequential process model (Ma & de la Torre 2016, Br. J. Math. Stat. Psychol. 69): the chance
    of score h is that of passing steps 1..h times that of failing step h + 1. That is the
    likelihood of these items, so `diagnose` on them, with a Q-matrix that has a row per step, fits
    sequential G-DINA and its reduced forms.
    """
    columns, names = [], []
    for column, highest, name in zip(responses.scores.T, responses.max_scores.tolist(), responses.item_ids, strict=True):
        for step in range(1, highest + 1):
            reached = np.where(column >= step, 1, np.where(column == step - 1, 0, NOT_ADMINISTERED))
            columns.append(np.where(column < 0, column, reached))
            names.append(name if highest == 1 else f"{name}.{step}")
    return Responses.from_array(
        np.stack(columns, axis=1).astype(np.int8),
        max_scores=np.ones(len(names)),
        item_ids=names,
        weights=responses.weights,
        zones=responses.zones,
        reps=responses.reps,
    )
