"""Rules of quality on their way in from packs: the lake checks and keeps them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.data import FigureAsked, Finding, PackCounts
from shuren.casework.rules.pack_parts import PackPart
from shuren.datahub import api as datahub
from shuren.kernel.data import Actor


def check_rules(body: Mapping[str, Any]) -> Sequence[Finding]:
    """What is wrong with each rule, by its place in the file."""
    remedy = _("照“数据质量”的写法改这条规则：列、条件和方面。")
    reason = _("质量规则不能这样写：%(fault)s。")
    place = str(body.get("key", ""))
    return [
        Finding(fault.path, reason % {"fault": fault.reason}, remedy) for fault in datahub.rule_faults(dict(body), place=place)
    ]


def no_figures(body: Mapping[str, Any]) -> Mapping[str, FigureAsked]:
    return {}


def install_rules(pack: str, bodies: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> PackCounts:
    """Put a pack's rules into force in the caller's transaction; the bodies were checked."""
    counts = datahub.keep_pack_rules(actor=actor, pack=pack, files=bodies, now=now)
    return PackCounts(pack, "", counts["added"], counts["changed"], counts["same"], counts["retired"])


PART = PackPart(check=check_rules, figures=no_figures, install=install_rules)
