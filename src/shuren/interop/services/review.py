"""A version goes to a branch, and its officer decides."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.interop.data import Decision, RunStatus, VersionStatus
from shuren.interop.models import App, AppVersion, ConformityTest, Listing, Submission
from shuren.interop.selectors.apps import access_own_app, access_submission, entry_of
from shuren.interop.selectors.vendors import branches_to_ask
from shuren.interop.services.clients import ensure_client, settle_purpose
from shuren.interop.services.write_entry import checked_entry
from shuren.kernel import audit, events, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.messaging.api import notify

TEST_HOLDS = timedelta(days=30)
_DECIDED = {
    Decision.APPROVE: gettext_lazy("“%(name)s”通过了审核"),
    Decision.RETURN: gettext_lazy("“%(name)s”被退回修改"),
    Decision.REFUSE: gettext_lazy("“%(name)s”没有通过审核"),
}


def submit_version(*, actor: Actor, app_id: int, org_id: int, now: datetime) -> int:
    """Lay the draft before the branch `org_id`, by its vendor; returns the submission's id.

    The conformity test must have passed for exactly this entry within 30 days. An approved version may be laid before
    further branches. Publishes `interop.version_submitted`.
    """
    branch = next((org for org in branches_to_ask() if org.id == org_id), None)
    if branch is None:
        raise NotFound(_("没有找到这个地区。"))
    app = access_own_app(actor=actor, id=app_id, now=now)
    with transaction.atomic():
        version = _version_to_submit(app)
        _check_tested(version, now)
        # What a tool entered by itself was never checked as a form is.
        checked_entry(entry_of(version))
        if Listing.objects.filter(app=app, org_id=org_id, version=version, ended_at__isnull=True).exists():
            raise Conflict(_("这个版本已经在该地区上架。"))
        try:
            with transaction.atomic():
                row = Submission.objects.create(version=version, org_id=org_id, org_path=branch.path, submitted_at=now)
        except IntegrityError as fault:
            raise Conflict(_("这个版本已经交给该地区审核。")) from fault
        if version.status != VersionStatus.APPROVED:
            AppVersion.objects.filter(pk=version.pk).update(status=VersionStatus.SUBMITTED)
        details = {"version_id": version.pk, "org_id": org_id}
        audit.record(actor=actor, action="interop.version_submitted", target=f"app:{app.pk}", details=details, now=now)
        payload = {"submission_id": row.pk, "app_id": app.pk, "org_id": org_id}
        events.publish("interop.version_submitted", payload, now=now)
    return row.pk


def _version_to_submit(app: App) -> AppVersion:
    version = app.versions.select_for_update().order_by("-number").first()
    if version is None or version.status in (VersionStatus.REFUSED, VersionStatus.SUPERSEDED):
        raise Conflict(_("没有可以提交的版本。"), remedy=_("请先修改登记内容。"))
    return version


def _check_tested(version: AppVersion, now: datetime) -> None:
    test = ConformityTest.objects.filter(version=version).order_by("-id").first()
    is_good = test is not None and test.status == RunStatus.PASSED and test.content_hash == version.content_hash
    if not is_good or test is None or test.started_at < now - TEST_HOLDS:
        raise Conflict(_("还没有通过符合性测试。"), remedy=_("请先运行测试，全部通过后 30 天内提交；改过登记内容要重新测试。"))


def withdraw_submission(*, actor: Actor, app_id: int, now: datetime) -> None:
    """Take every open submission of the newest version back, by its vendor, so that it can be changed."""
    app = access_own_app(actor=actor, id=app_id, now=now)
    with transaction.atomic():
        rows = Submission.objects.select_for_update().filter(version__app=app, decision="")
        count = rows.count()
        rows.delete()
        app.versions.filter(status=VersionStatus.SUBMITTED).update(status=VersionStatus.DRAFT)
        details = {"count": count}
        audit.record(actor=actor, action="interop.submission_withdrawn", target=f"app:{app.pk}", details=details, now=now)


def decide_submission(*, actor: Actor, submission_id: int, decision: Decision, reason: str, now: datetime) -> None:
    """Approve, return or refuse, by an officer with `APPROVE_APPS` on the branch; all but approval say why.

    An approved version is listed for the whole branch at once and takes the place of an older one there; schools keep
    the entry they agreed to until they agree to this one. Publishes `interop.version_decided` and, on approval,
    `interop.app_listed`.
    """
    access_submission(actor=actor, id=submission_id, now=now)
    if decision is not Decision.APPROVE and len(reason.strip()) < 2:
        raise Invalid(_("请写明原因。"), remedy=_("服务商会看到这段话，照着修改。"))
    with transaction.atomic():
        row = Submission.objects.select_for_update().get(pk=submission_id)
        if row.decision:
            raise Conflict(_("这份申请已经处理过。"), remedy=_("请刷新页面。"))
        version = AppVersion.objects.select_for_update().select_related("app__vendor").get(pk=row.version_id)
        row.decision, row.reason, row.decided_at, row.decided_by_id = decision, reason.strip()[:500], now, actor.person_id
        row.save(update_fields=["decision", "reason", "decided_at", "decided_by"])
        if decision is Decision.APPROVE:
            _list(version, row, actor=actor, now=now)
        elif version.status == VersionStatus.SUBMITTED:
            state = VersionStatus.RETURNED if decision is Decision.RETURN else VersionStatus.REFUSED
            AppVersion.objects.filter(pk=version.pk).update(status=state)
        details = {"version_id": version.pk, "org_id": row.org_id, "decision": decision.value, "reason": row.reason}
        audit.record(actor=actor, action="interop.version_decided", target=f"app:{version.app_id}", details=details, now=now)
        payload = {"app_id": version.app_id, "version_id": version.pk, "org_id": row.org_id, "decision": decision.value}
        events.publish("interop.version_decided", payload, now=now)
        notify(
            person_ids=version.app.vendor.members.values_list("person_id", flat=True),
            title=str(_DECIDED[decision]) % {"name": version.name},
            body=row.reason,
            url=f"/developer/apps/{ids.encode('app', version.app_id)}/",
            key=f"submission:{row.pk}",
            now=now,
        )


def _list(version: AppVersion, row: Submission, *, actor: Actor, now: datetime) -> None:
    app = version.app
    Listing.objects.filter(app=app, org_id=row.org_id, ended_at__isnull=True).update(ended_at=now)
    listing = Listing.objects.create(app=app, version=version, org_id=row.org_id, org_path=row.org_path, listed_at=now)
    if version.status == VersionStatus.SUBMITTED:
        app.versions.filter(status=VersionStatus.APPROVED).update(status=VersionStatus.SUPERSEDED)
        AppVersion.objects.filter(pk=version.pk).update(status=VersionStatus.APPROVED)
        app.current, app.name = version, version.name
        app.save(update_fields=["current", "name"])
        ensure_client(app, entry_of(version), actor=actor, now=now)
    else:
        settle_purpose(app, actor=actor, now=now)
    payload = {"app_id": app.pk, "listing_id": listing.pk, "org_id": row.org_id}
    events.publish("interop.app_listed", payload, now=now)
