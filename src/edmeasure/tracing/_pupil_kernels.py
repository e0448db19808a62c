"""Knowledge tracing at nodes of pupils' differences: forward-backward sums, and predictions as answers come in.

All nodes of a pupil are walked through side by side, so that vector units work on them.
"""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import FloatArray, Int8Array, IntArray

FIRST, SEQUENCES, LEARNT, COULD_LEARN, FORGOT, COULD_FORGET, GUESSED, COULD_GUESS, SLIPPED, COULD_SLIP = range(10)
N_SUMS = 10
LOG_EVERY = 16


@exact_step
def _forward(
    answers: Int8Array,
    first: int,
    last: int,
    prior: FloatArray,
    learn: FloatArray,
    guess: float,
    slip: float,
    forget: float,
    known: FloatArray,
    scale: FloatArray,
    posterior: FloatArray,
    inverse: FloatArray,
    logs: FloatArray,
) -> None:
    """Mastery after every answer and inverse chances at every node; adds log-likelihoods to ``logs``."""
    n_nodes = prior.shape[0]
    for q in range(n_nodes):
        known[q], scale[q] = prior[q], 1.0
    for t in range(first, last):
        knows, not_yet = (1.0 - slip, guess) if answers[t] == 1 else (slip, 1.0 - guess)
        for q in range(n_nodes):
            chance = known[q] * knows + (1.0 - known[q]) * not_yet
            back = 1.0 / chance
            after = known[q] * knows * back
            posterior[t - first, q], inverse[t - first, q] = after, back
            scale[q] *= chance
            known[q] = after * (1.0 - forget) + (1.0 - after) * learn[q]
        if (t - first) % LOG_EVERY == LOG_EVERY - 1 or t == last - 1:
            for q in range(n_nodes):
                logs[q] += np.log(scale[q])
                scale[q] = 1.0


@exact_step
def _backward(
    answers: Int8Array,
    first: int,
    last: int,
    learn: FloatArray,
    guess: float,
    slip: float,
    forget: float,
    posterior: FloatArray,
    inverse: FloatArray,
    from_0: FloatArray,
    from_1: FloatArray,
    sums: FloatArray,
) -> None:
    """Expected counts (N_SUMS, n_nodes) of one sequence, from the last answer to the first."""
    n_nodes = learn.shape[0]
    for q in range(n_nodes):
        from_0[q], from_1[q] = 1.0, 1.0
    for back in range(last - first):
        t = last - 1 - back
        at = t - first
        right = 1.0 if answers[t] == 1 else 0.0
        knows, not_yet = (1.0 - slip, guess) if answers[t] == 1 else (slip, 1.0 - guess)
        for q in range(n_nodes):
            gamma_1, gamma_0 = posterior[at, q] * from_1[q], (1.0 - posterior[at, q]) * from_0[q]
            sums[COULD_GUESS, q] += gamma_0
            sums[GUESSED, q] += gamma_0 * right
            sums[COULD_SLIP, q] += gamma_1
            sums[SLIPPED, q] += gamma_1 * (1.0 - right)
            sums[FIRST, q] = gamma_1
            from_0[q] *= not_yet * inverse[at, q]
            from_1[q] *= knows * inverse[at, q]
        if at == 0:
            break
        for q in range(n_nodes):
            before, rate, next_0, next_1 = posterior[at - 1, q], learn[q], from_0[q], from_1[q]
            learnt, stayed = (1.0 - before) * rate * next_1, (1.0 - before) * (1.0 - rate) * next_0
            forgot, kept = before * forget * next_0, before * (1.0 - forget) * next_1
            sums[LEARNT, q] += learnt
            sums[COULD_LEARN, q] += learnt + stayed
            sums[FORGOT, q] += forgot
            sums[COULD_FORGET, q] += forgot + kept
            from_0[q] = rate * next_1 + (1.0 - rate) * next_0
            from_1[q] = forget * next_0 + (1.0 - forget) * next_1


