"""Loops over pupils' answers to one skill: the forward-backward algorithm of a two-state chain.

Sixteen sequences of about the same length are walked through side by side, so that vector units
work on all of them; sums are taken per sequence and added in the order of the sequences.
"""

from __future__ import annotations

import numpy as np

from edmeasure._loops import exact, exact_step
from edmeasure._validate import FloatArray, Int8Array, IntArray

LANES = 16
PADDING = 2
LOG_EVERY = 16

FIRST, LEARNT, COULD_LEARN, FORGOT, COULD_FORGET, GUESSED, COULD_GUESS, SLIPPED, COULD_SLIP, LOGLIK = range(10)
N_SUMS = 10

# rows of the scratch array, each of LANES numbers; the sums above come first
KNOWN, LEARN, BETA_0, BETA_1, SCALE = (np.int64(row * LANES) for row in range(N_SUMS, N_SUMS + 5))
N_ROWS = N_SUMS + 5


@exact_step
def _forward(
    answers: Int8Array, first: int, length: int, guess: float, slip: float, forget: float, rows: FloatArray, tape: FloatArray
) -> None:
    """Chances of mastery after every answer and inverse chances of the answers, on tape; log-likelihoods."""
    for t in range(length):
        here, there = first + t * LANES, 2 * t * LANES
        for lane in range(LANES):
            x = answers[here + lane]
            known = rows[KNOWN + lane]
            knows = 1.0 - slip if x == 1 else (slip if x == 0 else 1.0)
            not_yet = guess if x == 1 else (1.0 - guess if x == 0 else 1.0)
            chance = known * knows + (1.0 - known) * not_yet
            inverse = 1.0 / chance
            posterior = known * knows * inverse
            tape[there + lane] = posterior
            tape[there + LANES + lane] = inverse
            rows[SCALE + lane] *= chance
            rows[KNOWN + lane] = posterior * (1.0 - forget) + (1.0 - posterior) * rows[LEARN + lane]
        if t % LOG_EVERY == LOG_EVERY - 1 or t == length - 1:
            for lane in range(LANES):
                rows[LOGLIK * LANES + lane] += np.log(rows[SCALE + lane])
                rows[SCALE + lane] = 1.0


@exact_step
def _backward(
    answers: Int8Array, first: int, length: int, guess: float, slip: float, forget: float, rows: FloatArray, tape: FloatArray
) -> None:
    """Add expected counts, from the last answers to the first."""
    for back in range(length):
        t = length - 1 - back
        here, there = first + t * LANES, 2 * t * LANES
        for lane in range(LANES):
            x = answers[here + lane]
            inside = 1.0 if x != 2 else 0.0
            right = 1.0 if x == 1 else 0.0
            posterior = tape[there + lane]
            inverse = tape[there + LANES + lane]
            knows = 1.0 - slip if x == 1 else (slip if x == 0 else 1.0)
            not_yet = guess if x == 1 else (1.0 - guess if x == 0 else 1.0)
            beta_0, beta_1 = rows[BETA_0 + lane], rows[BETA_1 + lane]
            gamma_1 = posterior * beta_1 * inside
            gamma_0 = (1.0 - posterior) * beta_0 * inside
            rows[COULD_GUESS * LANES + lane] += gamma_0
            rows[GUESSED * LANES + lane] += gamma_0 * right
            rows[COULD_SLIP * LANES + lane] += gamma_1
            rows[SLIPPED * LANES + lane] += gamma_1 * (1.0 - right)
            rows[FIRST * LANES + lane] = gamma_1
            # what this answer says to the step before it
            rows[BETA_0 + lane] = not_yet * beta_0 * inverse
            rows[BETA_1 + lane] = knows * beta_1 * inverse
        if t == 0:
            break
        for lane in range(LANES):
            inside = 1.0 if answers[here + lane] != 2 else 0.0
            before = tape[there - 2 * LANES + lane]
            learn_rate = rows[LEARN + lane]
            next_0, next_1 = rows[BETA_0 + lane], rows[BETA_1 + lane]
            learnt = (1.0 - before) * learn_rate * next_1 * inside
            stayed = (1.0 - before) * (1.0 - learn_rate) * next_0 * inside
            forgot = before * forget * next_0 * inside
            kept = before * (1.0 - forget) * next_1 * inside
            rows[LEARNT * LANES + lane] += learnt
            rows[COULD_LEARN * LANES + lane] += learnt + stayed
            rows[FORGOT * LANES + lane] += forgot
            rows[COULD_FORGET * LANES + lane] += forgot + kept
            rows[BETA_0 + lane] = learn_rate * next_1 + (1.0 - learn_rate) * next_0
            rows[BETA_1 + lane] = forget * next_0 + (1.0 - forget) * next_1


