"""What a finished run says of itself: calibrated items, convergence, exclusions."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from shuren.evaluation.data import Declaration
from shuren.evaluation.rules.measuring import Answers, ItemParameters, Line, Measurement, domains_of


def calibration_json(answers: Answers, measurement: Measurement) -> dict[str, object]:
    """Item parameters and the scale's line: what is needed to score one pupil again, or to link a later run."""
    fit = measurement.fit
    items = {}
    for at, item in enumerate(answers.items):
        steps = fit.intercepts[at, : item.max_score + 1]
        items[item.code] = {
            "slope": _number(fit.slopes[at]),
            "intercepts": [_number(step) for step in steps],
            "difficulty": _number(fit.difficulties[at]),
        }
    line = measurement.scores.line
    return {
        "items": items,
        "line": {"slope": line.slope, "intercept": line.intercept},
        "domains": [domain.key for domain, _ in domains_of(answers.items)],
    }


def line_from_json(calibration: Mapping[str, object]) -> Line:
    stored = calibration["line"]
    if not isinstance(stored, Mapping):
        raise TypeError("calibration.line")
    return Line(float(stored["slope"]), float(stored["intercept"]))


def parameters_from_json(calibration: Mapping[str, Any]) -> dict[str, ItemParameters]:
    """Items that were calibrated, by code."""
    return {
        code: ItemParameters(float(item["slope"]), np.array([0.0 if step is None else step for step in item["intercepts"]]))
        for code, item in calibration["items"].items()
        if item["slope"] is not None
    }


def certificate_json(answers: Answers, measurement: Measurement, declaration: Declaration, *, reports: int) -> dict[str, object]:
    """Evidence that the fit is the maximum, the quadrature fine enough and nothing was lost on the way."""
    fit, evidence = measurement.fit, measurement.fit.certificate
    eap = measurement.scores
    spread = float(np.var(eap.eap))
    return {
        "pupils": answers.n,
        "items": len(answers.items),
        "reports": reports,
        "plausible_values": declaration.plausible_values,
        "loglik": fit.loglik,
        "iterations": fit.n_iterations,
        "converged": bool(fit.converged),
        "nodes": evidence.nodes,
        "loglik_change_when_doubled": evidence.loglik_change,
        "gradient_norm": evidence.gradient_norm,
        "is_maximum": evidence.is_maximum,
        "is_sound": bool(evidence.is_sound and fit.converged),
        "excluded_items": list(fit.excluded),
        "negative_slopes": list(evidence.negative_slopes),
        "extreme_items": list(evidence.extreme_items),
        "conditioning_passes": measurement.conditioning_passes,
        "conditioning_converged": measurement.conditioning_converged,
        "reliability": spread / (spread + float(np.mean(eap.eap_se**2))),
        "unanswered_pupils": int((~(measurement.scored.scores >= 0).any(axis=1)).sum()),
    }


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
