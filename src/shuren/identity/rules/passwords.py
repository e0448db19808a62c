"""Decisions about passwords, free of database and clock."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from random import Random

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.utils.translation import gettext as _

MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128
KEPT_PASSWORDS = 5
MAX_SLIPS = 500

_COMMON = Path(__file__).parent.with_name("common_passwords.txt")
_CONSONANTS = "bdfghjkmnprstvwyz"
_VOWELS = "aeiu"
_DIGITS = "23456789"
_CITIZEN = re.compile(r"\d{6}(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])\d{3}[\dx]")
# Frequent full names, as they are typed.
_NAME_WORDS = """
zhangwei wangwei wangfang liwei liuwei wangxiuying lina zhangmin lijing zhangli wanglei wangjing zhangjing
lixiuying liyan wangyan zhangxiuying wangqiang limin zhangjie wangli liqiang zhangyan wangmin lijun zhanglei
wangyong liujie liumin yangyang wangchao lijuan liuyang liyong chenjing zhangyong wangjun wangjie zhangqiang lijie
wangxia zhangxia liuyan wanggang zhangtao wangping litao wangjuan zhanghua zixuan haoran zihan yuchen xinyi yinuo
"""
_NAMES = frozenset(_NAME_WORDS.split())
# How the hundred most frequent family names are read (National Bureau of Statistics), and any syllable after them.
_FAMILIES = """
wang li zhang liu chen yang zhao huang zhou wu xu sun hu zhu gao lin he guo ma luo liang song zheng xie han tang feng yu dong
xiao cheng cao yuan deng fu shen zeng peng lv su lu jiang cai jia ding wei xue ye yan pan du dai xia zhong tian ren fan fang
shi yao tan liao zou xiong jin hao kong bai cui kang mao qiu qin gu hou shao meng long wan duan lei qian yin chang lai gong wen
ouyang shangguan sima zhuge situ
"""
_SYLLABLE = (
    "(?:[zcs]h|[bpmfdtnlgkhjqxrzcsyw])?"
    "(?:iang|iong|uang|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|er|ia|ie|iu|in|ua|uo|ui|un|ue|ve|a|o|e|i|u|v)"
)
_FULL_NAME = re.compile(
    rf"[\d\W_]*(?:{'|'.join(sorted(_FAMILIES.split(), key=len, reverse=True))})(?:{_SYLLABLE}){{0,2}}[\d\W_]*"
)
_PHRASES = re.compile("woaini|aini|iloveyou|nihao|mima|laopo|laogong|baobao|baobei|zhongguo|qinai|xiexie")
_RUNS = ("0123456789", "9876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(frozen=True, slots=True)
class Owner:
    """What a stranger may know about the owner of a password, and would therefore try first."""

    names: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    birth_date: date | None = None


def password_refusals(password: str, *, owner: Owner) -> list[str]:
    """Every reason why `password` may not be used, as sentences for its owner; empty when it is fine."""
    reasons: list[str] = []
    lowered = password.lower()
    if len(password) < MIN_PASSWORD_LENGTH:
        reasons.append(_("密码至少要 %(count)d 个字符。") % {"count": MIN_PASSWORD_LENGTH})
    if len(password) > MAX_PASSWORD_LENGTH:
        reasons.append(_("密码不能超过 %(count)d 个字符。") % {"count": MAX_PASSWORD_LENGTH})
    if len(password) < 16 and password.isascii() and _kinds(password) < 2:
        reasons.append(_("请至少混用字母、数字、符号中的两种，或者用 16 个以上的字符。"))
    if _is_guessable(lowered):
        reasons.append(_("这个密码太常见，容易被猜到。请换一个。"))
    if _is_name_or_date(lowered):
        reasons.append(_("不要用常见的姓名拼音、生日或身份证号做密码。"))
    if _tells_owner(lowered, owner):
        reasons.append(_("密码里不要用自己的姓名、编号或生日。"))
    return reasons


def initial_password(random: Random) -> str:
    """A password that is easy to read out and copy: `kavu-mite-tane-4827`, about 43 bits, no look-alike letters."""
    groups = ["".join(random.choice(_CONSONANTS) + random.choice(_VOWELS) for _syllable in range(2)) for _group in range(3)]
    return "-".join([*groups, "".join(random.choice(_DIGITS) for _place in range(4))])


def _kinds(password: str) -> int:
    return sum(bool(re.search(pattern, password)) for pattern in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]"))


def _is_guessable(lowered: str) -> bool:
    if lowered in _common_passwords() or len(set(lowered)) <= 3:
        return True
    letters = re.sub(r"[^a-z]", "", lowered)
    digits = re.sub(r"\D", "", lowered)
    rest = re.sub(r"[a-z\d]", "", lowered)
    parts = [part for part in (letters, digits) if part]
    phrase = _PHRASES.sub("", letters)
    if phrase != letters and len(phrase) <= 3:
        return True
    return len(rest) <= 1 and bool(parts) and all(_is_weak_part(part) for part in parts)


def _is_weak_part(part: str) -> bool:
    """A run of the keyboard or alphabet, one repeated character, or a common password by itself."""
    return len(set(part)) == 1 or part in _common_passwords() or any(len(part) >= 3 and part in run for run in _RUNS)


def _is_name_or_date(lowered: str) -> bool:
    """A citizen number anywhere, or nothing but a name in pinyin and figures, or a date with next to nothing beside it."""
    if _CITIZEN.search(lowered):
        return True
    letters, digits = re.sub(r"[^a-z]", "", lowered), re.sub(r"\D", "", lowered)
    if len(digits) <= 8 and (letters in _NAMES or _FULL_NAME.fullmatch(lowered)):
        return True
    return len(letters) <= 3 and len(digits) <= 10 and _begins_or_ends_with_date(digits)


def _begins_or_ends_with_date(digits: str) -> bool:
    return any(len(digits) >= size and (_is_date(digits[:size]) or _is_date(digits[-size:])) for size in (6, 8))


def _is_date(digits: str) -> bool:
    """Whether the digits are a day since 1930 by year, month and day in any usual order, long or short."""
    for form in ("%Y%m%d", "%d%m%Y", "%m%d%Y") if len(digits) == 8 else ("%y%m%d", "%d%m%y", "%m%d%y"):
        try:
            if 1930 <= datetime.strptime(digits, form).year <= 2069:  # noqa: DTZ007  # a day of a password, in no zone
                return True
        except ValueError:
            continue
    return False


def _birthday_forms(born: date) -> set[str]:
    """The day as people type it: every order, long and short year, with and without leading zeros."""
    years, months, days = {f"{born:%Y}", f"{born:%y}"}, {f"{born:%m}", str(born.month)}, {f"{born:%d}", str(born.day)}
    parts = [(year, month, day) for year in years for month in months for day in days]
    return {"".join(order) for one in parts for order in permutations(one) if len("".join(order)) >= 6}


def _tells_owner(lowered: str, owner: Owner) -> bool:
    if any(_holds(lowered, number.lower(), shortest=5) for number in owner.numbers):
        return True
    digits = re.sub(r"\D", "", lowered)
    if owner.birth_date and any(form in digits for form in _birthday_forms(owner.birth_date)):
        return True
    return any(_is_mostly(lowered, name.lower()) for name in owner.names if name)


def _holds(lowered: str, number: str, *, shortest: int) -> bool:
    return len(number) >= shortest and (number in lowered or (len(lowered) >= 6 and lowered in number))


def _is_mostly(lowered: str, name: str) -> bool:
    """The name is in the password and what is left over is only a few digits or signs."""
    if name not in lowered:
        return False
    if not name.isascii():
        return True
    left = lowered.replace(name, "", 1)
    return len(name) >= 4 and not re.search(r"[a-z]{3}", left)


@lru_cache(maxsize=1)
def _common_passwords() -> Collection[str]:
    """Django's list of 20,000 and those that are common in China."""
    return frozenset(CommonPasswordValidator().passwords) | frozenset(_COMMON.read_text(encoding="utf-8").split())
