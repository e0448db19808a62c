"""What an engine's failure comes to in words of our own: what is wrong with the text, never a value of the data."""

import re
from collections.abc import Callable

from django.utils.translation import gettext as _

from shuren.kernel.errors import Invalid

# How either engine begins what it says about a text; everything else it says may quote a value.
_ABOUT_TEXT = re.compile(
    r"(?:Binder|Catalog|Parser|Syntax) Error: |\[(?:UNRESOLVED_|MISSING_|DATATYPE_MISMATCH|PARSE_|AMBIGUOUS_)"
)
_SPACE = re.compile(r"Out of Memory Error|OutOfMemoryError")


class ValueFailure(Invalid):
    """A value met on the way cannot be reckoned with: cast, overflow, pattern. It may lie outside the rows of who asks."""


def failure_of(error: Exception) -> Invalid:
    """The failure as its asker may read it."""
    told = str(error)
    if _SPACE.search(told):
        return Invalid(_("查询要用的内存太多，已停止。"), remedy=_("请少选几列，先筛选，或先汇总。"))
    if not _ABOUT_TEXT.search(told):
        return ValueFailure(
            _("查询无法执行：有的值不能转换、超出了范围，或式样不成立。"),
            remedy=_("先用 WHERE 或 CASE 排除这样的值，再转换或计算。"),
        )
    for pattern, words in _TOLD:
        found = pattern.search(told)
        if found:
            return Invalid(_("查询无法执行：%(reason)s") % {"reason": words(found)})
    return Invalid(_("查询无法执行：%(reason)s") % {"reason": told[:500]})


def _unknown_column(found: re.Match[str]) -> str:
    near = "、".join(name.strip().strip('"`') for name in (found["near"] or "").split(",") if name.strip())
    if not near:
        return _("没有“%(name)s”这一列。") % {"name": found["name"]}
    return _("没有“%(name)s”这一列；相近的有 %(near)s。") % {"name": found["name"], "near": near}


def _words(message: Callable[[], str]) -> Callable[[re.Match[str]], str]:
    return lambda found: message() % found.groupdict()


_TOLD: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r'Referenced column "(?P<name>[^"]*)" not found[^\n]*(?:\nCandidate bindings: (?P<near>[^\n]*))?'),
        _unknown_column,
    ),
    (
        re.compile(
            r"UNRESOLVED_COLUMN\S* .*?with name (?P<name>\S+) cannot be resolved\.(?: Did you mean [^\[]*\[(?P<near>[^\]]*)\])?"
        ),
        _unknown_column,
    ),
    (
        re.compile(r'Ambiguous reference to column name "(?P<name>[^"]*)"'),
        _words(lambda: _("“%(name)s”不知是哪个数据集的列；请在前面写明数据集。")),
    ),
    (re.compile(r'Referenced table "(?P<name>[^"]*)" not found'), _words(lambda: _("FROM 里没有“%(name)s”。"))),
    (
        re.compile(r'column "?(?P<name>[^" ]*)"? must appear in the GROUP BY'),
        _words(lambda: _("“%(name)s”既没有写进 GROUP BY，也没有用汇总函数。")),
    ),
    (re.compile(r"WHERE clause cannot contain aggregates"), _words(lambda: _("WHERE 里不能用汇总函数；请写在 HAVING 里。"))),
    (
        re.compile(r"Cannot compare values of type (?P<one>\w+) and type (?P<other>\w+?)(?:_LITERAL)?\b"),
        _words(lambda: _("%(one)s 与 %(other)s 不能比较；请先转换其中一个。")),
    ),
    (
        re.compile(r"Cannot mix values of type (?P<one>\w+) and (?P<other>\w+)"),
        _words(lambda: _("%(one)s 与 %(other)s 不能放在一起；请先转换其中一个。")),
    ),
    (
        re.compile(r"No function matches the given name and argument types '(?P<call>[^']*)'"),
        _words(lambda: _("%(call)s 不成立：这些类型不能这样用。")),
    ),
    (re.compile(r"same number of result columns"), _words(lambda: _("合并的两个查询列数不同。"))),
    (re.compile(r"ORDER term out of range"), _words(lambda: _("ORDER BY 的列号超出了范围。"))),
    (re.compile(r"Window functions are not supported here"), _words(lambda: _("窗口函数缺少 OVER，或写在了不能用它的地方。"))),
)