@exact
def expect(
    answers: Int8Array,
    starts: IntArray,
    groups: IntArray,
    prior: FloatArray,
    learn: FloatArray,
    guess: float,
    slip: float,
    forget: float,
    sums: FloatArray,
) -> None:
    """Add expected counts and log-likelihoods of the blocks to ``sums`` (n_groups, N_SUMS).

    Block b holds steps starts[b] to starts[b + 1] of LANES answers each: 0, 1, or PADDING after a
    sequence's end; ``groups`` has one number a lane, -1 where it is empty.
    """
    longest = 0
    for b in range(starts.shape[0] - 1):
        longest = max(longest, starts[b + 1] - starts[b])
    tape = np.empty(2 * longest * LANES)
    rows = np.empty(N_ROWS * LANES)
    for b in range(starts.shape[0] - 1):
        first, length = starts[b] * LANES, starts[b + 1] - starts[b]
        for lane in range(LANES):
            group = max(groups[b * LANES + lane], 0)
            rows[KNOWN + lane] = prior[group]
            rows[LEARN + lane] = learn[group]
            rows[BETA_0 + lane] = 1.0
            rows[BETA_1 + lane] = 1.0
            rows[SCALE + lane] = 1.0
        for at in range(N_SUMS * LANES):
            rows[at] = 0.0
        _forward(answers, first, length, guess, slip, forget, rows, tape)
        _backward(answers, first, length, guess, slip, forget, rows, tape)
        for lane in range(LANES):
            group = groups[b * LANES + lane]
            if group >= 0:
                for kind in range(N_SUMS):
                    sums[group, kind] += rows[kind * LANES + lane]


@exact
def walk(
    answers: Int8Array,
    starts: IntArray,
    skills: IntArray,
    groups: IntArray,
    prior: FloatArray,
    learn: FloatArray,
    guess: FloatArray,
    slip: FloatArray,
    forget: FloatArray,
    before: FloatArray,
    after: FloatArray,
    chance: FloatArray,
) -> None:
    """Chance of a right answer and of mastery before every answer, and of mastery after it and the learning that follows."""
    for i in range(starts.shape[0] - 1):
        s, g = skills[i], groups[i]
        known = prior[s, g]
        for t in range(starts[i], starts[i + 1]):
            before[t] = known
            right = known * (1.0 - slip[s]) + (1.0 - known) * guess[s]
            chance[t] = right
            at_truth = 1.0 - slip[s] if answers[t] == 1 else slip[s]
            posterior = known * at_truth / (right if answers[t] == 1 else 1.0 - right)
            known = posterior * (1.0 - forget[s]) + (1.0 - posterior) * learn[s, g]
            after[t] = known


@exact
def lay_out(answers: Int8Array, starts: IntArray, chosen: IntArray, block_starts: IntArray, lanes: Int8Array) -> None:
    """Put sequence ``chosen[i]`` into lane i % LANES of block i // LANES."""
    for i in range(chosen.shape[0]):
        first = starts[chosen[i]]
        at = block_starts[i // LANES] * LANES + i % LANES
        for t in range(starts[chosen[i] + 1] - first):
            lanes[at + t * LANES] = answers[first + t]


@exact
def rate(
    time: IntArray,
    pupils: IntArray,
    skills: IntArray,
    answers: Int8Array,
    ability: FloatArray,
    strength: FloatArray,
    difficulty: FloatArray,
    ability_variance: FloatArray,
    strength_variance: FloatArray,
    difficulty_variance: FloatArray,
    drift: float,
    chance: FloatArray,
) -> None:
    """Filter the answers in order of time, changing means and variances in place."""
    for at in range(time.shape[0]):
        row = time[at]
        p, s = pupils[row], skills[row]
        of_pupil, of_both, of_skill = ability_variance[p], strength_variance[p, s], difficulty_variance[s]
        variance = of_pupil + of_both + of_skill
        logit = (ability[p] + strength[p, s] - difficulty[s]) / np.sqrt(1.0 + 3.0 * variance / np.pi**2)
        right = 1.0 / (1.0 + np.exp(-logit))
        chance[row] = right
        information = right * (1.0 - right)
        gain = (answers[row] - right) / (1.0 + variance * information)
        loss = information / (1.0 + variance * information)
        ability[p] += of_pupil * gain
        strength[p, s] += of_both * gain
        difficulty[s] -= of_skill * gain
        ability_variance[p] = of_pupil - of_pupil * of_pupil * loss + drift
        strength_variance[p, s] = of_both - of_both * of_both * loss + drift
        difficulty_variance[s] = of_skill - of_skill * of_skill * loss
