"""The truth check: does the run agree with the figures published for the same pupils?"""

from collections.abc import Mapping

import numpy as np

import edmeasure
from shuren.evaluation.data import Published, TruthRow
from shuren.evaluation.rules.measuring import Answers, FloatArray, Measurement

EAP_WITH_EACH = 0.865
EAP_WITH_MEAN = 0.92
SHARE_WITHIN = 0.02


def reference_groups(names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Reference columns by name without their number: ASMMAT01…05 are the values of ASMMAT."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.rstrip("0123456789"), []).append(name)
    return {stem: tuple(sorted(members)) for stem, members in groups.items()}


def truth_rows(
    answers: Answers, measurement: Measurement, reference: tuple[str, ...], published: Mapping[str, Published]
) -> list[TruthRow]:
    """Rows for every published mean and, where the run's own subject has reference values, for its scores."""
    rows = []
    groups = reference_groups(tuple(answers.reference))
    for stem, members in groups.items():
        if stem in published:
            rows.append(_mean_row(answers, members, published[stem]))
    official = [answers.reference[name] for name in reference if name in answers.reference]
    if official:
        rows.extend(_score_rows(answers, measurement, np.stack(official), reference))
    return rows


def _mean_row(answers: Answers, members: tuple[str, ...], known: Published) -> TruthRow:
    values = np.stack([answers.reference[name] for name in members])
    found = edmeasure.mean(values, weights=answers.weights, zones=answers.zones, reps=answers.reps)
    is_near = abs(found.value - known.mean) <= known.mean_within
    is_near = is_near and abs(found.standard_error - known.se) <= known.se_within
    return TruthRow(
        key=f"mean:{members[0].rstrip('0123456789')}",
        what=f"{known.name} mean",
        published=f"{known.mean:g} ({known.se:g})",
        found=f"{found.value:.1f} ({found.standard_error:.1f})",
        bar=f"± {known.mean_within:g} (± {known.se_within:g})",
        passed=bool(is_near),
    )


def _score_rows(answers: Answers, measurement: Measurement, official: FloatArray, names: tuple[str, ...]) -> list[TruthRow]:
    eap = measurement.scores.eap
    rows = [
        _at_least(f"eap:{name}", f"r(EAP, {name})", _correlation(eap, values), EAP_WITH_EACH)
        for name, values in zip(names, official, strict=True)
    ]
    with_mean = _correlation(eap, official.mean(axis=0))
    rows.append(_at_least("eap:mean", "r(EAP, mean of official plausible values)", with_mean, EAP_WITH_MEAN))
    known = edmeasure.variance_between(official, groups=answers.school_ids)
    found = edmeasure.variance_between(measurement.scores.pvs, groups=answers.school_ids)
    rows.append(
        TruthRow(
            key="between_schools",
            what="share of variance between schools",
            published=f"{known:.3f}",
            found=f"{found:.3f}",
            bar=f"± {SHARE_WITHIN:g}",
            passed=bool(abs(found - known) <= SHARE_WITHIN),
        )
    )
    return rows


def _at_least(key: str, what: str, found: float, bar: float) -> TruthRow:
    return TruthRow(key=key, what=what, published="—", found=f"{found:.4f}", bar=f"≥ {bar:g}", passed=bool(found >= bar))


def _correlation(first: FloatArray, second: FloatArray) -> float:
    return float(np.corrcoef(first, second)[0, 1])
