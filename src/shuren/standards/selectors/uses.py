"""Where words are used, as the apps above declare it."""

from collections import Counter
from collections.abc import Collection, Mapping

from django.utils.translation import get_language

from shuren.standards.data import UseKind, WordUse
from shuren.standards.rules.uses import word_users
from shuren.standards.selectors.exchange import exchange_formats
from shuren.standards.selectors.words import known_elements


def uses_of_code_set(code_set: str) -> list[WordUse]:
    """Elements that take their values from the set, then the places that name the set or one of those elements."""
    language = get_language() or ""
    elements = {one.code: one for one in known_elements().values() if one.code_set == code_set}
    own = [
        WordUse(UseKind.ELEMENT, f"{one.name(language)} ({code})", element=code, code_set=code_set)
        for code, one in sorted(elements.items())
    ]
    return own + [use for use in _declared() if use.code_set == code_set or use.element in elements]


def uses_of_element(element: str) -> list[WordUse]:
    return [use for use in _declared() if use.element == element]


def counted_uses(code_set: str, codes: Collection[str]) -> Mapping[str, int]:
    """How many stored values state each of these codes, in every app that declared a count; codes without are left out."""
    found: Counter[str] = Counter()
    if codes:
        for user in word_users():
            if user.counts is not None:
                found.update(user.counts(code_set, codes))
    return {code: count for code, count in found.items() if count}


def _declared() -> list[WordUse]:
    language = get_language() or ""
    found = [use for user in word_users() for use in user.uses()]
    for one in exchange_formats():
        found += [
            WordUse(UseKind.EXCHANGE, f"{one.name(language)} · {field.name}", element=field.element)
            for field in one.fields
            if field.element
        ]
    return found
