"""Certificates that cases end with: which there are, and for which a template is missing."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.selectors.certificates import CertificateNamed, certificates_named
from shuren.casework.selectors.window import is_clerk
from shuren.casework.views.hall_parts import trail
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, Fact, ListQuery, ListSpec, Status


@never_cache
@require_safe
def hall_certificates(request: HttpRequest) -> HttpResponseBase:
    """Every certificate that a flow in force may end with; whoever opens it makes the missing templates from here."""
    actor, now = actor_of(request), clock.now()
    if not is_clerk(actor, now=now):
        raise NotFound(_("没有找到这个页面。"))

    def rows(query: ListQuery) -> Page[CertificateNamed]:
        found = [one for one in certificates_named(actor=actor, now=now) if query.search in one.name]
        start = (query.number - 1) * query.size
        return Page(rows=found[start : start + query.size], total=len(found), is_exact=True, number=query.number, size=query.size)

    spec: ListSpec[CertificateNamed] = ListSpec(
        name="hall-certificates",
        title=_("办件证照"),
        columns=(
            Column(key="name", title=_("证照"), value=lambda row: row.name),
            Column(key="flows", title=_("哪些办件办结时发"), value=lambda row: "、".join(row.flows)),
            Column(key="state", title=_("证书模板"), value=_standing, kind=CellKind.STATUS),
        ),
        rows=rows,
        row_actions=lambda row: (Action(label=_("新建模板"), url=row.make_url, icon="plus"),) if row.make_url else (),
        search_label=_("证照名称"),
        note=_("办结时按名称找证书模板；没有模板，办件照样办结，但发不出证照。"),
        empty=EmptyState(title=_("没有办件会发证照"), text=_("安装政务服务功能包后会出现在这里。"), icon="award"),
    )
    return render_list(request, spec, context={"breadcrumbs": trail((_("办件证照"), ""))})


def _standing(row: CertificateNamed) -> Status:
    return Status(text=_("没有"), tone="bad") if row.make_url else Status(text=_("有"), tone="good")


def missing_facts(request: HttpRequest, pack: str) -> list[Fact]:
    """One line for each certificate of a pack without a template, leading to where the reader makes it."""
    found = certificates_named(actor=actor_of(request), pack=pack, now=clock.now())
    return [
        Fact(
            label=_("缺少的证书模板"),
            value=one.name,
            url=one.make_url,
            help=_("“%(flows)s”办结时发它；点名称新建。") % {"flows": "、".join(one.flows)},
        )
        for one in found
        if one.make_url
    ]
