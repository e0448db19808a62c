"""Draws as anybody may see and check them, without signing in."""

import json

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.selectors.draw_results import drawn_rows, pool_facts
from shuren.casework.selectors.draws import bundle_of, draws_beside, public_draw, published_draws, state_of
from shuren.casework.views.draw_parts import facts_of, public_url
from shuren.casework.views.draw_words import draw_status, line_of, step_words
from shuren.kernel import clock, ids
from shuren.kernel.doors import open_door
from shuren.kernel.paging import page_of
from shuren.pages.api import render_list
from shuren.pages.data import CellKind, Column, EmptyState, ListSpec


@open_door
@never_cache
@require_safe
def public_draws(request: HttpRequest) -> HttpResponseBase:
    now = clock.now()
    spec: ListSpec[Draw] = ListSpec(
        name="public-draws",
        title=_("公开的抽查和摇号"),
        columns=(
            Column(key="title", title=_("名称"), value=lambda row: row.title, url=public_url),
            Column(key="org", title=_("机构"), value=lambda row: row.org.name),
            Column(key="at", title=_("承诺公布"), value=lambda row: row.committed_at, kind=CellKind.DATETIME),
            Column(key="state", title=_("状态"), value=lambda row: draw_status(row, now), kind=CellKind.STATUS),
        ),
        rows=lambda query: page_of(published_draws(), lambda row: row, number=query.number, size=query.size),
        empty=EmptyState(title=_("还没有公开的抽查"), text=_("承诺公布后会出现在这里，作废的也会留着。"), icon="eye"),
    )
    return render_list(request, spec)


@open_door
@never_cache
@require_safe
def public_draw_page(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    """Commitment, contribution, result, and a check that runs in the reader's own browser."""
    now = clock.now()
    row = public_draw(ids.decode("draw", draw_id))
    state = state_of(row, now=now)
    context = {
        "title": row.title,
        "draw": row,
        "state": draw_status(row, now),
        "lead": row.org.name,
        "steps": line_of(row),
        "facts": facts_of(row),
        "pool": pool_facts(row),
        "rows": drawn_rows(row),
        "is_drawn": state in (DrawState.DRAWN, DrawState.PUBLISHED),
        "is_abandoned": state == DrawState.ABANDONED,
        "step_words": step_words(),
        "command": "shuren draw verify draw.json",
        "bundle_url": reverse("casework:draw_bundle", args=[draw_id]),
        "beside": [{"draw": other, "status": draw_status(other, now), "url": public_url(other)} for other in draws_beside(row)],
        "breadcrumbs": [
            {"label": _("公开的抽查和摇号"), "url": reverse("casework:public_draws")},
            {"label": row.title, "url": ""},
        ],
    }
    return render(request, "casework/draw_public.html", context)


@open_door
@never_cache
@require_safe
def draw_bundle(request: HttpRequest, draw_id: str) -> HttpResponseBase:
    """The file with which anybody runs the draw again: `shuren draw verify FILE`."""
    row = public_draw(ids.decode("draw", draw_id))
    text = json.dumps(bundle_of(row, now=clock.now()), ensure_ascii=False, indent=1)
    answer = HttpResponse(text, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="draw-{draw_id}.json"'
    return answer
