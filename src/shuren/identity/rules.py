"""Decisions about passwords and locks, free of database and clock."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from random import Random

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.utils.translation import gettext as _

MAX_FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)
MAX_ADDRESS_FAILURES = 100
ADDRESS_WINDOW = timedelta(minutes=15)
MIN_PASSWORD_LENGTH = 8
MAX_PASSWORD_LENGTH = 128
KEPT_PASSWORDS = 5
MAX_SLIPS = 500

_COMMON = Path(__file__).with_name("common_passwords.txt")
_CONSONANTS = "bdfghjkmnprstvwyz"
_VOWELS = "aeiu"
_DIGITS = "23456789"
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
    if _tells_owner(lowered, owner):
        reasons.append(_("密码里不要用自己的姓名、编号或生日。"))
    return reasons


def locked_until(*, failed_count: int, now: datetime) -> datetime | None:
    """When the door opens again after `failed_count` wrong passwords in a row; None while it stays open."""
    return now + LOCKED_FOR if failed_count and failed_count % MAX_FAILURES == 0 else None


def initial_password(random: Random) -> str:
    """A password that is easy to read out and copy: `kavu-mite-tane-4827`, about 43 bits, no look-alike letters."""
    groups = ["".join(random.choice(_CONSONANTS) + random.choice(_VOWELS) for _syllable in range(2)) for _group in range(3)]
    return "-".join([*groups, "".join(random.choice(_DIGITS) for _place in range(4))])


def sign_in_name(text: str) -> str:
    """A typed name as it is compared: without the spaces around it, in lower case."""
    return text.strip().lower()[:120]


def network_address(text: str) -> str:
    """The network address that a request came from; empty when a proxy told something that is none."""
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""


def _kinds(password: str) -> int:
    return sum(bool(re.search(pattern, password)) for pattern in (r"[a-z]", r"[A-Z]", r"\d", r"[^A-Za-z0-9]"))


def _is_guessable(lowered: str) -> bool:
    if lowered in _common_passwords() or len(set(lowered)) <= 3:
        return True
    letters = re.sub(r"[^a-z]", "", lowered)
    digits = re.sub(r"\D", "", lowered)
    rest = re.sub(r"[a-z\d]", "", lowered)
    parts = [part for part in (letters, digits) if part]
    return len(rest) <= 1 and bool(parts) and all(_is_weak_part(part) for part in parts)


def _is_weak_part(part: str) -> bool:
    """A run of the keyboard or alphabet, one repeated character, or a common password by itself."""
    return len(set(part)) == 1 or part in _common_passwords() or any(len(part) >= 3 and part in run for run in _RUNS)


def _tells_owner(lowered: str, owner: Owner) -> bool:
    if any(_holds(lowered, number.lower(), shortest=5) for number in owner.numbers):
        return True
    if owner.birth_date and any(owner.birth_date.strftime(form) in lowered for form in ("%Y%m%d", "%y%m%d", "%Y-%m-%d")):
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
