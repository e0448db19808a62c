"""Starting a test and carrying it out."""

from dataclasses import asdict
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.interop.data import RunStatus, VersionStatus
from shuren.interop.models import ConformityTest
from shuren.interop.selectors.apps import access_own_app, entry_of
from shuren.interop.services.conformity.steps import Subject, steps_of
from shuren.interop.services.deliver import valid_keys
from shuren.kernel import audit, clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.work.api import enqueue

_PAUSE = timedelta(seconds=5)
_STUCK = timedelta(minutes=10)


def start_conformity(*, actor: Actor, app_id: int, issuer: str, now: datetime) -> int:
    """Put a test of the newest version into the queue, by its vendor; returns the test's id. At most one in 5 seconds."""
    app = access_own_app(actor=actor, id=app_id, now=now)
    with transaction.atomic():
        version = app.versions.select_for_update().exclude(status=VersionStatus.SUPERSEDED).order_by("-number").first()
        if version is None:
            raise Conflict(_("还没有登记内容。"))
        last = ConformityTest.objects.filter(version=version).order_by("-id").first()
        pause = _STUCK if last is not None and last.status == RunStatus.WAITING else _PAUSE
        if last is not None and last.started_at > now - pause:
            raise Conflict(_("测试正在进行或刚刚做过。"), remedy=_("请稍等几秒再试。"))
        test = ConformityTest.objects.create(version=version, content_hash=version.content_hash, started_at=now)
        job = "shuren.interop.jobs.run_conformity"
        enqueue(job, {"test_id": test.pk, "issuer": issuer}, key=f"conformity:{test.pk}", is_once=True, actor=actor)
        details = {"version_id": version.pk, "test_id": test.pk}
        audit.record(actor=actor, action="interop.conformity_started", target=f"app:{app.pk}", details=details, now=now)
    return test.pk


def run_conformity(*, test_id: int, issuer: str) -> RunStatus:
    """Carry a test out and keep every step; a killed run starts again from its first step."""
    test = ConformityTest.objects.select_related("version__app").get(pk=test_id)
    app = test.version.app
    subject = Subject(
        entry=entry_of(test.version),
        keys=valid_keys(app.pk, now=clock.now()),
        client_ids=[client_id for client_id in (app.sandbox_client_id, app.client_id) if client_id],
        issuer=issuer,
    )
    steps = []
    for step in steps_of(subject):
        steps.append(asdict(step))
        ConformityTest.objects.filter(pk=test_id).update(steps=steps)
    status = RunStatus.PASSED if all(step["is_passed"] for step in steps) else RunStatus.FAILED
    ConformityTest.objects.filter(pk=test_id).update(steps=steps, status=status, finished_at=clock.now())
    return status
