"""Work of interop beside the pages: news for apps, sending it, conformity tests, apps that leave."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.interop.data import AppStatus, EventType
from shuren.interop.models import App, Installation
from shuren.interop.selectors.apps import app_data, app_of_client
from shuren.interop.selectors.people import paths_of_person
from shuren.interop.services import follow_people
from shuren.interop.services.conformity.service import run_conformity as run_test
from shuren.interop.services.count_calls import sweep_windows
from shuren.interop.services.deliver import deliver_app, give_up_silent, sweep_deliveries, wake_due
from shuren.interop.services.emit import emit, emit_about
from shuren.interop.services.govern import end_leaving, tell_schools
from shuren.interop.services.register_vendor import drop_lapsed
from shuren.interop.services.roster_pull.follow import follow_import
from shuren.interop.services.roster_pull.pull import carry_on
from shuren.interop.services.roster_pull.sources import begin_due_pulls as begin_pulls
from shuren.interop.services.statistics.freeze import freeze_made_of
from shuren.interop.services.statistics.prepare import prepare_units
from shuren.kernel import clock, ids
from shuren.messaging.api import notify
from shuren.work.api import enqueue, register_periodic
from shuren.work.data import JobContext

register_periodic("shuren.interop.jobs.wake_deliveries", timedelta(seconds=30))
register_periodic("shuren.interop.jobs.end_leaving_apps", timedelta(hours=1))
register_periodic("shuren.interop.jobs.sweep", timedelta(hours=6))
register_periodic("shuren.interop.jobs.begin_due_pulls", timedelta(minutes=5))


def deliver(job: JobContext, app_id: int) -> Mapping[str, int]:
    """Send what is due to one app."""
    return {"delivered": deliver_app(app_id=app_id)}


def wake_deliveries(job: JobContext) -> Mapping[str, int]:
    """Take up messages that a killed worker left."""
    return {"apps": wake_due(now=clock.now())}


def run_conformity(job: JobContext, test_id: int, issuer: str) -> Mapping[str, str]:
    """Carry out one conformity test."""
    return {"status": run_test(test_id=test_id, issuer=issuer).value}


def begin_due_pulls(job: JobContext) -> Mapping[str, int]:
    """Take the rosters whose time has come."""
    return {"begun": begin_pulls(now=clock.now())}


def pull_roster(job: JobContext, pull_id: int) -> Mapping[str, str]:
    """Carry one turn of taking a roster on; a killed one goes on behind its last landed page."""
    return {"status": carry_on(pull_id, now=clock.now(), on_progress=job.progress, is_cancelled=job.is_cancelled)}


def follow_roster_import(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, str]:
    """The import that a turn was handed over as is a step further; subscribed to the news of `intake`."""
    if payload["kind"] != "roster":
        return {"status": ""}
    return {"status": follow_import(payload["import_id"], now=clock.now())}


def end_leaving_apps(job: JobContext) -> Mapping[str, int]:
    """Delist what was announced."""
    return {"delisted": end_leaving(now=clock.now())}


def sweep(job: JobContext) -> Mapping[str, int]:
    """Forget old messages, windows and applications that nobody proved, and give up what nobody takes."""
    now = clock.now()
    return {
        "given_up": give_up_silent(now=now),
        "messages": sweep_deliveries(now=now),
        "windows": sweep_windows(now=now),
        "applications": drop_lapsed(now=now),
    }


def tell_person_changed(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """A person's facts or places changed: tell the apps used where they are."""
    return {"told": _about_person(payload["person_id"], EventType.PERSON_CHANGED, event_id, {})}


