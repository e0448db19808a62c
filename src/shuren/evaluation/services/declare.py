"""Declaring a run: every choice is fixed, written down and hashed before a number is computed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

import edmeasure
from shuren.assessment.api import access_assessment, assessment_state
from shuren.assessment.data import RESPONSES, AssessmentData
from shuren.datahub.api import keep_snapshot
from shuren.directory.api import scope_of
from shuren.directory.data import Permission
from shuren.evaluation.data import Cut, Declaration, Published, RunStatus, Scale
from shuren.evaluation.models import EvaluationRun
from shuren.evaluation.rules.declaration import (
    DEFAULT_CUTS,
    OPTIONS,
    BadDeclaration,
    as_json,
    digest,
    from_json,
    refuse_bad,
    scale_from_json,
)
from shuren.evaluation.rules.truth import reference_groups
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, Refused

MODELS = {"items": "2PL/GPCM, MML", "ability": "EAP, WLE", "groups": "plausible values, latent regression"}


def declare_run(*, actor: Actor, assessment_id: int, options: Mapping[str, Any] | None = None, now: datetime) -> int:
    """Write a declaration down and return the run's id; nothing is computed until `start_run`.

    Needs RUN_EVALUATION on the whole population. `options` overrides defaults by field name of `Declaration`
    (`docs/apps/evaluation.md` lists them). The lake snapshot read is kept, so that any later day can repeat the run.
    """
    assessment = assessment_state(assessment_id) if actor.is_system else access_assessment(actor=actor, id=assessment_id, now=now)
    if not scope_of(actor=actor, permission=Permission.RUN_EVALUATION, now=now).covers(assessment.org_path):
        raise Refused(_("您没有在整个测评范围内开展分析的权限。"), remedy=_("请由管理整个范围的机构开展分析。"))
    if assessment.snapshot_id is None:
        raise Conflict(_("这次测验还没有作答数据。"), remedy=_("请先导入成绩。"))
    try:
        declaration = declaration_for(assessment, dict(options or {}))
        refuse_bad(declaration)
    except (BadDeclaration, TypeError, ValueError) as error:
        raise Invalid(_("声明中的选项不可用：%(error)s") % {"error": error}, remedy=_("请改正该选项后重新声明。")) from error
    stored = as_json(declaration)
    with transaction.atomic():
        run = EvaluationRun.objects.create(
            assessment_id=assessment_id,
            org_id=assessment.org_id,
            org_path=assessment.org_path,
            title=declaration.title,
            programme=declaration.programme,
            scale_key=declaration.scale.key,
            held_date=assessment.held_date,
            is_simulated=assessment.is_simulated,
            source_note=assessment.source_note,
            declaration=stored,
            declaration_hash=digest(stored),
            status=RunStatus.DECLARED,
            declared_by_id=actor.person_id,
            declared_at=now,
        )
        keep_snapshot(
            RESPONSES,
            {"assessment": assessment_id},
            assessment.snapshot_id,
            reason=f"run:{run.pk}",
            actor=actor,
            now=now,
        )
        audit.record(
            actor=actor,
            action="evaluation.run_declared",
            target=f"run:{run.pk}",
            details={"assessment": assessment_id, "hash": run.declaration_hash},
            now=now,
        )
    return run.pk


def declaration_for(assessment: AssessmentData, options: dict[str, Any]) -> Declaration:
    """The assessment's defaults with the given options put over them."""
    unknown = sorted(set(options) - OPTIONS)
    if unknown:
        raise BadDeclaration(", ".join(unknown))
    context = tuple(column.name for column in assessment.context)
    reference = tuple(options.pop("reference", None) or own_reference(assessment))
    strangers = sorted(set(reference) - set(assessment.references))
    if strangers:
        raise BadDeclaration("reference: " + ", ".join(strangers))
    programme = str(options.pop("programme", "") or assessment.code)
    scale = options.pop("scale", None)
    published = options.pop("published", None) or {}
    for name in ("conditioning", "contrasts"):
        if name in options:
            options[name] = tuple(options[name])
    defaults: dict[str, Any] = {"title": assessment.name, "conditioning": context, "contrasts": ()}
    return Declaration(
        programme=programme,
        assessment_ids=(assessment.id,),
        org_id=assessment.org_id,
        snapshots={str(assessment.id): str(assessment.snapshot_id)},
        models=MODELS,
        scale=_scale(assessment, scale, reference, programme),
        reference=reference,
        published={stem: row if isinstance(row, Published) else Published(**row) for stem, row in published.items()},
        versions=software_versions(),
        **{**defaults, **{name: value for name, value in options.items() if value not in (None, "")}},
    )


def own_reference(assessment: AssessmentData) -> tuple[str, ...]:
    """The reference values of the run's own subject: the first group of reference columns the test came with."""
    groups = reference_groups(assessment.references)
    return next(iter(groups.values()), ())


def software_versions() -> dict[str, str]:
    """What computed the numbers; stored with the run, since another version may round differently."""
    return {"edmeasure": edmeasure.__version__, **{name: version(name) for name in ("shuren", "numpy", "scipy", "numba")}}


def _scale(assessment: AssessmentData, given: object, reference: tuple[str, ...], programme: str) -> Scale:
    scale = _own_scale(assessment, reference) if given is None else given if isinstance(given, Scale) else scale_from_json(given)
    if scale.method == "anchor" and scale.anchor_run_id is not None:
        return _linked_scale(scale, scale.anchor_run_id)
    # Every run makes a declared scale anew from its own population: only a test and itself stand on it.
    return scale if scale.key else replace(scale, key=programme if scale.method == "reference" else assessment.code)


def _own_scale(assessment: AssessmentData, reference: tuple[str, ...]) -> Scale:
    own = assessment.scale
    names = own.levels or ("",) * (len(own.cuts) + 1)
    cuts = tuple(Cut(score, name) for score, name in zip(own.cuts, names[1:], strict=False))
    return Scale(
        method="reference" if reference else "declared",
        mean=own.mean,
        sd=own.sd,
        cuts=cuts or tuple(Cut(score) for score in DEFAULT_CUTS),
        lowest_name=names[0],
    )


def _linked_scale(scale: Scale, run_id: int) -> Scale:
    """The scale of the run it is linked to: its key, and its cut scores with their names unless others are given."""
    anchor = EvaluationRun.objects.filter(pk=run_id, status=RunStatus.DONE).first()
    if anchor is None:
        raise BadDeclaration(f"scale.anchor_run_id={run_id}: no finished run")
    first = from_json(anchor.declaration).scale
    return replace(
        scale,
        mean=first.mean,
        sd=first.sd,
        cuts=scale.cuts or first.cuts,
        lowest_name=scale.lowest_name or first.lowest_name,
        key=scale.key or first.key,
    )
