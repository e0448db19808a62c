"""Issuing: a form to a branch, and how many would get it, said before anything is sent."""

from datetime import datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from shuren.casework.data import DefinitionKind
from shuren.casework.rules.periods import next_period
from shuren.casework.rules.specs.work import CollectionSpec
from shuren.casework.rules.workdays import add_span
from shuren.casework.selectors.collections.sources import branches_to_issue, collection_spec, issuable
from shuren.casework.selectors.holidays import holidays
from shuren.casework.services.collections.issue import count_asked, issue_collection
from shuren.casework.views.collection_pages.forms import COLLECTION, FORM, NewCollectionForm, due_by_default
from shuren.casework.views.collection_pages.parts import collection_url
from shuren.casework.views.collection_words import TYPE_WORDS
from shuren.directory.data import OrgType, Role
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.pages.api import form_page

_CLOSING = time(18, 0)


@never_cache
@require_http_methods(["GET", "POST"])
def new_collection(request: HttpRequest) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    form = _form(request, actor, now)

    def save() -> str:
        row = issue_collection(actor=actor, new=form.new(), now=now)
        messages.success(request, _("正在下发，可以离开这一页。"))
        return collection_url(row)

    back = reverse("casework:collections")
    return form_page(
        request,
        form,
        save,
        title=_("下发采集"),
        submit=_("下发"),
        back=back,
        lead=_("选一张表，说明谁来填、什么时候截止。"),
        breadcrumbs=[{"label": _("数据采集"), "url": back}, {"label": _("下发采集"), "url": ""}],
        template="casework/collection_new.html",
        # Counted when the page is drawn: what is chosen is known once the form was looked through.
        more={
            "preview_url": reverse("casework:collection_preview"),
            "preview": lambda: preview_words(form),
            "again": lambda: _again(form, now),
        },
    )


@never_cache
@require_safe
def collection_preview(request: HttpRequest) -> HttpResponseBase:
    """The line that says how many would get it, for what is chosen so far."""
    actor, now = actor_of(request), clock.now()
    form = NewCollectionForm(request.GET, **_choices(actor, now))
    form.is_valid()
    return render(request, "casework/collection_preview.html", {"preview": preview_words(form), "again": _again(form, now)})


def preview_words(form: NewCollectionForm) -> str:
    """ "将发给 1,234 所学校": empty until a branch and types are chosen."""
    if not form.is_bound or not hasattr(form, "cleaned_data"):
        return ""
    org, types = form.branch_org(), form.org_types()
    if org is None or not types:
        return ""
    count = count_asked(path=org.path, types=types, choice=form.choice())
    if types == (OrgType.SCHOOL,):
        told = ngettext("将发给 %(count)s 所学校。", "将发给 %(count)s 所学校。", count)
        return told % {"count": f"{count:,}"}
    kinds = "、".join(str(TYPE_WORDS[kind]) for kind in types)
    told = ngettext("将发给 %(count)s 个单位（%(kinds)s）。", "将发给 %(count)s 个单位（%(kinds)s）。", count)
    return told % {"count": f"{count:,}", "kinds": kinds}


def _again(form: NewCollectionForm, now: datetime) -> dict[str, Any] | None:
    """The box that has it come again, for a collection that does."""
    source = form.chosen_source()
    spec = _spec_in(source)
    if spec is None or spec.every == "once":
        return None
    coming = next_period(spec.every, day_of(now))
    words = {"day": coming.begin.isoformat(), "period": coming.label}
    told = _("下一期（%(period)s）%(day)s 起自动下发，填报的工作日一样多；随时可以停止。") % words
    return {"source": source, "is_on": form.offers_checked(), "help": told}


def _spec_in(source: str) -> CollectionSpec | None:
    kind, _colon, key = source.partition(":")
    try:
        return collection_spec(key) if kind == COLLECTION else None
    except (Invalid, NotFound):
        return None


def _form(request: HttpRequest, actor: Actor, now: datetime) -> NewCollectionForm:
    choices = _choices(actor, now)
    if request.method == "POST":
        return NewCollectionForm(request.POST, **choices)
    return NewCollectionForm(initial=_initial(request.GET.get("source", ""), choices, now), **choices)


def _choices(actor: Actor, now: datetime) -> dict[str, Any]:
    branches = branches_to_issue(actor=actor, now=now)
    if not branches:
        raise Refused(_("您不能下发采集。"), remedy=_("需要校长、学校管理员或教育局管理者的岗位。"))
    forms = [(f"{FORM}:{row.key}", row.title) for row in issuable(DefinitionKind.FORM, actor=actor, now=now)]
    again = [(f"{COLLECTION}:{row.key}", row.title) for row in issuable(DefinitionKind.COLLECTION, actor=actor, now=now)]
    flows = [(row.key, row.title) for row in issuable(DefinitionKind.FLOW, actor=actor, now=now)]
    return {"sources": [*again, *forms], "branches": branches, "flows": flows}


def _initial(source: str, choices: dict[str, Any], now: datetime) -> dict[str, Any]:
    """What stands in the form at first; chosen from a collection that comes again, what that says."""
    initial: dict[str, Any] = {
        "source": source,
        "types": [OrgType.SCHOOL.value],
        "filled_by": [Role.SCHOOL_ADMIN.value, Role.HEAD.value],
        "due_at": due_by_default(_closing(now + timedelta(days=14))),
    }
    spec = _spec_in(source) if source in dict(choices["sources"]) else None
    if spec is None:
        return initial
    return initial | {
        "title": str(spec.title),
        "note": str(spec.note or ""),
        "types": [kind.value for kind in spec.to],
        "filled_by": [role.value for role in spec.filled_by],
        "flow": spec.flow,
        "due_at": due_by_default(_closing(add_span(now, spec.due, holidays=holidays()))),
    }


def _closing(moment: datetime) -> datetime:
    """The end of that working day."""
    return datetime.combine(timezone.localtime(moment).date(), _CLOSING)
