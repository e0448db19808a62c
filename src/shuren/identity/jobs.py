"""Work of identity that runs beside the pages: apps and services told of sign-outs, families swept, keys turned over."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.directory import api as directory
from shuren.directory.data import ROSTER_UNDO_WINDOW
from shuren.identity.selectors import own_copy
from shuren.identity.services import life
from shuren.identity.services.batches import hand_out, take
from shuren.identity.services.cas import sign_out as cas
from shuren.identity.services.close_account import close_account as close
from shuren.identity.services.credentials import create_accounts
from shuren.identity.services.merge_accounts import merge_accounts as merge
from shuren.identity.services.oauth import logout
from shuren.identity.services.oauth.families import sweep_families
from shuren.identity.services.oauth.id_tokens import rotate_keys as rotate_old_keys
from shuren.identity.services.saml import sign_out as saml
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work.api import enqueue, register_periodic
from shuren.work.data import JobContext

_OPENED_AT_ONCE = 10_000
_ORGS_AT_ONCE = 200

register_periodic("shuren.identity.jobs.sweep_tokens", timedelta(hours=1))
register_periodic("shuren.identity.jobs.rotate_keys", timedelta(days=1))
register_periodic("shuren.identity.jobs.sweep_saml_sessions", timedelta(days=1))
register_periodic("shuren.identity.jobs.sweep_cas_tickets", timedelta(hours=1))
register_periodic("shuren.identity.jobs.review_accounts", timedelta(days=1))
register_periodic("shuren.identity.jobs.purge_credential_files", timedelta(minutes=30))
directory.register_subject_data("account", own_copy.account_kept, title=gettext_lazy("账号"))
directory.register_subject_data("sign_ins", own_copy.sign_ins_kept, title=gettext_lazy("登录着的设备"))
directory.register_subject_data("allowed_apps", own_copy.allowed_apps_kept, title=gettext_lazy("对应用的同意"))


def end_session(job: JobContext, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """End what hangs on a session; subscribed to `identity.signed_out` and `identity.session_ended`."""
    return {"told": logout.end_session(sign_in_id=int(payload["sign_in_id"]), now=clock.now())}


def send_logout(job: JobContext, client_pk: int, account_id: int, sign_in_id: int | None, issuer: str) -> Mapping[str, Any]:
    """Bring a logout token to one app; tried again for some minutes when the app does not answer."""
    status = logout.send_logout(client_pk=client_pk, account_id=account_id, sign_in_id=sign_in_id, issuer=issuer, now=clock.now())
    return {"status": status}


def sweep_tokens(job: JobContext) -> Mapping[str, Any]:
    """Forget what has run out."""
    return {"gone": sweep_families(now=clock.now())}


def rotate_keys(job: JobContext) -> Mapping[str, Any]:
    """Let new keys sign in the place of old ones."""
    return {"rotated": rotate_old_keys(now=clock.now())}


def tell_cas_services(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """A session has ended: the services that took a ticket of it are told."""
    return {"services": cas.tell_cas_services(sign_in_id=payload["sign_in_id"])}


def tell_cas_service(job: JobContext, ticket_id: int) -> Mapping[str, int]:
    """Send one sign-out notice by CAS."""
    return {"status": cas.tell_cas_service(ticket_id=ticket_id, now=clock.now())}


def sweep_cas_tickets(job: JobContext) -> Mapping[str, int]:
    """Forget tickets that nobody can use any more."""
    return {"tickets": cas.sweep_cas_tickets(now=clock.now())}


def tell_saml_services(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """A session has ended: the services that were told of it by SAML and take notices are told."""
    base = settings.SHUREN_PUBLIC_URL
    return {"services": saml.tell_saml_services(sign_in_id=payload["sign_in_id"], base=base, now=clock.now())}


def tell_saml_service(job: JobContext, session_id: int, base: str) -> Mapping[str, int]:
    """Send one sign-out notice by SAML."""
    return {"status": saml.tell_saml_service(session_id=session_id, base=base, now=clock.now())}


def sweep_saml_sessions(job: JobContext) -> Mapping[str, int]:
    """Forget what services were told of sessions long over."""
    return {"sessions": saml.sweep_saml_sessions(now=clock.now())}


def await_accounts(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> None:
    """Open accounts once a roster can no longer be undone: people who have an account cannot be taken back."""
    import_id = int(payload["import_id"])
    enqueue(
        "shuren.identity.jobs.open_accounts",
        {"import_id": import_id},
        key=f"open_accounts:{import_id}",
        run_after=clock.now() + ROSTER_UNDO_WINDOW,
    )


def open_accounts(job: JobContext, import_id: int) -> Mapping[str, int]:
    """Give everybody whom a roster added an account that cannot be used yet, going on where a killed run stopped."""
    first, end = directory.people_added_by(import_id)
    made, begin = int(job.state.get("made", 0)), max(first, int(job.state.get("next", 0)))
    for start in range(begin, end, _OPENED_AT_ONCE):
        stop = min(start + _OPENED_AT_ONCE, end)
        made += create_accounts(actor=SYSTEM, person_ids=range(start, stop), now=clock.now())
        job.checkpoint(next=stop, made=made)
        job.progress(stop - first, end - first)
    return {"accounts": made}


def open_account(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Give one person an account; subscribed to `directory.person_added`."""
    return {"accounts": create_accounts(actor=SYSTEM, person_ids=[payload["person_id"]], now=clock.now())}


