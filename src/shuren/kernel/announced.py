"""What the installed apps announce of themselves: what they audit, what that is about, their purposes, the rows they fulfil.

An app names these in its `announced.py` and hands them over in its configuration (`audit_actions`, `audit_targets`, `rows`,
`purposes`). A name is in the reader's language; what nobody announces, such as an action of an app that is gone, is shown
as it stands.
"""

from functools import cache

from django.apps import apps
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise


@cache
def _named(attribute: str) -> dict[str, str | Promise]:
    return {code: words for config in apps.get_app_configs() for code, words in getattr(config, attribute, {}).items()}


def audit_actions() -> dict[str, str | Promise]:
    """Every action that may stand in the audit trail."""
    return _named("audit_actions")


def audit_targets() -> dict[str, str | Promise]:
    """Every kind of thing that an entry of the audit trail may be about."""
    return _named("audit_targets")


def purposes() -> dict[str, str | Promise]:
    """Every purpose of personal data that an app announces; a school may have others of its own."""
    return _named("purposes")


def action_words(action: str) -> str:
    return str(audit_actions().get(action, action))


def target_words(target: str) -> str:
    """`人员 12` for `person:12`, and the kind alone where no single row is meant."""
    kind, _colon, row = target.partition(":")
    words = audit_targets().get(kind)
    if words is None:
        return target
    return str(words) if row in ("", "0", "all", "many", "-") else f"{words} {row}"


def purpose_words(purpose: str) -> str:
    return str(purposes().get(purpose, purpose))


def actions_said(text: str, *, area: str = "") -> tuple[str, ...]:
    """The actions of an area (`directory.`) whose name holds the text, in any language of the house, or whose code begins so."""
    wanted = text.strip().casefold()
    return tuple(
        action
        for action, words in audit_actions().items()
        if action.startswith(area) and (action.startswith(wanted) or any(wanted in said for said in _said(words)))
    )


def target_said(text: str) -> str:
    """`person:12` for `人员 12`, in any language of the house; anything else as it stands."""
    words, _space, row = text.strip().rpartition(" ")
    wanted = words.strip().casefold()
    kinds = (kind for kind, known in audit_targets().items() if wanted in _said(known))
    return next((f"{kind}:{row}" for kind in kinds), text.strip())


def _said(words: str | Promise) -> list[str]:
    said = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            said.append(str(words).casefold())
    return said


def rows() -> dict[str, list[tuple[str, str | Promise]]]:
    """The requirement rows that apps fulfil by themselves, each as (app, title): `rows` of their configuration."""
    found: dict[str, list[tuple[str, str | Promise]]] = {}
    for config in apps.get_app_configs():
        for row, title in getattr(config, "rows", {}).items():
            found.setdefault(row, []).append((config.label, title))
    return found
