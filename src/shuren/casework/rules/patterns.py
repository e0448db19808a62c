"""Patterns of fields, and that matching them is quick whatever the text is: `(a+)+` takes years over forty letters."""

import re
from functools import lru_cache

# The public module tells nothing of how a pattern is built. What its own parser says that is not known here is refused, so that
# a change of it refuses patterns and never lets a slow one through.
from re import _parser
from typing import Any

from django.utils.translation import gettext as _

LONGEST_PATTERN = 200
# Three parts of any length in a text of 200 letters, about half a second at the worst.
MOST_WAYS = 10_000_000
_TOO_MANY = MOST_WAYS + 1
_ONE_WAY = frozenset({"LITERAL", "NOT_LITERAL", "IN", "ANY", "AT"})


def pattern_fault(pattern: str, length: int) -> tuple[str, str] | None:
    """Why a pattern for texts of up to `length` letters cannot be used, and what to do."""
    if len(pattern) > LONGEST_PATTERN:
        longest = {"count": LONGEST_PATTERN}
        return _("正则表达式超过 %(count)d 个字符。") % longest, _("请缩短到 %(count)d 个字符以内。") % longest
    try:
        re.compile(pattern)
        is_quick = is_quick_over(pattern, length)
    except (re.error, OverflowError, RecursionError) as fault:
        return _("不是有效的正则表达式：%(fault)s。") % {"fault": fault}, _("请改正，或去掉格式要求。")
    if is_quick:
        return None
    remedy = _(
        "请写简单些：重复（如 +、*、{2,}）里面不要再有重复、问号或“|”，不限长的重复最多 3 处，不用反向引用；也可以限制字数。"
    )
    return _("正则表达式太复杂，检查一个值可能要很久。"), remedy


@lru_cache(maxsize=4096)
def is_quick_over(pattern: str, length: int) -> bool:
    """Whether a text of that length can be laid under it in few ways: the engine tries all of them before it says no."""
    return _ways(_parser.parse(pattern), length) <= MOST_WAYS


def _ways(parsed: Any, length: int) -> int:
    """At most `_TOO_MANY`."""
    found = 1
    for code, told in parsed:
        found = min(found * _ways_of(code.name, told, length), _TOO_MANY)
    return found


def _ways_of(code: str, told: Any, length: int) -> int:
    if code in _ONE_WAY:
        return 1
    if code == "SUBPATTERN":
        return _ways(told[-1], length)
    if code in ("ASSERT", "ASSERT_NOT"):
        return _ways(told[1], length)
    if code == "BRANCH":
        return sum(_ways(one, length) for one in told[1])
    if code in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, body = told
        return _repeated(least, most, body, length)
    return _TOO_MANY


def _repeated(least: int, most: int, body: Any, length: int) -> int:
    inside, is_maybe_empty = _ways(body, length), body.getwidth()[0] == 0
    # What may be empty is repeated as often as it must, however short the text.
    most = min(most, max(least, length) if is_maybe_empty else length)
    least = min(least, most)
    if inside == 1:
        return (most - least + 1) * (max(least, 1) if is_maybe_empty else 1)
    found = 0
    for times in range(least, most + 1):
        found += inside ** min(times, MOST_WAYS.bit_length())
        if found > MOST_WAYS:
            return _TOO_MANY
    return found
