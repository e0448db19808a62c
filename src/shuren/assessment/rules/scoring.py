"""What one cell of a response table means."""

import re
from collections.abc import Sequence

from django.utils.translation import gettext as _

from shuren.assessment.data import Missing
from shuren.assessment.rules.words import ItemSpec, MissingCodes, TestInfo

UNREADABLE = -128
HIGHEST_SCORE = 100
_SCORE = re.compile(r"([0-9]{1,3})(?:\.0*)?")


def cell_code(text: str, item: ItemSpec, info: TestInfo) -> int:
    """The score, a `Missing` code, or `UNREADABLE`; a declared missing code goes before a score of the same spelling."""
    plain = text.strip()
    codes = info.missing
    is_score = not info.by_options and _is_score(plain, item)
    if plain in codes.declared or not is_score:
        missing = _missing(plain, codes)
        if missing is not None:
            return missing
    if info.by_options:
        return _marks(plain, item)
    return _whole(plain) if is_score else UNREADABLE


def cell_problem(text: str, item: ItemSpec, info: TestInfo) -> tuple[str, str]:
    """Why `cell_code` could not read a cell, and how to mend it."""
    plain = text.strip()
    if not plain:
        return _("作答为空"), _("没有作答请填未作答代码；题本中没有这道题，请在“测验信息”中把未施测代码设为空。")
    if info.by_options:
        options = "、".join(sorted(item.options))
        return _("不是这道题的选项，也不是缺失代码"), _("这道题的选项是 %(options)s。") % {"options": options}
    if _SCORE.fullmatch(plain):
        return _("得分超出范围"), _("这道题的得分是 0 到 %(highest)d 的整数。") % {"highest": item.max_score}
    return _("不是得分，也不是缺失代码"), _("请填 0 到 %(highest)d 的整数，或“测验信息”中声明的缺失代码。") % {
        "highest": item.max_score
    }


def clashing_codes(codes: MissingCodes, items: Sequence[ItemSpec], *, by_options: bool) -> dict[str, str]:
    """Declared missing codes that would also be a response, each with one item where they are."""
    found: dict[str, str] = {}
    for item in items:
        for code in codes.declared - found.keys():
            if (code.upper() in item.options) if by_options else _is_score(code, item):
                found[code] = item.code
    return found


def _missing(plain: str, codes: MissingCodes) -> int | None:
    if plain in codes.not_administered:
        return Missing.NOT_ADMINISTERED
    if plain in codes.omitted:
        return Missing.OMITTED
    if plain in codes.not_reached:
        return Missing.NOT_REACHED
    return None


def _is_score(plain: str, item: ItemSpec) -> bool:
    return bool(_SCORE.fullmatch(plain)) and _whole(plain) <= item.max_score


def _whole(plain: str) -> int:
    return int(plain.partition(".")[0])


def _marks(plain: str, item: ItemSpec) -> int:
    option = plain.upper()
    if option not in item.options:
        return UNREADABLE
    return item.marks.get(option, 0)
