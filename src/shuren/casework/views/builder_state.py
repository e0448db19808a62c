"""What the builder in the browser works with: findings, preview, choices and words; and the calls it makes."""

import json
from datetime import datetime
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from shuren.casework.data import DefinitionKind
from shuren.casework.models import DefinitionDraft
from shuren.casework.rules.forms import first_data
from shuren.casework.rules.one_source import is_filled_in
from shuren.casework.rules.picture import picture_svg
from shuren.casework.rules.specs.form import FieldSpec, FormSpec
from shuren.casework.selectors.drafts import (
    access_draft,
    checked_body,
    choices_for,
    elements_like,
    form_around,
    paths_built,
    registers_around,
)
from shuren.casework.selectors.prefill import Prefill
from shuren.casework.services.builder.keep import save_definition_draft
from shuren.casework.views.builder_words import builder_words, kinds_of_fields, picture_words
from shuren.casework.views.form_parts import form_context
from shuren.identity.api import actor_of
from shuren.kernel import clock, ids
from shuren.kernel.errors import Invalid, NotFound, ShurenError
from shuren.standards import api as standards
from shuren.standards.data import ElementData


def preview_context(kind: DefinitionKind, spec: Any, *, now: datetime) -> dict[str, Any]:
    """What `casework/_builder_preview.html` draws: the form as it will be filled in, or the picture of the flow."""
    if spec is None:
        return {"is_broken": True}
    if kind == DefinitionKind.FORM:
        known = standards.known_elements()
        held = {
            field.key: Prefill(None, known[field.element].department)
            for field in spec.fields
            if is_filled_in(spec, field, known.get(field.element))
        }
        return form_context(spec, first_data(spec), now=now, prefilled=held)
    # Drawn by us from escaped words.
    picture = mark_safe(picture_svg(spec, picture_words(), language=get_language() or "zh-hans"))
    return {"picture": picture}


def builder_state(request: HttpRequest, draft: DefinitionDraft, *, now: datetime) -> tuple[dict[str, Any], Any | None]:
    """The draft as the browser knows it, and its spec where it can be read."""
    checked = checked_body(DefinitionKind(draft.kind), draft.body)
    # What is at fault cannot always be drawn; the browser then keeps what it drew last.
    shown = preview_context(DefinitionKind(draft.kind), checked.spec if checked.is_sound else None, now=now)
    state = {
        "revision": draft.revision,
        "body": draft.body,
        "saved_at": localtime(draft.changed_at).strftime("%H:%M"),
        "findings": [
            {"path": one.path, "reason": one.reason, "remedy": one.remedy, "is_error": one.is_error, "link": one.link}
            for one in checked.findings
        ],
        "is_sound": checked.is_sound,
        "preview": render_to_string("casework/_builder_preview.html", shown, request=request),
        "around": _around(draft.body),
    }
    return state, checked.spec


def builder_settings(draft: DefinitionDraft, *, now: datetime) -> dict[str, Any]:
    """What does not change while it is built."""
    number = ids.encode("definition_draft", draft.pk)
    kind = DefinitionKind(draft.kind)
    known = standards.known_elements()
    named = {key for key in _elements_in(draft.body) if key in known}
    return {
        "kind": kind.value,
        "saveUrl": reverse("casework:save_definition_draft", args=[number]),
        "elementsUrl": reverse("casework:definition_elements"),
        "types": kinds_of_fields(),
        "elements": {key: _element_as_json(known[key]) for key in sorted(named)},
        "words": builder_words(),
        **choices_for(kind),
    }


@require_POST
def save_draft(request: HttpRequest, draft_id: str) -> JsonResponse:
    """Keep what was built so far; answers with everything that is wrong with it and how it looks."""
    actor, now = actor_of(request), clock.now()
    pk = access_draft(actor=actor, id=ids.decode("definition_draft", draft_id), now=now).pk
    try:
        told = json.loads(request.body)
        revision, body = int(told["revision"]), dict(told["body"])
    except (ValueError, TypeError, KeyError):
        return JsonResponse({"error": str(Invalid(_("内容读不懂，或者太大。")))}, status=400)
    try:
        draft = save_definition_draft(actor=actor, draft_id=pk, body=body, base_revision=revision, now=now)
    except NotFound:
        raise
    except ShurenError as error:
        return JsonResponse({"error": str(error)}, status=error.status)
    state, _spec = builder_state(request, draft, now=now)
    return JsonResponse({name: part for name, part in state.items() if name != "body"})


@never_cache
@require_safe
def elements(request: HttpRequest) -> JsonResponse:
    """Data elements like what is typed, for whoever builds."""
    if not paths_built(actor=actor_of(request), now=clock.now()):
        raise NotFound(_("您没有编制表单和流程的权限。"))
    found = elements_like(request.GET.get("q", "")[:100], language=get_language() or "")
    return JsonResponse({"elements": [_element_as_json(element) for element in found]})


def _element_as_json(element: ElementData) -> dict[str, str]:
    return {
        "code": element.code,
        "name": element.name(get_language() or ""),
        "zh": element.name_zh,
        "type": element.type.value,
        "department": element.department,
        "source": element.source,
    }


def _elements_in(body: Any) -> set[str]:
    """Every element that a body names, wherever."""
    if isinstance(body, dict):
        own = {body["element"]} if isinstance(body.get("element"), str) else set()
        return own.union(*(_elements_in(part) for part in body.values()))
    if isinstance(body, list):
        return set().union(*(_elements_in(part) for part in body))
    return set()


def _around(body: Any) -> dict[str, Any]:
    """What a flow names and the browser has to know: the fields of its form, and the registers it writes into."""
    form = form_around(body)
    registers = {
        key: {
            "fields": [_field_as_json(field) for field in spec.fields],
            "states": [(state.key, str(state.title)) for state in spec.states],
        }
        for key, spec in registers_around(body).items()
    }
    return {"fields": _named_fields(form) if form else [], "registers": registers}


def _named_fields(form: FormSpec) -> list[dict[str, Any]]:
    """Fields as flows name them: `experts`, and `experts.person` for its column."""
    found = []
    for field in form.fields:
        found.append(_field_as_json(field))
        for column in field.columns:
            title = _("%(table)s中的%(column)s") % {"table": field.title or field.key, "column": column.title or column.key}
            found.append({**_field_as_json(column), "key": f"{field.key}.{column.key}", "title": title})
    return found


def _field_as_json(field: FieldSpec) -> dict[str, Any]:
    return {
        "key": field.key,
        "title": str(field.title or field.key),
        "type": field.type.value if field.type else "text",
        "options": [(option.code, str(option.title)) for option in field.options],
    }
