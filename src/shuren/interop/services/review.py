"""A version goes to a branch, and its officer decides: a case of the flow `core.app_review`, which the engine keeps."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.casework import api as casework
from shuren.casework.data import CaseData, NewCase
from shuren.interop.data import Decision, RunStatus, VersionStatus
from shuren.interop.models import App, AppVersion, ConformityTest, Listing, Submission
from shuren.interop.selectors.apps import access_own_app, access_submission, entry_of
from shuren.interop.selectors.vendors import branches_to_ask
from shuren.interop.services.clients import ensure_client, settle_purpose
from shuren.interop.services.write_entry import checked_entry
from shuren.kernel import audit, events, ids
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.messaging.api import notify
from shuren.standards import api as standards
from shuren.standards.data import Grade

TEST_HOLDS = timedelta(days=30)
FLOW = "core.app_review"
# How the case ends by each decision.
_ENDS = {"approved": Decision.APPROVE, "returned": Decision.RETURN, "refused": Decision.REFUSE}
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
        open_review(row, actor=actor, now=now)
    return row.pk


def open_review(row: Submission, *, actor: Actor, now: datetime) -> None:
    """Open the submission's case, which asks the officers of its branch."""
    casework.open_case(actor=actor, new=_case_for(row, row.version), now=now)


def _case_for(row: Submission, version: AppVersion) -> NewCase:
    entry = entry_of(version)
    names = {element.code: element.name_zh for element in standards.elements()}
    asks = [
        {
            "fact": names.get(wish.element, wish.element)[:80],
            "why": wish.reason[:200],
            "is_sensitive": wish.grade is Grade.SENSITIVE,
        }
        for wish in entry.wishes[:100]
    ]
    return NewCase(
        flow=FLOW,
        org_id=row.org_id,
        title=str(_("应用审核：%(name)s") % {"name": version.name}),
        origin=origin_of(row.pk),
        data={
            "app_name": version.name,
            "vendor": version.app.vendor.name,
            "version": version.number,
            "category": entry.category.value,
            "description": entry.description,
            "asks": asks,
            "test_passed": True,
            "link": f"/app-review/{ids.encode('submission', row.pk)}/",
        },
    )


def origin_of(submission_id: int) -> str:
    """What the engine knows a submission's case by."""
    return f"app_submission:{submission_id}"


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
        taken_back = list(rows.values_list("pk", flat=True))
        rows.delete()
        for submission_id in taken_back:
            reason = str(_("服务商撤回了申请"))
            casework.withdraw_case_of(actor=actor, origin=origin_of(submission_id), reason=reason, now=now)
        app.versions.filter(status=VersionStatus.SUBMITTED).update(status=VersionStatus.DRAFT)
        details = {"count": len(taken_back)}
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
    if Submission.objects.filter(pk=submission_id).exclude(decision="").exists():
        raise Conflict(_("这份申请已经处理过。"), remedy=_("请刷新页面。"))
    with transaction.atomic():
        if not casework.has_case(origin_of(submission_id)):
            # Laid before the branch before there were cases.
            row = Submission.objects.select_related("version__app__vendor").get(pk=submission_id)
            open_review(row, actor=SYSTEM, now=now)
        said = reason.strip()[:500]
        casework.decide_case_of(actor=actor, origin=origin_of(submission_id), outcome=decision.value, comment=said, now=now)


def settle_submission(*, case: CaseData, actor: Actor, now: datetime) -> None:
    """Carry out what the case came to, in the transaction that closes it, wherever it was decided."""
    submission_id = int(case.origin.partition(":")[2])
    decision, reason = _ENDS[case.end], casework.closing_comment(case.id)[:500]
    row = Submission.objects.select_for_update().get(pk=submission_id)
    if row.decision:
        raise Conflict(_("这份申请已经处理过。"), remedy=_("请刷新页面。"))
    version = AppVersion.objects.select_for_update().select_related("app__vendor").get(pk=row.version_id)
    row.decision, row.reason, row.decided_at, row.decided_by_id = decision, reason, now, actor.person_id
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
