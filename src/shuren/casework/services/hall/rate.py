"""好差评: one rating of a case by its applicant; a bad one opens a rectification whose result the rater is told."""

from collections.abc import Collection
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from shuren.casework.data import Act, CaseState, DefinitionKind, DefinitionStatus, Satisfaction
from shuren.casework.models import Case, CaseEvent, Definition, Rating, WindowApplicant
from shuren.casework.rules.ratings import RATED_WITHIN, REASONS, RECTIFIED_WITHIN, is_bad, may_rate
from shuren.casework.rules.workdays import add_span
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.hall import OFFICERS, access_own_case, case_to_follow
from shuren.casework.selectors.holidays import holidays
from shuren.casework.selectors.ratings import access_rating
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.hall.outward import tell_rating
from shuren.directory import api as directory
from shuren.kernel import audit, events, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import ANONYMOUS, SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, Refused
from shuren.messaging import api as messaging

RECTIFICATION = "gov.rectification"
_ABOVE_ONLY = "excluded"


@transaction.atomic
def rate_case(
    *,
    actor: Actor,
    case_id: int,
    satisfaction: Satisfaction,
    reasons: Collection[str] = (),
    comment: str = "",
    now: datetime,
) -> Rating:
    """Rate one's own case, once; publishes `casework.case_rated`."""
    case = access_own_case(actor=actor, id=case_id, now=now)
    return _rate(actor, case, satisfaction, reasons, comment, "web", now)


@transaction.atomic
def rate_by_code(
    *,
    number: str,
    proof: str,
    satisfaction: Satisfaction,
    reasons: Collection[str] = (),
    comment: str = "",
    now: datetime,
) -> Rating:
    """Rate a case by its number and query code, without an account; the last figures of a telephone number do not suffice."""
    if len(proof.strip()) <= 4:
        raise Refused(_("评价要用受理回执上的查询码。"))
    case = case_to_follow(number=number, proof=proof)
    channel = "window" if WindowApplicant.objects.filter(case=case).exists() else "code"
    return _rate(ANONYMOUS, case, satisfaction, reasons, comment, channel, now)


def _rate(
    actor: Actor,
    case: Case,
    satisfaction: Satisfaction,
    reasons: Collection[str],
    comment: str,
    channel: str,
    now: datetime,
) -> Rating:
    case = Case.objects.select_for_update(of=("self",)).select_related("item", "org", "definition").get(pk=case.pk)
    has_rating = Rating.objects.filter(case=case).exists()
    if has_rating:
        raise Conflict(_("这个办件已经评价过，一件只能评价一次。"))
    if not is_ratable(case, now=now):
        raise Refused(_("这个办件不能评价。"), remedy=_("办结后 %(days)d 天内可以评价。") % {"days": RATED_WITHIN.days})
    kept = [reason for reason in dict.fromkeys(reasons) if reason in REASONS]
    if is_bad(satisfaction) and not kept and not comment.strip():
        raise Invalid(_("请选择不满意的原因，或者写下来。"))
    rating = Rating(
        case=case,
        item_id=case.item_id,
        org_path=case.org_path,
        satisfaction=satisfaction.value,
        reasons=kept if is_bad(satisfaction) else [],
        comment=comment.strip()[:1000],
        rated_at=now,
        rated_by_id=actor.person_id,
        channel=channel,
        rectify_by=add_span(now, RECTIFIED_WITHIN, holidays=holidays()) if is_bad(satisfaction) else None,
    )
    try:
        with transaction.atomic():
            rating.save(force_insert=True)
    except IntegrityError:
        raise Conflict(_("这个办件已经评价过，一件只能评价一次。")) from None
    if is_bad(satisfaction):
        rating.rectification = _opened(rating, now)
        rating.save(update_fields=["rectification"])
    CaseEvent.objects.create(
        case=case, at=now, act=Act.RATED.value, person_id=actor.person_id, name="", outcome=rating.satisfaction
    )
    details = {"number": case.number, "satisfaction": rating.satisfaction, "channel": channel}
    audit.record(actor=actor, action="casework.case_rated", target=f"case:{case.pk}", details=details, now=now)
    events.publish("casework.case_rated", {"case_id": case.pk, "rating_id": rating.pk, "org_path": case.org_path}, now=now)
    tell_rating(rating, now=now)
    return rating


def is_ratable(case: Case, *, now: datetime) -> bool:
    """Whether the case may be rated now; its item says whether it is rated at all."""
    is_offered = case.item is not None and spec_of(case.item).is_rated
    has_rating = Rating.objects.filter(case_id=case.pk).exists()
    return may_rate(state=CaseState(case.state), closed_at=case.closed_at, is_offered=is_offered, has_rating=has_rating, now=now)


