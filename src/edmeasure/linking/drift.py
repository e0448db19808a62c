"""Common items that have drifted, and trends that carry the error of linking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edmeasure import _validate
from edmeasure._export import Exported
from edmeasure._validate import BoolArray, FloatArray
from edmeasure.calibration.irt import IRTFit
from edmeasure.errors import BadOption
from edmeasure.linking.links import FEWEST_ITEMS, Link, common_items, link
from edmeasure.scores.scales import ReportingScale
from edmeasure.survey.population import Estimate

QUARTILES_TO_SD = 0.7413
EXACT = 1e-9
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True, eq=False)
class DriftReport(Exported):
    """How far every common item has moved once the scales are linked without the drifted ones.

    Attributes
    ----------
    item_ids : tuple of str
    shift : float64 (n_common,)
        Difficulty on the other scale minus linked difficulty, in theta units.
    slope_ratio : float64 (n_common,)
        Slope on the other scale over linked slope.
    z_shift, z_slope : float64 (n_common,)
        Robust z of the shift and of the logarithm of the slope ratio.
    drifted : tuple of str
        Items taken out, worst first.
    link : Link
        The link through the items that stayed.
    """

    item_ids: tuple[str, ...]
    shift: FloatArray
    slope_ratio: FloatArray
    z_shift: FloatArray
    z_slope: FloatArray
    drifted: tuple[str, ...]
    link: Link

    def _columns(self) -> Mapping[str, object]:
        return {"item": self.item_ids, **super()._columns()}

    def __str__(self) -> str:
        lines = [f"{len(self.drifted)} of {len(self.item_ids)} common items have drifted", str(self.link)]
        at = {name: position for position, name in enumerate(self.item_ids)}
        lines += [
            f"{name}: shift {self.shift[at[name]]:+.2f} (z {self.z_shift[at[name]]:+.1f}), "
            f"slope x {self.slope_ratio[at[name]]:.2f} (z {self.z_slope[at[name]]:+.1f})"
            for name in self.drifted
        ]
        return "\n".join(lines)


def drifting_items(
    fit: IRTFit,
    *,
    onto: IRTFit,
    method: str = "stocking-lord",
    items: Sequence[str] | None = None,
    threshold: float = 2.7,
    least_shift: float = 0.2,
    least_ratio: float = 1.3,
    most_removed: float = 0.3,
) -> DriftReport:
    """Take out the worst drifted item and link again until none is left (Huynh & Meyer 2010).

    Robust z is the distance from the median over 0.7413 interquartile ranges of the items that
    are still in. An item has drifted when its |z| is above ``threshold`` and the movement matters
    too: a difficulty that moved by ``least_shift`` or a slope by the factor ``least_ratio``. With
    many answers the smallest movement is significant, with few common items a large one may be
    chance; both conditions are asked for.

    Raises
    ------
    BadOption
        If more than the share ``most_removed`` of the items would have to go: then the two forms
        do not measure the same thing and no subset of items says which is right.
    """
    _validate.positive(threshold, "threshold")
    every = common_items(fit, onto, items)
    names = every.item_ids
    own_difficulty, other_difficulty = every.difficulties
    log_slopes = np.log(np.abs(onto.slopes[every.other_at] / fit.slopes[every.own_at]))
    stays = np.ones(len(names), dtype=np.bool_)
    drifted: list[str] = []
    while True:
        current = link(fit, onto=onto, method=method, items=[n for n, s in zip(names, stays, strict=True) if s])
        shift = other_difficulty - current.thetas(own_difficulty)
        log_ratio = log_slopes + np.log(current.slope)
        z_shift, z_slope = _robust_z(shift, stays), _robust_z(log_ratio, stays)
        moved = np.abs(z_shift) * ((np.abs(z_shift) > threshold) & (np.abs(shift) >= least_shift))
        turned = np.abs(z_slope) * ((np.abs(z_slope) > threshold) & (np.abs(log_ratio) >= np.log(least_ratio)))
        worst = np.maximum(moved, turned) * stays
        if not worst.any():
            break
        at = int(np.argmax(worst))
        stays[at] = False
        drifted.append(names[at])
        if len(drifted) > most_removed * len(names) or stays.sum() < FEWEST_ITEMS:
            raise BadOption(
                f"{len(drifted)} of {len(names)} common items have drifted: {', '.join(drifted[:10])}.",
                remedy="Look at those items; raise `threshold` or `least_shift` only with a reason.",
            )
    return DriftReport(names, shift, np.exp(log_ratio), z_shift, z_slope, tuple(drifted), current)


@dataclass(frozen=True)
class Trend(Exported):
    """Change between two occasions; the error has a part of sampling and a part of linking."""

    change: float
    standard_error: float
    sampling_error: float
    linking_error: float

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval."""
        half = NORMAL_95 * self.standard_error
        return self.change - half, self.change + half

    def _columns(self) -> Mapping[str, object]:
        return {name: [value] for name, value in self.to_dict().items()}

    def __str__(self) -> str:
        return (
            f"change {self.change:+.4g} ({self.standard_error:.2g}): "
            f"sampling {self.sampling_error:.2g}, linking {self.linking_error:.2g}"
        )


def trend(earlier: Estimate, later: Estimate, *, link: Link, scale: ReportingScale | None = None) -> Trend:
    """Later mean minus earlier mean, both in theta of their own calibration.

    ``link`` brings the later scale onto the earlier one; a chain over several occasions brings
    all its links' errors. ``scale`` turns the result into reported points. The squared error is
    A^2 se_later^2 + se_earlier^2 + linking error^2 (the PISA and TIMSS practice).
    """
    unit = 1.0 if scale is None else scale.slope
    sampling = float(np.hypot(link.slope * later.standard_error, earlier.standard_error))
    linking = float(link.errors(later.value))
    change = float(link.thetas(later.value)) - earlier.value
    return Trend(unit * change, abs(unit) * float(np.hypot(sampling, linking)), abs(unit) * sampling, abs(unit) * linking)


def _robust_z(values: FloatArray, stays: BoolArray) -> FloatArray:
    low, middle, high = np.nanpercentile(values[stays], [25, 50, 75])
    return np.asarray(np.nan_to_num((values - middle) / max(QUARTILES_TO_SD * (high - low), EXACT)))
