"""Apps mounted at the root, each looked through only where an address can be one of its own."""

import re
from collections.abc import Iterable, Iterator

from django.urls import URLPattern, URLResolver, include, re_path


def at_root(urls: str | tuple[list[URLPattern], str]) -> URLResolver:
    """Mount the addresses of an app, behind one look at the first part of what was asked for.

    Django tries one pattern after the other: without this, every request pays for the patterns of all apps before its own.
    Raises `ValueError` for a pattern whose first part is not fixed, for then it could be anybody's.
    """
    mounted = include(urls)
    module = mounted[0]
    firsts = sorted(set(_firsts(getattr(module, "urlpatterns", module))))
    guard = "|".join(re.escape(first) + "(?:/|$)" if first else "$" for first in firsts)
    return re_path(f"^(?={guard})", mounted)


def _firsts(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        text = str(pattern.pattern)
        first = text.removeprefix("^").partition("/")[0]
        if not text and isinstance(pattern, URLResolver):
            yield from _firsts(pattern.url_patterns)
        elif set(first) & set("<([*+?\\"):
            raise ValueError(f"The first part of {text!r} is not fixed.")
        else:
            yield first