def _opened(rating: Rating, now: datetime) -> Case | None:
    """The case that puts a bad rating right, handed to the head of the unit; None where the region has no such flow."""
    rows = Definition.objects.filter(kind=DefinitionKind.FLOW.value, key=RECTIFICATION, current__isnull=False)
    if not rows.filter(status=DefinitionStatus.IN_FORCE.value).exists() or rating.rectify_by is None:
        return None
    case = rating.case
    data = {
        "case_number": case.number,
        "item": (case.item or case.definition).title_zh,
        "satisfaction": rating.satisfaction,
        "reasons": "、".join(str(REASONS[reason]) for reason in rating.reasons),
        "comment": rating.comment,
        "rated_on": day_of(rating.rated_at).isoformat(),
        "rectify_by": day_of(rating.rectify_by).isoformat(),
    }
    title = _("差评整改：%(number)s") % {"number": case.number}
    made = file_case(
        actor=SYSTEM, flow=RECTIFICATION, org_id=case.org_id, data=data, title=title, origin=f"rating:{rating.pk}", now=now
    )
    return submit_case(actor=SYSTEM, case_id=made.pk, now=now)


@transaction.atomic
def follow_rectification(*, case_id: int, now: datetime) -> bool:
    """A rectification ended: keep what the rater said when called, tell them; or leave the rating out, as the review decided.

    Run twice it does nothing the second time; False where the case puts no rating right.
    """
    made = Case.objects.get(pk=case_id)
    rating = Rating.objects.select_for_update(of=("self",)).select_related("case").filter(rectification_id=case_id).first()
    if rating is None or rating.called_back_at is not None or made.state != CaseState.CLOSED.value:
        return False
    if made.end == _ABOVE_ONLY:
        if rating.excluded_at is None:
            _exclude(rating, SYSTEM, _review_reason(made), now)
        return True
    told = made.written.get("callback", {})
    rating.called_back_at = made.closed_at or now
    rating.callback_note = str(told.get("callback_note", ""))[:1000]
    rating.save(update_fields=["called_back_at", "callback_note"])
    measure = str(made.written.get("verify", {}).get("measure", ""))
    people = [rating.rated_by_id] if rating.rated_by_id else []
    messaging.notify(
        person_ids=people,
        title=_("您的评价已经整改"),
        body=measure[:500],
        url=f"/hall/cases/{ids.encode('case', rating.case_id)}/",
        key=f"casework.rectified:{rating.pk}",
        now=now,
    )
    details = {"rating": rating.pk, "rectification": made.number}
    audit.record(actor=SYSTEM, action="casework.rating_rectified", target=f"case:{rating.case_id}", details=details, now=now)
    events.publish("casework.rating_rectified", {"rating_id": rating.pk, "case_id": rating.case_id}, now=now)
    return True


def _review_reason(made: Case) -> str:
    event = CaseEvent.objects.filter(case=made, act=Act.DECIDED.value, stage="review").order_by("-id").first()
    return (event.comment if event else "") or _("上级复核认定与事实不符。")


@transaction.atomic
def exclude_rating(*, actor: Actor, rating_id: int, reason: str, now: datetime) -> None:
    """Leave a malicious rating out of the statistics, with a reason: only officers of a level above the unit may."""
    rating = access_rating(actor=actor, id=rating_id, now=now)
    if not may_exclude(actor, rating, now=now):
        raise Refused(_("只有上一级教育行政部门复核后才能不计入统计。"))
    if len(reason.strip()) < 10:
        raise Invalid(_("请写明认定恶意差评的理由，至少 10 个字。"))
    if rating.excluded_at is not None:
        raise Conflict(_("这条评价已经不计入统计。"))
    _exclude(rating, actor, reason.strip(), now)


def may_exclude(actor: Actor, rating: Rating, *, now: datetime) -> bool:
    """Whether the actor is an officer strictly above the office that handled the case, and not a party to it."""
    office = _office_path(rating.org_path)
    paths = directory.role_paths_of(actor=actor, roles=OFFICERS, now=now)
    return any(office.startswith(path) and path != office for path in paths)


def _office_path(path: str) -> str:
    """The path of the office that handles cases of an org: of the county, city or province at or above it."""
    above = directory.orgs_above([path]).values()
    offices = [org.path for org in above if org.type in ("province", "city", "county")]
    return max(offices, key=len, default=path)


def _exclude(rating: Rating, actor: Actor, reason: str, now: datetime) -> None:
    rating.excluded_at, rating.exclusion_reason = now, reason[:500]
    rating.save(update_fields=["excluded_at", "exclusion_reason"])
    details = {"rating": rating.pk, "reason": reason[:200]}
    audit.record(actor=actor, action="casework.rating_excluded", target=f"case:{rating.case_id}", details=details, now=now)
