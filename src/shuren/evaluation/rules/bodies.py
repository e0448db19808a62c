"""Bodies of the unit reports: plain JSON values, numbers rounded once, small groups already withheld.

The shape is described in docs/apps/evaluation.md (schema 1). Names are not stored: orgs and items are ids and codes,
named when a report is read.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shuren.evaluation.data import Declaration, Level
from shuren.evaluation.rules.contrasts import ContrastFigures, contrast_figures
from shuren.evaluation.rules.figures import BIN_WIDTH, MANY_PUPILS, PERCENTILES, LevelFigures, level_figures
from shuren.evaluation.rules.measuring import Answers, FloatArray, Measurement, domains_of
from shuren.evaluation.rules.profiles import DomainFigures, ItemFigures, profiles
from shuren.evaluation.rules.suppression import withheld_cells
from shuren.evaluation.rules.units import NO_ORG, LevelUnits, ancestors_at

SCHEMA = 1
Z95 = 1.959964
Z99 = 2.575829
FEWEST_BESIDE = 5
NOTABLE_ITEM = 0.03


@dataclass(frozen=True, slots=True)
class UnitBody:
    """What one unit's report says; a withheld unit's body holds nothing but that it is withheld."""

    org_id: int
    level: Level
    is_withheld: bool
    body: dict[str, object]


@dataclass(frozen=True, eq=False)
class _Level:
    """Everything known of one level, with what must be withheld of it."""

    units: LevelUnits
    figures: LevelFigures
    domains: DomainFigures
    items: ItemFigures
    contrasts: list[ContrastFigures]
    withheld: np.ndarray
    domain_withheld: np.ndarray
    item_withheld: np.ndarray


def unit_bodies(
    answers: Answers, measurement: Measurement, tree: tuple[LevelUnits, ...], declaration: Declaration
) -> Iterator[UnitBody]:
    """Bodies of all units, city first."""
    cuts = tuple(cut.score for cut in declaration.scale.cuts)
    figures = level_figures(answers, measurement.scores.pvs, tree, cuts)
    domains, items = profiles(answers, measurement, tree)
    minimum = declaration.minimum_group
    withheld = _withheld(tree, [part.n[:, None] for part in figures], minimum, None)
    units_withheld = [part[:, 0] for part in withheld]
    domain_withheld = _withheld(tree, [part.n for part in domains], minimum, units_withheld)
    item_withheld = _withheld(tree, [part.n for part in items], minimum, units_withheld)
    contrasts = contrast_figures(
        answers, measurement.scores.pvs, tree, declaration.contrasts, minimum=minimum, withheld=units_withheld
    )
    levels = [
        _Level(*parts)
        for parts in zip(tree, figures, domains, items, contrasts, units_withheld, domain_withheld, item_withheld, strict=True)
    ]
    domain_keys = [domain.key for domain, _ in domains_of(answers.items)]
    codes = [item.code for item in answers.items]
    for position in range(len(levels)):
        yield from _level_bodies(levels, position, domain_keys, codes)


def _withheld(
    tree: tuple[LevelUnits, ...], counts: list[FloatArray], minimum: int, forced: list[np.ndarray] | None
) -> list[np.ndarray]:
    found: list[np.ndarray] = []
    for position, units in enumerate(tree):
        must = None if forced is None else np.broadcast_to(forced[position][:, None], counts[position].shape)
        if position == 0:
            small = (counts[0] > 0) & (counts[0] < minimum)
            found.append(small if must is None else small | must)
            continue
        found.append(withheld_cells(counts[position], units.parents, found[-1], minimum=minimum, forced=must))
    return found


def _level_bodies(levels: list[_Level], position: int, domain_keys: list[str], codes: list[str]) -> Iterator[UnitBody]:
    here = levels[position]
    figures, children = _figures(here.figures), _children(levels, position)
    parts: dict[str, Sequence[object]] = {
        "domains": _domains(here, domain_keys),
        "items": _items(levels, position, codes),
        "above": _above(levels, position),
        "beside": _beside(here),
        "children": children,
        "contrasts": _contrasts(here),
    }
    for unit, org_id in enumerate(here.units.ids.tolist()):
        if org_id == NO_ORG:
            continue
        is_withheld = bool(here.withheld[unit])
        body: dict[str, object] = {"schema": SCHEMA, "level": here.units.level.value, "org": org_id}
        body["is_withheld"] = is_withheld
        if is_withheld:
            body["children"] = children[unit]
        else:
            body.update(figures[unit])
            body.update({name: part[unit] for name, part in parts.items()})
        yield UnitBody(org_id, here.units.level, is_withheld, body)


def estimate(value: float, se: float) -> dict[str, float | None]:
    """A figure with its standard error and 95 % interval; None where it could not be computed."""
    if value != value or se != se:
        return {"value": None if value != value else value, "se": None, "low": None, "high": None}
    return {"value": value, "se": se, "low": round(value - Z95 * se, 4), "high": round(value + Z95 * se, 4)}


def _share(value: float, se: float) -> dict[str, float | None]:
    found = estimate(value, se)
    if found["low"] is not None and found["high"] is not None:
        found["low"], found["high"] = max(0.0, found["low"]), min(1.0, found["high"])
    return found


def _rows(values: FloatArray, decimals: int = 4) -> list[list[float]]:
    return np.round(values, decimals).tolist()  # type: ignore[no-any-return]  # a two-dimensional array


def _list(values: FloatArray, decimals: int = 4) -> list[float]:
    return np.round(values, decimals).tolist()  # type: ignore[no-any-return]  # a one-dimensional array


def _figures(figures: LevelFigures) -> list[dict[str, object]]:
    n, weight = figures.n.astype(np.int64).tolist(), _list(figures.weight)
    means = [estimate(*pair) for pair in zip(_list(figures.mean), _list(figures.mean_se), strict=True)]
    sds = [estimate(*pair) for pair in zip(_list(figures.sd), _list(figures.sd_se), strict=True)]
    shares, share_ses = _rows(figures.shares), _rows(figures.share_se)
    percentiles, histograms = _rows(figures.percentiles, 2), _rows(figures.histogram, 5)
    found: list[dict[str, object]] = []
    for unit, count in enumerate(n):
        is_many = count >= MANY_PUPILS
        kept = PERCENTILES if is_many else (25, 50, 75)
        histogram = {"start": figures.histogram_start, "width": BIN_WIDTH, "shares": histograms[unit]}
        found.append(
            {
                "n": count,
                "weight": weight[unit],
                "mean": means[unit],
                "sd": sds[unit],
                "levels": [_share(*pair) for pair in zip(shares[unit], share_ses[unit], strict=True)],
                "percentiles": {
                    str(share): value for share, value in zip(PERCENTILES, percentiles[unit], strict=True) if share in kept
                },
                "histogram": histogram if is_many else None,
            }
        )
    return found


def _domains(here: _Level, keys: list[str]) -> list[list[dict[str, object]]]:
    n = here.domains.n.astype(np.int64).tolist()
    rate, rate_se = _rows(here.domains.rate), _rows(here.domains.rate_se)
    difference, se = _rows(here.domains.difference), _rows(here.domains.se)
    hidden = here.domain_withheld.tolist()
    found = []
    for unit in range(here.units.count):
        rows: list[dict[str, object]] = []
        for at, key in enumerate(keys):
            if hidden[unit][at] or not n[unit][at]:
                rows.append({"key": key, "is_suppressed": True})
            else:
                row: dict[str, object] = {"key": key, "n": n[unit][at], "rate": rate[unit][at]}
                row["rate_se"] = estimate(rate[unit][at], rate_se[unit][at])["se"]
                rows.append(row | {"difference": estimate(difference[unit][at], se[unit][at])})
        found.append(rows)
    return found


def _items(levels: list[_Level], position: int, codes: list[str]) -> list[list[dict[str, object]]]:
    """Item rows per unit; no row at all where every cell is withheld."""
    here = levels[position]
    shown = ~here.item_withheld & (here.items.n > 0)
    if not shown.any():
        return [[] for _ in range(here.units.count)]
    difference = here.items.difference
    if position > 0:
        difference = difference - levels[position - 1].items.difference[here.units.parents]
    n, rate, rate_se = here.items.n.astype(np.int64).tolist(), _rows(here.items.rate), _rows(here.items.rate_se)
    differences, ses = _rows(difference), _rows(here.items.difference_se)
    with np.errstate(invalid="ignore"):
        limit = np.maximum(Z99 * here.items.difference_se, NOTABLE_ITEM)
        notable = np.where(difference <= -limit, -1, np.where(difference >= limit, 1, 0)).tolist()
    discrimination, omitted = _rows(here.items.discrimination), _rows(here.items.omitted)
    is_shown = shown.tolist()
    found = []
    for unit in range(here.units.count):
        rows: list[dict[str, object]] = []
        for at, code in enumerate(codes) if any(is_shown[unit]) else ():
            if not is_shown[unit][at]:
                rows.append({"code": code, "is_suppressed": True})
                continue
            row: dict[str, object] = {"code": code, "n": n[unit][at], "rate": _share(rate[unit][at], rate_se[unit][at])}
            if position > 0:
                row["difference"] = estimate(differences[unit][at], ses[unit][at])
                row["notable"] = notable[unit][at]
            if discrimination[unit][at] == discrimination[unit][at]:
                row["discrimination"] = discrimination[unit][at]
            if omitted[unit][at] == omitted[unit][at]:
                row["omitted"] = omitted[unit][at]
            rows.append(row)
        found.append(rows)
    return found


def _above(levels: list[_Level], position: int) -> list[list[dict[str, object]]]:
    """Units above, nearest first, with the difference to each; a withheld one is left out."""
    here = levels[position]
    found: list[list[dict[str, object]]] = [[] for _ in range(here.units.count)]
    tree = tuple(level.units for level in levels)
    for step, owner in enumerate(ancestors_at(tree, position)):
        upper = levels[position - 1 - step]
        value, se = _difference(here.figures, upper.figures, owner)
        values, ses = _list(value), _list(se)
        means, mean_ses = _list(upper.figures.mean), _list(upper.figures.mean_se)
        n, shares = upper.figures.n.astype(np.int64).tolist(), _rows(upper.figures.shares)
        ids = upper.units.ids.tolist()
        hidden = upper.withheld.tolist()
        for unit, above in enumerate(owner.tolist()):
            if hidden[above] or ids[above] == NO_ORG:
                continue
            found[unit].append(
                {
                    "level": upper.units.level.value,
                    "org": ids[above],
                    "n": n[above],
                    "mean": estimate(means[above], mean_ses[above]),
                    "levels": shares[above],
                    "difference": estimate(values[unit], ses[unit]),
                }
            )
    return found


def _difference(part: LevelFigures, whole: LevelFigures, owner: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Part − whole, where the whole holds the part: (1 − f)(part − rest), f the part's weight in the whole."""
    share = part.weight / whole.weight[owner]
    rest_variance = np.maximum(whole.mean_se[owner] ** 2 - share**2 * part.mean_se**2, 0.0)
    variance = (1 - share) ** 2 * part.mean_se**2 + rest_variance
    return part.mean - whole.mean[owner], np.sqrt(np.where(share >= 1 - 1e-12, 0.0, variance))


