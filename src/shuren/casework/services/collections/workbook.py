"""A collection as a workbook: a row per org that still owes its answer, out with what is known, and back in by the same rules."""

import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework.data import CaseState, CollectionState
from shuren.casework.models import Case, Collection, CollectionTarget
from shuren.casework.rules.collections import OPEN_STATES
from shuren.casework.selectors.collections.reach import Reach, access_collection
from shuren.casework.selectors.definitions import form_of
from shuren.casework.selectors.prefill import prefilled
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.collections.fill import begun_case
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.form_workbook import Prepared, Submission, form_template, read_form_workbook
from shuren.directory import api as directory
from shuren.intake.data import Finding
from shuren.kernel import audit, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, ShurenError
from shuren.work import api as work

MOST_CELLS = 300_000
SHOWN_FINDINGS = 200
_OPEN = [state.value for state in OPEN_STATES]
# Behind the name stands the org's number, by which the row is known again.
_NAMED = re.compile(r"\[([0-9a-z]{13})\]\s*$")


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a workbook: rows kept as drafts, rows handed in, rows with faults, of which nothing was kept."""

    saved: int = 0
    handed_in: int = 0
    faulty: int = 0


def target_workbook(*, actor: Actor, reach: Reach, now: datetime) -> bytes:
    """The workbook of every org in reach that has not answered, with what was begun or is known. It is audited."""
    form = form_of(reach.collection.form_version_id)
    targets = list(reach.targets.filter(state__in=_OPEN).select_related("case").order_by("org_path"))
    if not targets:
        raise Conflict(_("范围内的单位都已经提交。"))
    if len(targets) * len(form.fields) > MOST_CELLS:
        most = MOST_CELLS // len(form.fields)
        raise Invalid(_("单位太多，一个工作簿最多放 %(most)d 个。") % {"most": most}, remedy=_("请由下级单位分别下载。"))
    orgs = directory.orgs_by_ids([target.org_id for target in targets])
    rows = []
    for target in targets:
        org = orgs[target.org_id]
        known = {key: one.value for key, one in prefilled(form, org=org, person=None, now=now).items()}
        begun = target.case.data if target.case else {}
        rows.append(Prepared(f"{org.name} [{org.public_id}]", {**begun, **known}))
    told = {"form": "workbook", "paths": list(reach.paths), "fields": len(form.fields), "rows": len(rows)}
    target_name = f"collection:{reach.collection.pk}"
    audit.record(actor=actor, action="casework.collection_exported", target=target_name, details=told, now=now)
    return form_template(form, rows=rows)


def receive_workbook(
    *, actor: Actor, collection_id: int, upload: "UploadedFile[bytes]", is_handed_in: bool, now: datetime
) -> int:
    """Keep a workbook that came back and have a job read it; returns the job's id."""
    reach = access_collection(actor=actor, id=collection_id, now=now)
    if reach.collection.state != CollectionState.OPEN:
        raise Conflict(_("这项采集没有开放。"))
    path = _place(reach.collection, now)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for chunk in upload.chunks():
            file.write(chunk)
    asked = {"file": path.name, "name": str(upload.name)[:100], "is_handed_in": is_handed_in, "paths": list(reach.paths)}
    return work.enqueue(
        "shuren.casework.jobs.collections.take_workbook",
        {"collection_id": reach.collection.pk, "actor": _kept_actor(actor), **asked},
        title=gettext_lazy("读入工作簿“%(name)s”"),
        title_words={"name": str(upload.name)[:100]},
        actor=actor,
    )


def take_workbook(
    *,
    actor: Actor,
    collection_id: int,
    paths: list[str],
    file: str,
    name: str,
    is_handed_in: bool,
    on_progress: Callable[[int, int], None],
    now: datetime,
) -> tuple[Taken, list[Finding]]:
    """Keep every row without a fault as its org's draft, or hand it in; the others are named and nothing of them is kept.

    `actor` issues collections over the branches `paths`. Run again it finds orgs that it handed in already, and leaves them.
    """
    row = Collection.objects.get(pk=collection_id)
    form = form_of(row.form_version_id)
    path = _folder() / file
    if not path.exists():
        # A run that was killed at its very end had done everything.
        return Taken(), []
    read = read_form_workbook(form, path, today=day_of(now), file_name=name, is_draft=not is_handed_in)
    reach = Reach(row, tuple(paths), may_manage=False)
    targets = {target.org_id: target for target in reach.targets.filter(state__in=_OPEN)}
    findings, saved, handed_in, faulty = list(read.findings), 0, 0, 0
    for done, submission in enumerate(read.submissions, start=1):
        try:
            target = _target_of(submission, targets)
            _keep(actor, target, submission, is_handed_in, now)
        except ShurenError as error:
            findings += _findings_of(error, submission, name)
            faulty += 1
        else:
            saved += not is_handed_in
            handed_in += is_handed_in
        on_progress(done, len(read.submissions))
    taken = Taken(saved, handed_in, faulty)
    _record(actor, row, taken, name, now)
    path.unlink(missing_ok=True)
    return taken, findings


def _record(actor: Actor, row: Collection, taken: Taken, name: str, now: datetime) -> None:
    told = {**asdict(taken), "file": name}
    audit.record(actor=actor, action="casework.collection_filled", target=f"collection:{row.pk}", details=told, now=now)


class _Faulty(Invalid):
    """The row's faults stand in the findings already."""


def _target_of(submission: Submission, targets: dict[int, CollectionTarget]) -> CollectionTarget:
    if not submission.checked.is_sound:
        raise _Faulty(_("这一行有错误。"))
    found = _NAMED.search(submission.name)
    try:
        target = targets.get(ids.decode("org", found[1])) if found else None
    except NotFound:
        target = None
    if target is None:
        raise Conflict(_("没有找到这个单位，或者它已经提交。"), remedy=_("请重新下载工作簿，不要改动单位那一列。"))
    return target


@transaction.atomic
def _keep(actor: Actor, target: CollectionTarget, submission: Submission, is_handed_in: bool, now: datetime) -> None:
    # In the name of whoever brought it, who looks after the branch but holds none of the offices that fill in.
    hand = Actor(person_id=actor.person_id, account_id=actor.account_id, name=actor.name, is_system=True)
    case = begun_case(actor=hand, target_id=target.pk, now=now)
    if case.state not in (CaseState.DRAFT, CaseState.RETURNED):
        raise Conflict(_("这个单位已经提交。"))
    data = {**case.data, **submission.checked.data}
    save_draft(actor=hand, case_id=case.pk, data=data, base_revision=_revision(case), now=now)
    if is_handed_in:
        submit_case(actor=hand, case_id=case.pk, now=now)


def _revision(case: Case) -> int:
    return Case.objects.values_list("revision", flat=True).get(pk=case.pk)


def _findings_of(error: ShurenError, submission: Submission, name: str) -> Iterator[Finding]:
    if isinstance(error, _Faulty):
        return
    if isinstance(error, FormRefused):
        for fault in error.faults:
            yield Finding(name, "", submission.row, fault.title, "", fault.reason, fault.remedy, fault.is_error)
        return
    yield Finding(name, "", submission.row, "", submission.name[:200], error.message, error.remedy, True)


def _kept_actor(actor: Actor) -> dict[str, Any]:
    return {"person_id": actor.person_id, "account_id": actor.account_id, "name": actor.name, "role": actor.role}


def _folder() -> Path:
    return Path(settings.DATA_DIR) / "casework" / "workbooks"


def _place(row: Collection, now: datetime) -> Path:
    return _folder() / f"{row.pk}-{now:%Y%m%d%H%M%S%f}.xlsx"