def tell_person_merged(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Two entries turned out to be one person."""
    dropped = {"dropped_id": ids.encode("person", payload["dropped_id"])}
    return {"told": _about_person(payload["kept_id"], EventType.PERSON_MERGED, event_id, dropped)}


def follow_merge(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """What apps left about the dropped entry is the kept person's; subscribed to `directory.person_merged`."""
    kept_id, dropped_id = payload["kept_id"], payload["dropped_id"]
    return {"scores": follow_people.follow_merge(kept_id=kept_id, dropped_id=dropped_id, now=clock.now())}


def forget_person(job: JobContext, *, payload: Mapping[str, Any], **_event: Any) -> Mapping[str, int]:
    """Nothing of a person is left but the number; subscribed to `directory.person_erased`."""
    return {"rows": follow_people.forget_person(person_id=payload["person_id"], now=clock.now()) if payload["is_whole"] else 0}


def tell_person_erased(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Whoever was ever told of the person must delete it too, wherever the person is now, asked for the event or not."""
    data = {
        "person_id": ids.encode("person", payload["person_id"]),
        "erased": list(payload["erased"]),
        "is_whole": payload["is_whole"],
    }
    told = 0
    for recipient in payload["recipients"]:
        app = app_of_client(recipient)
        if app is not None:
            subject, key = f"person:{payload['person_id']}", f"event:{event_id}"
            event = EventType.PERSON_ERASED
            told += emit(app_id=app.id, event=event, subject=subject, data=data, key=key, now=clock.now()) is not None
    return {"told": told}


def _about_person(person_id: int, event: EventType, event_id: int, more: Mapping[str, object]) -> int:
    now = clock.now()
    return emit_about(
        paths=paths_of_person(person_id, now=now),
        event=event,
        subject=f"person:{person_id}",
        data={"person_id": ids.encode("person", person_id), **more},
        key=f"event:{event_id}",
        now=now,
    )


def tell_org_changed(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """An org was added, renamed, corrected, moved or closed."""
    org = directory.orgs_by_ids([payload["org_id"]]).get(payload["org_id"])
    if org is None:
        return {"told": 0}
    told = emit_about(
        paths=[org.path],
        event=EventType.ORG_CHANGED,
        subject=f"org:{org.id}",
        data={"org_id": org.public_id},
        key=f"event:{event_id}",
        now=clock.now(),
    )
    return {"told": told}


def tell_roster_applied(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """A roster changed many rows at once: apps read again what they need instead of getting a message for each row."""
    told = 0
    data = {"import_id": ids.encode("import", payload["import_id"])}
    app_ids = Installation.objects.filter(ended_at__isnull=True).order_by("app_id").values_list("app_id", flat=True).distinct()
    for app_id in app_ids.iterator():
        sent = emit(
            app_id=app_id, event=EventType.ROSTER_APPLIED, subject="roster", data=data, key=f"event:{event_id}", now=clock.now()
        )
        told += sent is not None
    return {"told": told}


def tell_app_installed(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Tell an app that an org chose it."""
    return _about_choice(EventType.APP_INSTALLED, event_id, payload)


def tell_app_removed(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Tell an app that an org let it go."""
    return _about_choice(EventType.APP_REMOVED, event_id, payload)


def _about_choice(event: EventType, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    sent = emit(
        app_id=payload["app_id"],
        event=event,
        subject=f"org:{payload['org_id']}",
        data={"org_id": ids.encode("org", payload["org_id"])},
        key=f"event:{event_id}",
        now=clock.now(),
    )
    return {"told": int(sent is not None)}


def tell_consent_given(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Tell an app that it may read more of a person."""
    return _about_consent(EventType.CONSENT_GIVEN, event_id, payload)


def tell_consent_withdrawn(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Tell an app that it must stop using a person's data; it is told whether it asked for such news or not."""
    return _about_consent(EventType.CONSENT_WITHDRAWN, event_id, payload)


def _about_consent(event: EventType, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    app = app_of_client(payload["recipient"])
    if app is None:
        return {"told": 0}
    sent = emit(
        app_id=app.id,
        event=event,
        subject=f"person:{payload['person_id']}",
        data={"person_id": ids.encode("person", payload["person_id"]), "purpose": payload["purpose"]},
        key=f"event:{event_id}",
        now=clock.now(),
    )
    return {"told": int(sent is not None)}


def tell_app_suspended(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Tell the vendor and every school that uses the app why it stands still."""
    app = App.objects.select_related("vendor", "current").get(pk=payload["app_id"])
    if app.status != AppStatus.SUSPENDED:
        return {"orgs": 0}
    now, key = clock.now(), f"app-suspended:{event_id}"
    title = _("应用“%(name)s”已停用") % {"name": app.name}
    members = app.vendor.members.values_list("person_id", flat=True)
    url = f"/developer/apps/{ids.encode('app', app.pk)}/"
    notify(person_ids=members, title=title, body=app.status_reason, url=url, key=key, now=now)
    return {"orgs": tell_schools(app_id=app.pk, title=title, body=app.status_reason, key=key, now=now)}


def tell_app_resumed(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Tell the app that it runs again, and send what was held."""
    now = clock.now()
    data = {"app_id": ids.encode("app", payload["app_id"])}
    sent = emit(app_id=payload["app_id"], event=EventType.APP_RESUMED, subject="app", data=data, key=f"event:{event_id}", now=now)
    enqueue("shuren.interop.jobs.deliver", {"app_id": payload["app_id"]}, key=f"webhooks:{payload['app_id']}")
    return {"told": int(sent is not None)}


def tell_app_leaving(job: JobContext, *, event_id: int, payload: Mapping[str, Any]) -> Mapping[str, int]:
    """Tell the schools that use the app when it leaves."""
    app = app_data(App.objects.select_related("vendor", "current").get(pk=payload["app_id"]))
    title = _("应用“%(name)s”将于 %(day)s 下架") % {"name": app.name, "day": payload["leaves_on"]}
    key = f"app-leaving:{event_id}"
    return {"orgs": tell_schools(app_id=app.id, title=title, body=app.status_reason, key=key, now=clock.now())}


def prepare_statistics(job: JobContext, org_id: int, key: str, year: int) -> Mapping[str, int]:
    """Prepare a statistics form for the units of a branch; a killed job goes on behind the last that were kept."""
    return prepare_units(org_id=org_id, key=key, year=year, job=job, now=clock.now())


def freeze_statistics(job: JobContext, report_id: int) -> Mapping[str, int]:
    """Freeze a statistics form with everything it was made of; a killed job has frozen nothing."""
    return {"frozen": freeze_made_of(report_id=report_id, on_progress=job.progress, now=clock.now())}
