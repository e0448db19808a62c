"""The rules in force: those that ship, and the region's own, which take the place of shipped ones with the same code."""

import logging
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

import yaml
from django.conf import settings
from django.utils.translation import gettext as _

from shuren.datahub.data import QualityRule
from shuren.datahub.rules.quality.faults import RuleFault
from shuren.datahub.rules.quality.files import rules_in
from shuren.kernel.errors import NotFound
from shuren.standards import api as standards

_SHIPPED = Path(__file__).parent.parent / "quality"
_log = logging.getLogger(__name__)


def quality_rules(dataset: str = "") -> list[QualityRule]:
    """Every rule, or those of one dataset, in the order of the files."""
    return [rule for rule in _rules(_stamp()).values() if not dataset or rule.dataset == dataset]


def quality_rule(code: str) -> QualityRule:
    found = _rules(_stamp()).get(code)
    if found is None:
        raise NotFound(_("没有这条质量规则。"))
    return found


def faults_in(folder: Path) -> list[RuleFault]:
    """What is wrong with the rule files of a folder; a file with a fault counts for nothing."""
    faults: list[RuleFault] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            _read(path)
        except RuleFault as fault:
            faults.append(fault)
    return faults


def _folders() -> tuple[Path, ...]:
    return (_SHIPPED, Path(settings.DATA_DIR) / "quality")


def _stamp() -> tuple[tuple[str, int], ...]:
    """What changes when a file of the region does: a region mends a rule without starting the house anew."""
    return tuple((str(path), path.stat().st_mtime_ns) for folder in _folders() for path in sorted(folder.glob("*.yaml")))


@lru_cache(maxsize=2)
def _rules(stamp: Iterable[tuple[str, int]]) -> dict[str, QualityRule]:
    found: dict[str, QualityRule] = {}
    for path, _when in stamp:
        try:
            found |= {rule.code: rule for rule in _read(Path(path))}
        except RuleFault as fault:
            _log.error("%s", fault)
    return found


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