def _beside(here: _Level) -> list[dict[str, object] | None]:
    """Means and errors of the units under the same parent, without names, rising; None where they are too few to hide."""
    found: list[dict[str, object] | None] = [None] * here.units.count
    shown = ~here.withheld & (here.units.ids != NO_ORG)
    starts = np.flatnonzero(np.diff(here.units.parents, prepend=-2))
    for start, end in zip(starts.tolist(), [*starts[1:].tolist(), here.units.count], strict=True):
        members = np.flatnonzero(shown[start:end]) + start
        if members.size < FEWEST_BESIDE:
            continue
        ordered = members[np.argsort(here.figures.mean[members], kind="stable")]
        means, ses = _list(here.figures.mean[ordered], 1), _list(here.figures.mean_se[ordered], 1)
        beside = {"count": int(members.size), "means": means, "ses": [se if se == se else None for se in ses]}
        for unit in members.tolist():
            found[unit] = beside
    return found


def _children(levels: list[_Level], position: int) -> list[list[dict[str, object]]]:
    here = levels[position]
    found: list[list[dict[str, object]]] = [[] for _ in range(here.units.count)]
    if position + 1 == len(levels):
        return found
    below = levels[position + 1]
    n = below.figures.n.astype(np.int64).tolist()
    means, ses, shares = _list(below.figures.mean), _list(below.figures.mean_se), _rows(below.figures.shares)
    hidden = below.withheld.tolist()
    pairs = zip(below.units.ids.tolist(), below.units.parents.tolist(), strict=True)
    for child, (org_id, parent) in enumerate(pairs):
        if org_id == NO_ORG:
            continue
        row: dict[str, object] = {"org": org_id, "level": below.units.level.value, "is_withheld": hidden[child]}
        if not hidden[child]:
            row |= {"n": n[child], "mean": estimate(means[child], ses[child]), "levels": shares[child]}
        found[parent].append(row)
    return found


def _contrasts(here: _Level) -> list[list[dict[str, object]]]:
    found: list[list[dict[str, object]]] = [[] for _ in range(here.units.count)]
    for contrast in here.contrasts:
        n, share = contrast.n.astype(np.int64).tolist(), _rows(contrast.share)
        mean, se = _rows(contrast.mean), _rows(contrast.se)
        gap, gap_se = _list(contrast.gap), _list(contrast.gap_se)
        for unit in range(here.units.count):
            groups = [
                {"value": value, "n": n[unit][at], "share": share[unit][at], "mean": estimate(mean[unit][at], se[unit][at])}
                for at, value in enumerate(contrast.values)
            ]
            found[unit].append({"column": contrast.column, "groups": groups, "gap": estimate(gap[unit], gap_se[unit])})
    return found