@exact
def expect(
    answers: Int8Array,
    starts: IntArray,
    skills: IntArray,
    pupil_starts: IntArray,
    prior: FloatArray,
    learn: FloatArray,
    guess: FloatArray,
    slip: FloatArray,
    forget: FloatArray,
    node_weights: FloatArray,
    sums: FloatArray,
    posterior_nodes: FloatArray,
) -> float:
    """Add expected counts to ``sums`` (S, N_SUMS, Q), fill every pupil's posterior of the nodes; the log-likelihood.

    Sequence i is answers[starts[i]:starts[i + 1]] to skills[i]; pupil p has sequences pupil_starts[p] to [p + 1].
    """
    n_nodes = node_weights.shape[0]
    longest, most = 0, 0
    for i in range(skills.shape[0]):
        longest = max(longest, starts[i + 1] - starts[i])
    for p in range(pupil_starts.shape[0] - 1):
        most = max(most, pupil_starts[p + 1] - pupil_starts[p])
    tape, inverse = np.empty((longest, n_nodes)), np.empty((longest, n_nodes))
    scratch, counts = np.empty((5, n_nodes)), np.empty((most, N_SUMS, n_nodes))
    total = 0.0
    for p in range(pupil_starts.shape[0] - 1):
        begin, end = pupil_starts[p], pupil_starts[p + 1]
        logs = scratch[4]
        logs[:] = 0.0
        counts[: end - begin] = 0.0
        for i in range(begin, end):
            s, own = skills[i], counts[i - begin]
            first, last = starts[i], starts[i + 1]
            ends = guess[s], slip[s], forget[s]
            _forward(
                answers, first, last, prior[s], learn[s], ends[0], ends[1], ends[2], scratch[0], scratch[1], tape, inverse, logs
            )
            _backward(answers, first, last, learn[s], ends[0], ends[1], ends[2], tape, inverse, scratch[2], scratch[3], own)
            for q in range(n_nodes):
                own[SEQUENCES, q] = 1.0
        highest = logs[0]
        for q in range(1, n_nodes):
            highest = max(highest, logs[q])
        whole = 0.0
        for q in range(n_nodes):
            posterior_nodes[p, q] = node_weights[q] * np.exp(logs[q] - highest)
            whole += posterior_nodes[p, q]
        total += highest + np.log(whole)
        for q in range(n_nodes):
            posterior_nodes[p, q] /= whole
        for i in range(begin, end):
            for kind in range(N_SUMS):
                for q in range(n_nodes):
                    sums[skills[i], kind, q] += posterior_nodes[p, q] * counts[i - begin, kind, q]
    return total


@exact
def follow(
    rows: IntArray,
    pupil_starts: IntArray,
    answers: Int8Array,
    skills: IntArray,
    prior: FloatArray,
    learn: FloatArray,
    guess: FloatArray,
    slip: FloatArray,
    forget: FloatArray,
    node_weights: FloatArray,
    chance: FloatArray,
    before: FloatArray,
    after: FloatArray,
) -> None:
    """Predict every answer from the pupil's earlier ones to all skills; ``rows`` are by pupil, then time."""
    n_skills, n_nodes = prior.shape
    known, weights = np.empty((n_skills, n_nodes)), np.empty(n_nodes)
    seen = np.full(n_skills, -1, dtype=np.int64)
    for p in range(pupil_starts.shape[0] - 1):
        weights[:] = node_weights
        for t in range(pupil_starts[p], pupil_starts[p + 1]):
            row = rows[t]
            s = skills[row]
            if seen[s] != p:
                known[s], seen[s] = prior[s], p
            right, knows = 0.0, 0.0
            for q in range(n_nodes):
                right += weights[q] * (known[s, q] * (1.0 - slip[s]) + (1.0 - known[s, q]) * guess[s])
                knows += weights[q] * known[s, q]
            chance[row], before[row] = right, knows
            happened = right if answers[row] == 1 else 1.0 - right
            at_truth, at_doubt = (1.0 - slip[s], guess[s]) if answers[row] == 1 else (slip[s], 1.0 - guess[s])
            left = 0.0
            for q in range(n_nodes):
                here = known[s, q] * at_truth + (1.0 - known[s, q]) * at_doubt
                held = known[s, q] * at_truth / here
                weights[q] *= here / happened
                known[s, q] = held * (1.0 - forget[s]) + (1.0 - held) * learn[s, q]
                left += weights[q] * known[s, q]
            after[row] = left