def review_person(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> None:
    """Somebody came somewhere or left: their account takes its next step at once."""
    named = [payload[key] for key in ("person_id", "guardian_id") if key in payload]
    life.review_people(person_ids=named, now=clock.now())


def review_accounts(job: JobContext, **_event: Any) -> Mapping[str, int]:
    """Every night: who left falls asleep after the grace, who came back wakes, what nobody uses is warned and sleeps."""

    def keep(last: int, counts: Mapping[str, int]) -> None:
        job.checkpoint(after=last, counts=dict(counts))

    before: Mapping[str, int] = job.state.get("counts", {})
    found = life.review_accounts(now=clock.now(), after=int(job.state.get("after", 0)), on_chunk=keep)
    return {key: before.get(key, 0) + found.get(key, 0) for key in {*before, *found}}


def review_roster(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> None:
    """Whom a roster brought or took away: their accounts take their next step at once; everybody's after a big one.

    Subscribed to `directory.roster_applied`. What a killed run has done is done again and changes nothing.
    """
    touched = directory.people_touched_by(payload["import_id"])
    if touched is None:
        review_accounts(job)
        return
    for start in range(0, len(touched), _OPENED_AT_ONCE):
        life.review_people(person_ids=touched[start : start + _OPENED_AT_ONCE], now=clock.now())
        job.progress(min(start + _OPENED_AT_ONCE, len(touched)), len(touched))


def merge_accounts(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, Any]:
    """Two people were one: so are their accounts; subscribed to `directory.person_merged`."""
    kept = merge(kept_person_id=payload["kept_id"], dropped_person_id=payload["dropped_id"], now=clock.now())
    return {"account": kept}


def close_account(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, Any]:
    """Nothing of a person is left but the number: their account ends; subscribed to `directory.person_erased`.

    Whoever keeps a record as a pupil or in service keeps the account that opens it.
    """
    return {"account": close(person_id=payload["person_id"], now=clock.now()) if payload["is_whole"] else None}


def issue_batch(job: JobContext, batch_id: int) -> Mapping[str, int]:
    """Hand out first passwords org by org in order of the tree, going on behind the last one that was ready."""
    top = hand_out.open_batch(batch_id=batch_id, now=clock.now())
    done, total = int(job.state.get("done", 0)), directory.count_orgs(top.path)
    while orgs := directory.orgs_after(top.path, after=str(job.state.get("after", "")), limit=_ORGS_AT_ONCE):
        for org in orgs:
            if job.is_cancelled():
                return {"orgs": done}
            done += 1

            def tell(ready: int, of: int, name: str = org.name, at: int = done) -> None:
                job.progress(at - 1, total, _("%(org)s：%(ready)d / %(of)d 人") % {"org": name, "ready": ready, "of": of})

            def keep(path: str = org.path, at: int = done) -> None:
                job.checkpoint(after=path, done=at)

            hand_out.hand_out(batch_id=batch_id, org=org, now=clock.now(), keep=keep, tell=tell)
            job.progress(done, total)
    return {"orgs": done}


def purge_credential_files(job: JobContext) -> Mapping[str, int]:
    """Destroy sealed files that nobody took within a day."""
    return {"gone": take.purge_files(now=clock.now())}
