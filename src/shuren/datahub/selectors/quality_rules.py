"""The rules in force: those that ship, those that packs bring, and the region's own.

A later rule takes the place of an earlier one with the same code, in this order.
"""

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

from shuren.datahub.data import QualityRule
from shuren.datahub.models import RuleFile
from shuren.datahub.rules.quality.faults import RuleFault
from shuren.datahub.rules.quality.files import rules_in, rules_or_faults
from shuren.datahub.rules.quality.sql import Layout, columns_read, layout_of
from shuren.datahub.selectors.assets import column_types_of_datasets
from shuren.datahub.selectors.catalogue import known_datasets, spec_named
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards

_SHIPPED = Path(__file__).parent.parent / "quality"
_FILE, _PACK = "file", "pack"
_log = logging.getLogger(__name__)


def quality_rules(dataset: str = "") -> list[QualityRule]:
    """Every rule, or those of one dataset, in the order of the files."""
    return [rule for rule in _rules(_stamp()).values() if not dataset or rule.dataset == dataset]


def quality_rule(code: str) -> QualityRule:
    found = _rules(_stamp()).get(code)
    if found is None:
        raise NotFound(_("没有这条质量规则。"))
    return found


def rules_to_run(dataset: str) -> tuple[list[QualityRule], Layout | None]:
    """The rules whose columns the dataset has as it was written last, and how its rows lie.

    None where no row says whose it is.
    """
    columns = column_types_of_datasets([dataset]).get(dataset, {})
    layout = layout_of(spec_named(dataset), columns) if columns else None
    return [rule for rule in quality_rules(dataset) if layout is not None and columns_read(rule) <= columns.keys()], layout


def datasets_to_measure() -> list[str]:
    """Every dataset of the lake with rules that can be run, by name."""
    named = {rule.dataset for rule in quality_rules()} & {spec.name for spec in known_datasets()}
    return [name for name in sorted(named) if rules_to_run(name)[0]]


def rule_faults(body: object, *, place: str) -> list[RuleFault]:
    """All that is wrong with a file of rules, columns that a known dataset does not have included."""
    faults = []
    for found in rules_or_faults(body, place=place, codes_of=_codes_of):
        if isinstance(found, RuleFault):
            faults.append(found)
        elif unknown := sorted(columns_read(found) - _columns_of(found)):
            reason = f"{found.dataset} has no column {', '.join(unknown)}"
            faults.append(RuleFault(place, reason, f"rules.{found.code}"))
    return faults


def _columns_of(rule: QualityRule) -> frozenset[str]:
    """The columns that a rule may read; of a dataset that is not known yet, all that it does."""
    read = columns_read(rule)
    spec = next((spec for spec in known_datasets() if spec.name == rule.dataset), None)
    if spec is None or not spec.columns:
        return read
    written = column_types_of_datasets([spec.name]).get(spec.name, {})
    return frozenset({*spec.columns, *spec.partition_keys, *written, *(name for name in read if any(spec.titles_of(name)))})


def faults_in(folder: Path) -> list[RuleFault]:
    """What is wrong with the rule files of a folder; a file with a fault counts for nothing."""
    faults: list[RuleFault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            _read(path)
        except RuleFault as fault:
            faults.append(fault)
    return faults


def _stamp() -> tuple[tuple[str, str, str], ...]:
    """What changes when a file of the region or of a pack does: a rule is mended without starting the house anew."""
    kept = tuple((_PACK, key, digest) for key, digest in RuleFile.objects.order_by("key").values_list("key", "digest"))
    return (*_files(_SHIPPED), *kept, *_files(Path(settings.DATA_DIR) / "quality"))


def _files(folder: Path) -> Iterator[tuple[str, str, str]]:
    return ((_FILE, str(path), str(path.stat().st_mtime_ns)) for path in sorted(folder.glob("*.yaml")))


@lru_cache(maxsize=2)
def _rules(stamp: Iterable[tuple[str, str, str]]) -> dict[str, QualityRule]:
    found: dict[str, QualityRule] = {}
    for kind, name, _when in stamp:
        try:
            rules = _read(Path(name)) if kind == _FILE else _read_kept(name)
            found |= {rule.code: rule for rule in rules}
        except RuleFault as fault:
            _log.error("%s", fault)
    return found


def _read_kept(key: str) -> list[QualityRule]:
    said = RuleFile.objects.get(key=key).said
    return list(rules_in(said, place=key, codes_of=_codes_of))


def _read(path: Path) -> list[QualityRule]:
    try:
        said = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RuleFault(path.name, str(error)) from error
    return list(rules_in(said, place=path.name, codes_of=_codes_of))


def _codes_of(code_set: str) -> Iterable[str]:
    try:
        return [code.code for code in standards.codes(code_set)]
    except NotFound:
        return []
