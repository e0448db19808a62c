"""Telling people how the work they started came out."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.api import declare_assets
from shuren.evaluation import api as evaluation
from shuren.front.operations import api_operations
from shuren.front.services.take_edition import apply_edition, check_edition
from shuren.identity import api as identity
from shuren.intake import api as intake
from shuren.kernel import clock, ids
from shuren.messaging import api as messaging
from shuren.standards import api as standards
from shuren.trust import api as trust
from shuren.trust.data import Business, DigestAlgorithm
from shuren.work import api as work
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

__all__ = ["apply_edition", "check_edition"]

declare_assets(api_operations)

register_periodic("shuren.front.jobs.sweep_sign_ins", timedelta(hours=6))
register_periodic("shuren.front.jobs.settle_editions", timedelta(days=1))
intake.register_kind(
    "edition",
    title=gettext_lazy("代码集新版本"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.front.jobs.check_edition",
    apply="shuren.front.jobs.apply_edition",
)


def settle_editions(job: JobContext) -> None:
    """Have every process read the editions that are recorded, should a switch have been cut short."""
    standards.switch_editions()


def tell_import(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> None:
    """Tell whoever started an import that a step of it is over; subscribed to `intake.checked`, `.applied`, `.failed`."""
    state = intake.import_state(payload["import_id"])
    # What brought the file goes on with it by itself, and tells of it when a person is needed.
    if state.owner_person_id is None or state.options.get("is_carried"):
        return
    with translation.override(_language_of(state.owner_person_id)):
        titles = {
            "ready": _("%(file)s 检查通过，等您写入"),
            "rejected": _("%(file)s 有错误，没有写入"),
            "applied": _("%(file)s 已全部写入"),
            "failed": _("%(file)s 没有导入成功，没有写入任何数据"),
        }
        title = titles.get(state.status.value)
        if title is None:
            return
        messaging.notify(
            person_ids=[state.owner_person_id],
            title=title % {"file": state.file_name},
            body=state.error,
            url=reverse("front:import", args=[ids.encode("import", state.id)]),
            key=f"event:{event_id}",
            now=clock.now(),
        )


def tell_run(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> None:
    """Tell whoever started an evaluation that its reports are there; subscribed to `evaluation.run_finished`."""
    state = evaluation.run_state(payload["run_id"])
    account_id = work.job_state(state.job_id).owner_account_id if state.job_id else None
    person_id = identity.person_ids_of_accounts([account_id]).get(account_id) if account_id else None
    if person_id is None:
        return
    with translation.override(_language_of(person_id)):
        messaging.notify(
            person_ids=[person_id],
            title=_("%(title)s 的报告已经生成") % {"title": state.title},
            url="/reports/",
            key=f"event:{event_id}",
            now=clock.now(),
        )


def anchor_run(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> dict[str, int]:
    """Put a run on record; subscribed to `evaluation.run_finished`.

    Every pupil's scores are an entry of their own, whose proof the pupil can hold without anybody else's; the root over
    declaration and all rows is one more, for whoever audits the run.
    """
    state = evaluation.run_state(payload["run_id"])
    scores = evaluation.scores_of(state.id)

    def items() -> Iterator[bytes]:
        yield state.declaration_hash.encode()
        for batch in scores.to_batches(max_chunksize=10_000):
            for row in batch.to_pylist():
                yield json.dumps(row, sort_keys=True, ensure_ascii=False, default=str).encode()

    digest = trust.root_over(items(), DigestAlgorithm.SM3)
    done = job.state.get("done", 0)
    for number, some in enumerate(evaluation.score_statements(state.id)):
        if number < done:
            continue
        with transaction.atomic():
            digests = [(subject, trust.digest(said, DigestAlgorithm.SHA256)) for subject, said in some]
            trust.anchor_many(business=Business.SCORE, items=digests, now=clock.now())
            job.checkpoint(done=number + 1)
    entry = trust.anchor(business=Business.SCORE, subject=f"evaluation_run:{state.id}", digest=digest, now=clock.now())
    return {"entry": entry, "pupils": scores.num_rows}


def anchor_roster(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> dict[str, int]:
    """Put a roster on record: the file that was applied and what it changed; subscribed to `directory.roster_applied`."""
    state = intake.import_state(payload["import_id"])
    facts = {"file": state.sha256, "counts": payload["counts"], "import": state.id}
    digest = trust.digest(json.dumps(facts, sort_keys=True).encode(), DigestAlgorithm.SM3)
    return {
        "entry": trust.anchor(business=Business.ENROLMENT, subject=f"roster_import:{state.id}", digest=digest, now=clock.now())
    }


def sweep_sign_ins(job: JobContext) -> dict[str, int]:
    """Forget sessions that have run out."""
    return {"ended": identity.sweep_sign_ins(now=clock.now())}


def _language_of(person_id: int) -> str | None:
    account = identity.accounts_of_people([person_id]).get(person_id)
    return account.language or None if account else None
