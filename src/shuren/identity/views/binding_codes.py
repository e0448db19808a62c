"""Codes for the parents of a class: who has how many, new ones to print, old ones taken back."""

from collections import Counter
from dataclasses import dataclass

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Permission, PersonData
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import Purpose
from shuren.identity.rules.binding import VALID_FOR, short_name
from shuren.identity.selectors.bindings import CodeCounts, code_counts
from shuren.identity.services.binding import make_binding_codes, revoke_binding_codes
from shuren.identity.views.branches import BranchWalk, page_of_some, ticked
from shuren.kernel import clock
from shuren.kernel.doors import sensitive_files
from shuren.kernel.paging import Page
from shuren.pages.data import Action, Column, EmptyState, ListQuery, ListSpec


@dataclass(frozen=True, slots=True)
class Pupil:
    """A pupil whose parents may be let in."""

    public_id: str
    name: str
    number: str
    guardians: int
    codes: CodeCounts


@dataclass(frozen=True, slots=True)
class PrintedCode:
    """One code on its slip, with the picture that leads a phone to it."""

    code: str
    picture: str


_WALK = BranchWalk(
    permission=Permission.INVITE_GUARDIANS,
    page="identity:binding_of_org",
    template="identity/binding_codes.html",
    refusal=gettext_lazy("您当前的身份不能发绑定码。"),
    remedy=gettext_lazy("请联系班主任或学校管理员。"),
)


@never_cache
@require_GET
def binding(request: HttpRequest) -> HttpResponse:
    """Start at the top of the first branch whose parents the actor may let in."""
    return _WALK.begin(request)


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def binding_of_org(request: HttpRequest, org_id: str) -> HttpResponseBase:
    """The pupils of a class, and how many codes their parents have."""
    org = _WALK.access(actor_of(request), org_id)
    return _WALK.show(request, org, _spec(org))


@require_step_up(Purpose.ISSUE_CREDENTIALS)
@never_cache
@require_POST
def make_codes(request: HttpRequest, org_id: str) -> HttpResponse:
    """New codes for the ticked pupils, as a page to print and cut."""
    actor = actor_of(request)
    org = _WALK.access(actor, org_id)
    slips = make_binding_codes(actor=actor, person_ids=ticked(request), now=clock.now())
    shown = [(short_name(slip.name), [_printed(request, code) for code in slip.codes]) for slip in slips]
    context = {
        "org": org,
        "slips": shown,
        "until": clock.day_of(clock.now() + VALID_FOR),
        "site": request.build_absolute_uri(reverse("identity:bind")),
    }
    return render(request, "identity/binding_slips.html", context)


@require_POST
def revoke_codes(request: HttpRequest, org_id: str) -> HttpResponse:
    actor = actor_of(request)
    org = _WALK.access(actor, org_id)
    count = revoke_binding_codes(actor=actor, person_ids=ticked(request), now=clock.now())
    messages.success(request, _("已作废 %(count)d 个没用过的绑定码。") % {"count": count})
    return redirect("identity:binding_of_org", org_id=org.public_id)


def _printed(request: HttpRequest, code: str) -> PrintedCode:
    address = request.build_absolute_uri(reverse("identity:bind")) + "?" + urlencode({"code": code})
    return PrintedCode(code, segno.make(address, error="m").svg_data_uri(scale=3, border=1))


def _spec(org: OrgData) -> ListSpec[Pupil]:
    confirm = _("给选中学生的家长做新的绑定码？没用过的旧码会作废。")
    make = reverse("identity:make_binding_codes", args=[org.public_id])
    revoke = reverse("identity:revoke_binding_codes", args=[org.public_id])
    return ListSpec(
        name="binding_codes",
        title=_("家长绑定"),
        columns=(
            Column(key="name", title=_("学生"), value=lambda row: row.name),
            Column(key="number", title=_("个人编号"), value=lambda row: row.number),
            Column(key="guardians", title=_("已有监护人"), value=lambda row: row.guardians),
            Column(key="open", title=_("可用的码"), value=lambda row: row.codes.open),
            Column(key="used", title=_("用过的码"), value=lambda row: row.codes.used),
        ),
        rows=lambda query: _rows(org, query),
        search_label=_("姓名或编号"),
        sizes=(50, 100, 200),
        row_id=lambda row: row.public_id,
        bulk=(
            Action(label=_("做绑定码并打印"), url=make, icon="qrcode", is_post=True, is_primary=True, confirm=confirm),
            Action(label=_("作废没用过的码"), url=revoke, icon="x", is_post=True, confirm=_("作废选中学生没用过的绑定码？")),
        ),
        empty=EmptyState(title=_("这里没有学生"), text=_("请在上面选择班级。"), icon="users"),
    )


def _rows(org: OrgData, query: ListQuery) -> Page[Pupil]:
    """The pupils of a class, which are few; other orgs only lead to their classes."""
    now = clock.now()
    day = clock.day_of(now)
    found: list[int] = []
    if org.type is OrgType.CLASS:
        rows = directory.enrollments_of_paths([org.path], role=EnrollmentRole.STUDENT, day=day)
        found = list(dict.fromkeys(row.person_id for row in rows))

    def pupils(people: list[PersonData]) -> list[Pupil]:
        wards = [person.id for person in people]
        counts = code_counts(wards, now=now)
        guardians = Counter(link.ward_id for link in directory.guardians_of(wards, day=day))
        return [
            Pupil(
                public_id=person.public_id,
                name=person.name,
                number=person.number,
                guardians=guardians[person.id],
                codes=counts.get(person.id, CodeCounts()),
            )
            for person in people
        ]

    return page_of_some(found, query, pupils)
