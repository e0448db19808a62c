"""What a new form or flow begins with."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext, gettext_noop, override

from shuren.casework.data import DefinitionKind


def first_body(kind: DefinitionKind, key: str, title: str, form: str) -> dict[str, Any]:
    """The smallest body that can be put into force after little more than naming things."""
    if kind == DefinitionKind.FORM:
        section = {"key": "s1", "title": _both(gettext_noop("基本情况")), "fields": []}
        return {"key": key, "title": {"zh": title}, "about": "org", "sections": [section]}
    agree = {"key": "agree", "title": _both(gettext_noop("同意")), "to": "end:done", "tone": "good"}
    back = {"key": "back", "title": _both(gettext_noop("退回修改")), "to": "filer", "needs_reason": True, "tone": "warn"}
    stage = {
        "key": "review",
        "title": _both(gettext_noop("审核")),
        "who": {"role": "county_officer", "at": "county"},
        "outcomes": [agree, back],
        "due": {"working_days": 5},
    }
    return {
        "key": key,
        "title": {"zh": title},
        "form": form,
        "filed_by": {"roles": ["school_admin", "head"]},
        "stages": [stage],
        "ends": [{"key": "done", "title": _both(gettext_noop("办结")), "result": "done"}],
    }


def _both(text: str) -> dict[str, str]:
    """Whatever language the builder is read in, what it makes is said in both."""
    with override("en"):
        return {"zh": text, "en": gettext(text)}


def copied_body(body: Mapping[str, Any], key: str, title: str) -> dict[str, Any]:
    """A definition under another name; the requirement rows it fulfils stay with the one it was copied from."""
    return {**{name: part for name, part in body.items() if name != "rows"}, "key": key, "title": {"zh": title}}
