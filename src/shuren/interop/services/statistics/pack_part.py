"""Templates on their way in from packs: a changed one is a new version, one that left its pack is retired."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from shuren.casework.api import PackPart
from shuren.casework.data import Finding, PackCounts
from shuren.datahub import api as datahub
from shuren.interop.models import StatisticsTemplate
from shuren.interop.rules.statistics.plan import CellKind
from shuren.interop.rules.statistics.reading import template_figures, template_findings, template_of
from shuren.interop.rules.statistics.spec import TemplateSpec
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid


def check_template(body: Mapping[str, Any]) -> Sequence[Finding]:
    """What is wrong with a template, its questions to the lake included."""
    found = list(template_findings(body))
    if found:
        return found
    for place, cell in template_of(body).plan.items():
        if cell.kind is CellKind.LAKE:
            try:
                datahub.check_question(cell.lake)
            except Invalid as fault:
                found.append(Finding(f"lines.{place[0]}.lake", str(fault)))
    return found


def install_templates(pack: str, bodies: Sequence[Mapping[str, Any]], actor: Actor, now: datetime) -> PackCounts:
    """Put a pack's forms into force in the caller's transaction; the bodies were checked."""
    added = changed = same = 0
    for body in bodies:
        digest = sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        before = StatisticsTemplate.objects.filter(key=body["key"], is_current=True).first()
        if before is not None and before.pack != pack:
            raise Invalid(_("“%(key)s”已经由功能包 %(pack)s 定义。") % {"key": before.key, "pack": before.pack})
        if before is not None and before.digest == digest and not before.is_retired:
            same += 1
            continue
        _write(pack, body, digest, before, actor, now)
        added, changed = added + (before is None), changed + (before is not None)
    retired = _retire_rest(pack, {body["key"] for body in bodies}, actor, now)
    return PackCounts(pack, "", added, changed, same, retired)


def _write(
    pack: str, body: Mapping[str, Any], digest: str, before: StatisticsTemplate | None, actor: Actor, now: datetime
) -> None:
    spec = TemplateSpec.model_validate(body)
    if before is not None:
        StatisticsTemplate.objects.filter(pk=before.pk).update(is_current=False)
    row = StatisticsTemplate.objects.create(
        key=spec.key,
        version=before.version + 1 if before else 1,
        pack=pack,
        number=spec.number,
        title_zh=spec.title.zh,
        title_en=spec.title.en,
        body=dict(body),
        digest=digest,
        installed_at=now,
    )
    _record(actor, "interop.statistics_template_installed", row, now)


def _retire_rest(pack: str, kept: set[str], actor: Actor, now: datetime) -> int:
    rows = list(StatisticsTemplate.objects.filter(pack=pack, is_current=True, is_retired=False).exclude(key__in=kept))
    for row in rows:
        row.is_retired = True
        row.save(update_fields=["is_retired"])
        _record(actor, "interop.statistics_template_retired", row, now)
    return len(rows)


def _record(actor: Actor, action: str, row: StatisticsTemplate, now: datetime) -> None:
    details = {"key": row.key, "version": row.version, "number": row.number}
    audit.record(actor=actor, action=action, target=f"statistics_template:{row.pk}", details=details, now=now)


PART = PackPart(check=check_template, figures=template_figures, install=install_templates)
