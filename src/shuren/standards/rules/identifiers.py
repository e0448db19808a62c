"""Checks of Chinese identifiers: each returns what is wrong, in words for a clerk, or None."""

import re
from collections.abc import Container
from datetime import date

from django.utils.translation import gettext as _

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"
_ID_FORM = re.compile(r"[0-9]{17}[0-9X]")
_FOREIGN_RESIDENT = "9"
_FIRST_YEAR = 1880

_CREDIT_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_ORG_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

_SCHOOL_KINDS = frozenset(["11", "21", "22", "31", "32", "33", "34", "35", "36", "37", "41", "42", "51", "91", "92", "93"])
_PUPIL_FORMS = {
    "G": re.compile(r"G[0-9]{17}[0-9X]"),
    "J": re.compile(r"J[0-9]{17}[0-9X]"),
    "L": re.compile(r"L[0-9]{17}[0-9X]"),
}


def citizen_id_check(first_17: str) -> str:
    """The check character of GB 11643 (ISO 7064 MOD 11-2) for the first 17 digits."""
    return _ID_CHECKS[sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, first_17, strict=True)) % 11]


def citizen_id_fault(text: str, *, provinces: Container[str], today: date) -> str | None:
    """GB 11643: form, province, birth date, check digit.

    Counties are not compared with today's list: people keep the code of a county that is no more.
    """
    if len(text) != 18:
        return _("身份证件号应为 18 位")
    if not _ID_FORM.fullmatch(text):
        return _("身份证件号应为 17 位数字加 1 位数字或大写 X")
    if not text.startswith(_FOREIGN_RESIDENT) and text[:2] not in provinces:
        return _("身份证件号前两位不是省级代码")
    if _date_in(text[6:14], today) is None:
        return _("身份证件号第 7 至 14 位不是有效的出生日期")
    if citizen_id_check(text[:17]) != text[17]:
        return _("身份证件号校验位不对")
    return None


def birth_date_in(citizen_id: str) -> date | None:
    """The birth date a citizen id states; None when it states none."""
    return _date_in(citizen_id[6:14], date.max)


def sex_in(citizen_id: str) -> str:
    """The GB/T 2261.1 code that the 17th digit states: odd is male."""
    return "1" if int(citizen_id[16]) % 2 else "2"


def credit_code_fault(text: str) -> str | None:
    """GB 32100: letters, check character, and the inner organisation code with its own.

    Codes of some provinces that are in real use break the rule: warn with this, never reject.
    """
    if len(text) != 18:
        return _("统一社会信用代码应为 18 位")
    if any(letter not in _CREDIT_LETTERS for letter in text):
        return _("统一社会信用代码只能用数字和大写字母（不含 I、O、S、V、Z）")
    total = sum(weight * _CREDIT_LETTERS.index(letter) for weight, letter in zip(_CREDIT_WEIGHTS, text[:17], strict=True))
    if _CREDIT_LETTERS[(31 - total % 31) % 31] != text[17]:
        return _("统一社会信用代码校验位不对")
    if _org_code_check(text[8:16]) != text[16]:
        return _("统一社会信用代码中的组织机构代码校验位不对")
    return None


def school_code_fault(text: str, *, provinces: Container[str]) -> str | None:
    """The ten-digit identifier of schools and institutions: kind, province, serial; it has no check digit."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()):
        return _("学校（机构）标识码应为 10 位数字")
    if text[:2] not in _SCHOOL_KINDS:
        return _("学校（机构）标识码前两位不是学校类别代码")
    if text[2:4] not in provinces:
        return _("学校（机构）标识码第 3、4 位不是省级代码")
    return None


def pupil_number_fault(text: str, *, provinces: Container[str], today: date) -> str | None:
    """学籍号: G + citizen id, J + district, birth date, serial and check, L + district, birth date and a random number."""
    form = _PUPIL_FORMS.get(text[:1])
    if form is None:
        return _("学籍号应以 G、J 或 L 开头")
    if len(text) != 19:
        return _("学籍号应为 19 位")
    if not form.fullmatch(text):
        return _("学籍号在首字母后应为 18 位数字（末位可为大写 X）")
    if text[0] == "G":
        fault = citizen_id_fault(text[1:], provinces=provinces, today=today)
        return _("学籍号中的%(fault)s") % {"fault": fault} if fault else None
    if text[1:3] not in provinces:
        return _("学籍号第 2、3 位不是省级代码")
    if _date_in(text[7:15], today) is None:
        return _("学籍号中没有有效的出生日期")
    return None


def division_fault(text: str, *, divisions: Container[str]) -> str | None:
    """GB/T 2260, of two, four, six, nine or twelve digits, of which the first six must be known."""
    if len(text) not in {2, 4, 6, 9, 12} or not (text.isascii() and text.isdigit()):
        return _("行政区划代码应为 2、4、6、9 或 12 位数字")
    if text[:6].ljust(6, "0") not in divisions:
        return _("行政区划代码不在 GB/T 2260 表中")
    return None


def _date_in(eight_digits: str, today: date) -> date | None:
    try:
        found = date(int(eight_digits[:4]), int(eight_digits[4:6]), int(eight_digits[6:]))
    except ValueError:
        return None
    return found if found.year >= _FIRST_YEAR and found <= today else None


def _org_code_check(first_8: str) -> str:
    """The check character of an organisation code (GB 11714)."""
    total = sum(weight * _ORG_LETTERS.index(letter) for weight, letter in zip(_ORG_WEIGHTS, first_8, strict=True))
    rest = (11 - total % 11) % 11
    return "X" if rest == 10 else str(rest)
