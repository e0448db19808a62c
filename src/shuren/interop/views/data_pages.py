"""Which apps may get which data of oneself and of one's children, and the answer to it."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision, ConsentState, ConsentTextData
from shuren.identity.api import actor_of
from shuren.interop.rules.entries import needs_consent
from shuren.interop.selectors.apps import app_data, entry_of, installations_at
from shuren.interop.selectors.people import paths_of_person
from shuren.interop.views.developer_pages import wish_rows
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.pages.data import Status

_TONES = {ConsentState.GIVEN: "good", ConsentState.REFUSED: "plain", ConsentState.WITHDRAWN: "plain"}


@never_cache
@require_safe
def data_of_apps(request: HttpRequest) -> HttpResponseBase:
    """One section for each of the reader's children and for the reader; agreeing and refusing are equally easy."""
    actor = actor_of(request)
    person_ids = _concerned(actor)
    people = directory.people_by_ids(person_ids)
    asked = directory.asked_texts(person_ids, now=clock.now())
    sections = [
        {"name": people[key].name, "lines": _lines(key, people[key].public_id, asked.get(key, []))}
        for key in person_ids
        if key in people
    ]
    crumbs = [{"label": _("应用"), "url": reverse("interop:apps")}, {"label": _("应用和数据"), "url": ""}]
    context = {"title": _("应用和数据"), "people": sections, "breadcrumbs": crumbs}
    return render(request, "interop/app_data.html", context)


def _concerned(actor: Actor) -> list[int]:
    """The actor's children, then the actor."""
    if actor.person_id is None:
        return []
    wards = directory.wards_of([actor.person_id], day=clock.day_of(clock.now()))
    return list(dict.fromkeys([*(link.ward_id for link in wards), actor.person_id]))


def _lines(person_id: int, public_id: str, texts: Sequence[ConsentTextData]) -> list[dict[str, object]]:
    lines: dict[int, dict[str, object]] = {}
    for row in installations_at(paths_of_person(person_id, now=clock.now())):
        app = app_data(row.app)
        if not app.is_running:
            continue
        entry = entry_of(row.version)
        mine = [text for text in texts if text.recipient == app.client_id and text.id in row.consent_texts]
        lines[app.id] = {
            "app": app,
            "wishes": wish_rows(entry),
            "needs_consent": needs_consent(entry.wishes),
            "questions": [_question(person_id, public_id, text) for text in mine],
        }
    return list(lines.values())


def _question(person_id: int, public_id: str, text: ConsentTextData) -> dict[str, object]:
    now = clock.now()
    state = directory.consent_of(person_id=person_id, purpose=text.purpose, recipient=text.recipient, now=now).state
    words = {
        ConsentState.GIVEN: _("已同意"),
        ConsentState.REFUSED: _("没有同意"),
        ConsentState.WITHDRAWN: _("已撤回"),
        ConsentState.OUTDATED: _("要的数据变多了，等您重新决定"),
    }
    return {
        "title": text.title_zh,
        "status": Status(text=words.get(state, _("等您决定")), tone=_TONES.get(state, "warn")),
        "is_given": state is ConsentState.GIVEN,
        "url": reverse("interop:answer", args=[public_id, text.public_id]),
    }


@require_POST
def answer(request: HttpRequest, person_id: str, text_id: str) -> HttpResponseBase:
    """Agree, refuse, or take back, for oneself or a child; who may answer is decided by the directory."""
    try:
        decision = ConsentDecision(request.POST.get("decision", ""))
    except ValueError:
        raise Invalid(_("请选择同意或不同意。")) from None
    directory.decide_consent(
        actor=actor_of(request),
        person_id=ids.decode("person", person_id),
        text_id=ids.decode("consent_text", text_id),
        decision=decision,
        now=clock.now(),
    )
    messages.success(request, _("已记下您的决定。"))
    return redirect("interop:app_data")
