"""Handing work over, asking for another opinion, and naming who stands in during leave."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shuren.casework.models import Delegation
from shuren.casework.selectors.colleagues import colleagues_of
from shuren.casework.selectors.work import delegations_of, delegations_to
from shuren.casework.services.cases.share import add_signer, end_delegation, hand_over_work, set_delegation
from shuren.casework.views.case_forms import HandOverForm, LeaveForm, SignerForm
from shuren.casework.views.case_pages import flow_choices
from shuren.casework.views.case_parts import case_trail, work_url
from shuren.casework.views.work_pages import work_in
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.pages.api import form_page, posted
from shuren.pages.data import Status

_SHOWN = 20


def _people(actor: Actor) -> list[tuple[str, str]]:
    return [(person.public_id, person.name) for person in colleagues_of(actor=actor, now=clock.now())]


@never_cache
@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, work_id: str) -> HttpResponseBase:
    item, actor = work_in(request, work_id), actor_of(request)
    form = HandOverForm(posted(request), people=_people(actor))

    def save() -> str:
        told = form.cleaned_data
        person_id = ids.decode("person", told["person"])
        hand_over_work(actor=actor, work_id=item.pk, person_id=person_id, reason=told["reason"], now=clock.now())
        messages.success(request, _("已转办，对方会收到通知。"))
        return reverse("casework:work")

    title = _("转办“%(title)s”") % {"title": item.case.title}
    lead = _("转出后由对方办理，您不再办理这一件。")
    crumbs = case_trail(item.case, _("转办"))
    back = work_url(item)
    return form_page(request, form, save, title=title, submit=_("转办"), back=back, lead=lead, breadcrumbs=crumbs)


@never_cache
@require_http_methods(["GET", "POST"])
def add_signers(request: HttpRequest, work_id: str) -> HttpResponseBase:
    item, actor = work_in(request, work_id), actor_of(request)
    form = SignerForm(posted(request), people=_people(actor))

    def save() -> str:
        told = form.cleaned_data
        people = [ids.decode("person", public_id) for public_id in told["people"]]
        add_signer(actor=actor, work_id=item.pk, person_ids=people, question=told["question"], now=clock.now())
        messages.success(request, _("已请对方加签，意见给出后您会收到通知。"))
        return reverse("casework:work")

    title = _("“%(title)s”加签") % {"title": item.case.title}
    lead = _("先听被加签人的意见，再由您决定。")
    crumbs = case_trail(item.case, _("加签"))
    back = work_url(item)
    return form_page(request, form, save, title=title, submit=_("请对方加签"), back=back, lead=lead, breadcrumbs=crumbs)


@never_cache
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest) -> HttpResponseBase:
    """Whom one's work falls to while one is away, and for whom one stands in now."""
    actor, now = actor_of(request), clock.now()
    flows = [(choice.value, choice.label) for choice in flow_choices()]
    people = _people(actor)
    form = LeaveForm(posted(request), people=people, flows=flows)

    def save() -> str:
        begin, end = form.span
        told = form.cleaned_data
        person_id = ids.decode("person", told["person"])
        set_delegation(actor=actor, delegate_id=person_id, begin_at=begin, end_at=end, flow=told["flow"], now=now)
        messages.success(request, _("已委托。到期自动收回，也可以随时结束。"))
        return reverse("casework:leave")

    own = delegations_of(actor.person_id)[:_SHOWN] if actor.person_id else []
    standing = delegations_to(actor.person_id, now).select_related("person") if actor.person_id else []
    work = reverse("casework:work")
    return form_page(
        request,
        form,
        save,
        title=_("请假委托"),
        submit=_("委托"),
        back=work,
        lead=_("您不在的时候，待办由同事代办；记录里会写明是代谁办的。"),
        breadcrumbs=[{"label": _("待办"), "url": work}, {"label": _("请假委托"), "url": ""}],
        template="casework/work_leave.html",
        more={
            "has_people": bool(people),
            "own": [_shown(row, dict(flows)) for row in own],
            "standing": [
                {"name": row.person.name, "until": row.end_at, "flow": dict(flows).get(row.flow, "")} for row in standing
            ],
        },
    )


def _shown(row: Delegation, flows: dict[str, str]) -> dict[str, object]:
    now = clock.now()
    if row.revoked_at is not None:
        state = Status(text=_("已结束"))
    elif row.end_at <= now:
        state = Status(text=_("已到期"))
    else:
        state = Status(text=_("生效中"), tone="good") if row.begin_at <= now else Status(text=_("还没开始"), tone="busy")
    is_live = row.revoked_at is None and row.end_at > now
    return {
        "name": row.delegate.name,
        "begin": row.begin_at,
        "end": row.end_at,
        "flow": flows.get(row.flow, "") or _("全部事项"),
        "state": state,
        "end_url": reverse("casework:end_leave", args=[ids.encode("delegation", row.pk)]) if is_live else "",
    }


@require_POST
def end_leave(request: HttpRequest, delegation_id: str) -> HttpResponseBase:
    end_delegation(actor=actor_of(request), delegation_id=ids.decode("delegation", delegation_id), now=clock.now())
    messages.success(request, _("已结束委托，待办回到您这里。"))
    return redirect("casework:leave")
