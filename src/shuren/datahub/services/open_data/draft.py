"""Drafting an opening, checking it, and asking a second person for it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from shuren.datahub.data import OpenDeclaration, OpenState, OpenWords
from shuren.datahub.models import OpenDataset, OpenVersion
from shuren.datahub.selectors.open_data import OPEN, access_dataset_to_open, access_opening, declaration_of, version_in_hand
from shuren.datahub.services.open_data.examine import Examined, examine
from shuren.directory import api as directory
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Refused


def draft_opening(
    *, actor: Actor, org_id: int, declaration: OpenDeclaration, words: OpenWords, note: str = "", now: datetime
) -> OpenVersion:
    """A new open dataset in the name of an org, checked at once. For those who may open data there."""
    org = directory.access_org(actor=actor, id=org_id, permission=OPEN, now=now)
    access_dataset_to_open(declaration.dataset)
    found = examine(declaration, org_path=org.path, actor=actor, now=now)
    with transaction.atomic():
        dataset = OpenDataset.objects.create(
            org_id=org.id, org_path=org.path, source=declaration.dataset, changed_at=now, **_told(words)
        )
        version = _kept(OpenVersion(dataset=dataset, number=1), declaration, words, note, found, now)
        version.save(force_insert=True)
        _record("datahub.opening_drafted", version, actor, now)
    return version


def draft_version(
    *, actor: Actor, dataset_id: int, declaration: OpenDeclaration, words: OpenWords, note: str, now: datetime
) -> OpenVersion:
    """Change the version in hand, or begin the next one of what is open; checked at once. What is open stays as it is."""
    latest = OpenVersion.objects.filter(dataset_id=dataset_id).order_by("-number").first()
    dataset = access_opening(actor=actor, id=latest.pk if latest else 0, now=now).dataset
    access_dataset_to_open(declaration.dataset)
    if dataset.withdrawn_at or declaration.dataset != dataset.source:
        raise Conflict(_("这份开放数据已撤回，或来自另一份数据；请另建一份。"))
    found = examine(declaration, org_path=dataset.org_path, actor=actor, now=now)
    with transaction.atomic():
        OpenDataset.objects.select_for_update().get(pk=dataset.pk)
        version = version_in_hand(dataset)
        if version is not None and version.state == OpenState.WAITING:
            raise Conflict(_("已提请审批，不能再改；先请对方退回。"))
        if version is None:
            version = OpenVersion(dataset=dataset, number=1 + _last_number(dataset))
        _kept(version, declaration, words, note, found, now).save()
        if dataset.number is None:
            OpenDataset.objects.filter(pk=dataset.pk).update(changed_at=now, **_told(words))
        _record("datahub.opening_drafted", version, actor, now)
    return version


def check_opening(*, actor: Actor, id: int, now: datetime) -> OpenVersion:
    """Check again: the data, or the least size of a group, may have changed."""
    version = access_opening(actor=actor, id=id, now=now)
    found = examine(declaration_of(version), org_path=version.dataset.org_path, actor=actor, now=now)
    with transaction.atomic():
        version = OpenVersion.objects.select_for_update().select_related("dataset").get(pk=id)
        if version.state not in (OpenState.DRAFT, OpenState.REFUSED, OpenState.WAITING):
            raise Conflict(_("这个版本已经发布或撤回。"))
        keep_check(version, found, now)
        version.save(update_fields=["check_found", "preview", "digest", "checked_at", "state"])
        _record("datahub.opening_checked", version, actor, now)
    return version


def ask_opening(*, actor: Actor, id: int, now: datetime) -> OpenVersion:
    """Hand a version that passed its check to a second person."""
    access_opening(actor=actor, id=id, now=now)
    with transaction.atomic():
        version = OpenVersion.objects.select_for_update().select_related("dataset").get(pk=id)
        if version.state not in (OpenState.DRAFT, OpenState.REFUSED):
            raise Conflict(_("这个版本已经提请、发布或撤回。"))
        if not version.check_found.get("is_passed"):
            raise Refused(_("检查没有通过：还能认出太小的一组人。"), remedy=_("按检查结果改了再提请。"))
        version.state, version.asked_by, version.asked_at, version.reason = OpenState.WAITING.value, actor.person_id, now, ""
        version.save(update_fields=["state", "asked_by", "asked_at", "reason"])
        _record("datahub.opening_asked", version, actor, now)
    return version


def keep_check(version: OpenVersion, found: Examined, now: datetime) -> None:
    """Put a check down; what fails goes back to the draft. Of what fails no row is kept."""
    version.check_found, version.checked_at = asdict(found.check), now
    table = found.table(None) if found.check.is_passed else None
    version.preview, version.digest = (table.preview(), table.digest) if table is not None else ({}, "")
    if not found.check.is_passed:
        version.state = OpenState.DRAFT.value


def _kept(
    version: OpenVersion, declaration: OpenDeclaration, words: OpenWords, note: str, found: Examined, now: datetime
) -> OpenVersion:
    version.state = OpenState.DRAFT.value
    version.declaration = {
        "dataset": declaration.dataset,
        "columns": [[column.name, column.treatment.value] for column in declaration.columns],
        "shape": declaration.shape.value,
        "where": dict(declaration.where),
        "suppresses": declaration.suppresses,
        "has_totals": declaration.has_totals,
        "epsilon": declaration.epsilon,
    }
    version.titles, version.note = {**asdict(words), "keywords": list(words.keywords)}, note[:300]
    version.asked_by = version.asked_at = version.decided_by = version.decided_at = None
    keep_check(version, found, now)
    return version


def _told(words: OpenWords) -> dict[str, object]:
    return told_of(asdict(words))


def told_of(words: Mapping[str, object]) -> dict[str, object]:
    """The fields of a dataset, and what a search of it looks through."""
    keywords = [str(word) for word in words["keywords"]]  # type: ignore[attr-defined]
    text = " ".join([*(str(words[name]) for name in ("title_zh", "title_en", "description")), *keywords]).lower()
    return {**words, "keywords": keywords, "words": text}


def _last_number(dataset: OpenDataset) -> int:
    return dataset.versions.aggregate(last=Max("number"))["last"] or 0


def _record(action: str, version: OpenVersion, actor: Actor, now: datetime) -> None:
    found = version.check_found
    details = {
        "dataset": version.dataset.source,
        "version": version.number,
        "columns": [name for name, _treatment in version.declaration["columns"]],
        "passed": bool(found.get("is_passed")),
        "small": found.get("small", 0),
        "k": found.get("k", 0),
    }
    audit.record(actor=actor, action=action, target=f"open_version:{version.pk}", details=details, now=now)
