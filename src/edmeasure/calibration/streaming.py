"""Calibration and scoring of answers that are larger than memory: Parquet files, folders, Arrow datasets.

Parameters depend on answers through sums over persons alone: a tally, the expected answers of
every E-step, and squared scores for the errors. The sums are taken chunk by chunk, in the order
of the chunks, so the size of the data decides about time and not about memory.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Literal, TypedDict, Unpack

import numpy as np
import numpy.typing as npt

from edmeasure._validate import Int8Array
from edmeasure.calibration import _calibration, _em, _packing, _sheets, _streamed
from edmeasure.calibration._evidence import Evidence, PackedGroups
from edmeasure.calibration._packing import PackedResponses
from edmeasure.calibration._pattern_kernels import Layout
from edmeasure.calibration._sheets import CHUNK_ROWS, DatasetSheets, GroupTally, Sheets, Tally
from edmeasure.calibration.irt import IRTFit, check_options, known_items, names_of_models, result_of
from edmeasure.calibration.priors import WEAK, ItemPriors
from edmeasure.errors import BadOption, BadScore, BadShape, BadWeight, NothingToCalibrate
from edmeasure.responses import Responses

MEMORY = 512 << 20


class CalibrationOptions(TypedDict, total=False):
    """Options of ``calibrate`` that hold for streamed answers too."""

    models: str | Mapping[str, str]
    n_nodes: int
    bound: float
    max_iterations: int
    tolerance: float
    loglik_tolerance: float
    standard_errors: bool
    weak_prior: bool
    priors: ItemPriors | None
    start: IRTFit | None
    fixed: IRTFit | None
    reference: object | None
    latent_density: Literal["normal", "histogram"]
    n_starts: int
    rng: np.random.Generator | None


@dataclass(frozen=True)
class Settings:
    """The same with their defaults."""

    models: str | Mapping[str, str] = "2PL"
    n_nodes: int = 61
    bound: float = 6.0
    max_iterations: int = 500
    tolerance: float = 1e-6
    loglik_tolerance: float = 1e-9
    standard_errors: bool = True
    weak_prior: bool = False
    priors: ItemPriors | None = None
    start: IRTFit | None = None
    fixed: IRTFit | None = None
    reference: object | None = None
    latent_density: Literal["normal", "histogram"] = "normal"
    n_starts: int = 1
    rng: np.random.Generator | None = None


def calibrate_dataset(
    source: object,
    *,
    items: Sequence[str] | None = None,
    max_scores: npt.ArrayLike | None = None,
    weights: str | None = None,
    groups: str | None = None,
    memory: int = MEMORY,
    chunk_rows: int = CHUNK_ROWS,
    **options: Unpack[CalibrationOptions],
) -> IRTFit:
    """Calibrate the items of a dataset that is read in chunks and never held as a whole.

    Parameters
    ----------
    source
        Path of a Parquet file or folder, or any Arrow dataset or table.
    items
        Columns of scores, whose names become item ids; default all that are not named below. Null
        counts as not administered.
    max_scores : int (n_items,), optional
        Default the highest score that occurs, at least 1.
    weights, groups
        Columns of sampling weights and of group labels.
    memory
        Bytes that packed answers may take: with 40 right/wrong items five a person, and eight for
        the weight. Answers that fit, or that collapse into few enough patterns, are packed while
        they are read once; others are read again at every E-step.
    chunk_rows
        Persons at a time. In chunks of one size the same estimates to the last bit, however the
        rows are spread over files and whatever the number of threads.
    options
        Those of `calibrate` but ``free_items`` and ``backend``.

    Raises
    ------
    MissingPackage, BadShape, BadScore, BadWeight, NothingToCalibrate, BadOption

    Notes
    -----
    The estimates are those of `calibrate` with the same answers in memory: to the last bit where
    they are packed, weights are equal and there are no groups, else to what rounding does to sums:
    a few 1e-9, and up to 1e-7 with few items in several groups, where the likelihood is flat.
    """
    sheets = _sheets.dataset_sheets(source, items, weights, groups, chunk_rows)
    return calibrate_sheets(sheets, max_scores, groups is not None, memory, Settings(**options))


def calibrate_sheets(
    sheets: Sheets, max_scores: npt.ArrayLike | None, has_groups: bool, memory: int, options: Settings
) -> IRTFit:
    """The same for answers anywhere; only those of a dataset are ever packed."""
    tallies = sheets.summed(_sheets.tally, _sheets.both_tallies)
    if tallies is None:
        raise NothingToCalibrate("There are no persons.", remedy="Pass at least a few hundred.")
    whole = reduce(GroupTally.plus, tallies.values())
    has_two_priors = options.weak_prior and options.priors is not None
    check_options(
        whole.n_persons, options.n_nodes, options.bound, options.tolerance, options.n_starts, options.rng, has_two_priors
    )
    if not whole.weight > 0:
        raise BadWeight("All weights are zero.", remedy="Give at least one positive weight.")
    nobody = _nobody(sheets, whole, max_scores)
    labels = np.array(sorted(tallies)) if has_groups else None
    grouped = _calibration.grouping(
        labels,
        len(tallies),
        reference=options.reference,
        latent_density=options.latent_density,
        is_fixed=options.fixed is not None,
    )
    names = names_of_models(options.models, nobody, (), options.fixed)
    task = _task(sheets, tallies, whole, nobody, grouped, names, memory, options)
    ends = task.search(options.n_starts, options.rng, options.max_iterations, options.tolerance, options.loglik_tolerance)
    return result_of(nobody, names, task, ends, task.finished(ends, options.standard_errors), grouped.labels)


def _nobody(sheets: Sheets, whole: GroupTally, max_scores: npt.ArrayLike | None) -> Responses:
    """The items, without persons."""
    n_items = len(sheets.item_ids)
    if n_items == 0:
        raise BadShape("There are no columns of scores.", remedy="Name the items' columns.")
    observed = np.array([int(np.flatnonzero(own).max(initial=0)) for own in whole.counts], dtype=np.int8)
    nothing = np.empty((0, n_items), dtype=np.int8)
    items = Responses.from_array(nothing, max_scores=np.maximum(observed, 1) if max_scores is None else max_scores)
    above = np.flatnonzero(observed > items.max_scores)
    if above.size:
        raise BadScore(
            f"Items {[sheets.item_ids[j] for j in above[:10]]} have scores above their maximum.",
            remedy="Mend the scores or raise max_scores.",
        )
    return Responses.from_array(nothing, max_scores=items.max_scores, item_ids=sheets.item_ids)


def _task(
    sheets: Sheets,
    tallies: Tally,
    whole: GroupTally,
    nobody: Responses,
    grouped: _calibration.Groups,
    names: tuple[str, ...],
    memory: int,
    options: Settings,
) -> _streamed.StreamedTask:
    """Set up the calibration of the items that vary."""
    unit = whole.n_persons / whole.weight
    flat = [slice(0, int(top) + 1) for top in nobody.max_scores]
    counts = np.concatenate([own[part] for own, part in zip(whole.counts, flat, strict=True)])
    sums = np.concatenate([own[part] for own, part in zip(whole.sums, flat, strict=True)]) * unit
    starts = _packing.category_starts(nobody.max_scores)
    kept = _calibration.varying_items(_em.item_parts(starts), counts)
    in_kept = kept[_em.categories(starts)[0]]
    varying = nobody.items(kept)
    own = tuple(name for name, is_kept in zip(names, kept, strict=True) if is_kept)
    form = _form(tallies, grouped, np.flatnonzero(kept), nobody.n_items, varying.max_scores, unit)
    fixed = known_items(options.fixed)
    held = np.zeros(varying.n_items, dtype=np.bool_) if fixed is None else fixed.knows(varying.item_ids)
    priors = options.priors or (WEAK if options.weak_prior else ItemPriors())
    evidence = _evidence(sheets, form, tallies, memory, grouped.is_standard)
    problem = _calibration.problem_with(
        evidence, grouped, own, priors, held, counts[in_kept], n_nodes=options.n_nodes, bound=options.bound
    )
    first = _calibration.first_state(problem, sums[in_kept], varying.item_ids, own, (known_items(options.start), fixed))
    return _streamed.StreamedTask(kept, varying, np.empty(0), problem, first, sheets, form, whole.has_missing[kept])


def _form(
    tallies: Tally, grouped: _calibration.Groups, kept: npt.NDArray[np.int64], n_items: int, tops: Int8Array, unit: float
) -> _streamed.Form:
    places = dict(zip(sorted(tallies), grouped.codes.tolist(), strict=True))
    layouts: list[Layout] = []
    for label in sorted(places, key=places.__getitem__):
        own = tallies[label]
        if not own.counts.any():
            raise _calibration.nobody_answered(str(label))
        if not own.weight > 0:
            raise BadWeight(f"All weights of group {str(label)!r} are zero.", remedy="Leave those persons out.")
        layouts.append(_packing.layout_of(tops, own.has_missing[kept]))
    return _streamed.Form(kept, n_items, places, tuple(layouts), unit)


def _evidence(sheets: Sheets, form: _streamed.Form, tallies: Tally, memory: int, is_standard: bool) -> PackedResponses | Evidence:
    """Answers packed into memory, where they can be and fit; else those read anew at every E-step."""
    if memory < 0:
        raise BadOption(f"memory is {memory}.", remedy="Give a number of bytes.")
    if not isinstance(sheets, DatasetSheets) or _streamed.bytes_needed(form, tallies, sheets.chunk_rows) > memory:
        return _streamed.StreamedEvidence(sheets, form)
    packed = _streamed.packed_groups(sheets, form, tallies, sheets.chunk_rows)
    return packed[0] if is_standard else PackedGroups(packed)
