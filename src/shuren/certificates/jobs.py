"""Work of certificates beside the pages: batches, lists of people from files, and terms that end."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext_lazy as _

from shuren.certificates.selectors.own_copy import certificates_kept, digital_certificates_kept
from shuren.certificates.services import bring_templates as templates
from shuren.certificates.services import end_digital, follow_people, take_list
from shuren.certificates.services import give_for_case as cases
from shuren.certificates.services.digital import remind_of_ends as remind
from shuren.certificates.services.give_batch import write_batch
from shuren.certificates.services.revoke import restore_revocations as restore
from shuren.certificates.services.take_list import apply_list, check_list
from shuren.directory.api import register_subject_data
from shuren.intake.api import register_kind
from shuren.kernel import clock
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

__all__ = [
    "apply_list",
    "bring_templates",
    "bring_to_root",
    "check_list",
    "end_for_erased",
    "end_for_leaver",
    "end_for_org",
    "end_shares",
    "follow_merge",
    "forget_failed",
    "give",
    "give_for_case",
    "remind_of_ends",
    "restore_revocations",
    "review_holders",
]

register_periodic("shuren.certificates.jobs.remind_of_ends", timedelta(days=1))
register_periodic("shuren.certificates.jobs.review_holders", timedelta(days=1))
register_periodic("shuren.certificates.jobs.restore_revocations", timedelta(days=7))
register_subject_data("certificates", certificates_kept, title=_("证书"))
register_subject_data("digital_certificates", digital_certificates_kept, title=_("数字证书"))
register_kind(
    "certificates",
    title=_("发证名单"),  # type: ignore[arg-type]  # the face takes a lazy translation too
    check="shuren.certificates.jobs.check_list",
    apply="shuren.certificates.jobs.apply_list",
)


def give(job: JobContext, batch_id: int) -> Mapping[str, int]:
    """Give what is left of a batch."""
    return {"certificate": write_batch(job, batch_id=batch_id, now=clock.now())}


def remind_of_ends(job: JobContext) -> dict[str, int]:
    """Tell holders of digital certificates that end within thirty days."""
    return {"told": remind(now=clock.now())}


def restore_revocations(job: JobContext) -> dict[str, int]:
    """Compare revocations with the evidence log; a status list never says less than the log."""
    return {"restored": restore(now=clock.now(), on_progress=job.progress)}


def follow_merge(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Two entries were one person: certificates are theirs; subscribed to `directory.person_merged`."""
    kept_id, dropped_id = payload["kept_id"], payload["dropped_id"]
    return {"certificates": follow_people.follow_merge(kept_id=kept_id, dropped_id=dropped_id, now=clock.now())}


def end_shares(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Nobody is left to show certificates; subscribed to `directory.person_erased`."""
    return {"links": follow_people.end_shares(person_id=payload["person_id"], now=clock.now()) if payload["is_whole"] else 0}


def end_for_leaver(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Somebody left an org or a class; subscribed to `directory.affiliation_ended` and `directory.enrollment_ended`."""
    return {"ended": end_digital.end_for_leaver(person_id=payload["person_id"], now=clock.now())}


def end_for_org(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """An org is no more; subscribed to `directory.org_closed` and `directory.org_merged`."""
    path = payload["path"] if "path" in payload else payload["old_path"]
    return {"ended": end_digital.end_for_org(path=path, now=clock.now())}


def end_for_erased(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Nothing of a person is left but the number; subscribed to `directory.person_erased`."""
    is_whole = payload["is_whole"]
    return {"ended": end_digital.end_for_erased(person_id=payload["person_id"], now=clock.now()) if is_whole else 0}


def review_holders(job: JobContext) -> dict[str, int]:
    """Every night: certificates of people who are not where it says any more."""

    def keep(last: int, ended: int) -> None:
        job.checkpoint(after=last)
        job.progress(ended)

    return {"ended": end_digital.review_holders(now=clock.now(), after=int(job.state.get("after", 0)), on_chunk=keep)}


def forget_failed(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """A list failed: what it had put together is dropped; subscribed to `intake.failed`."""
    return {"batches": take_list.forget_failed(payload["import_id"]) if payload["kind"] == "certificates" else 0}


def give_for_case(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """A case ended with a certificate; subscribed to `casework.case_closed`."""
    if not payload.get("certificate"):
        return {"given": 0}
    given = cases.give_for_case(case_id=payload["case_id"], name=payload["certificate"], now=clock.now())
    return {"given": int(given is not None)}


def bring_templates(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """A pack was installed, maybe with certificates; subscribed to `casework.pack_installed`."""
    return {"made": templates.bring_templates(pack=payload["pack"], now=clock.now())}


def bring_to_root(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Packs are installed before there is an org: the root org gets what they brought; subscribed to `directory.org_added`."""
    is_root = payload["path"] == f"{payload['org_id']}/"
    return {"made": templates.bring_templates(now=clock.now()) if is_root else 0}
