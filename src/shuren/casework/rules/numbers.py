"""Numbers that people quote: `QJ260901-4827-1000-31`, told apart by day, without saying how many cases there are."""

from datetime import date

_PRIME = 999_999_937
_STEP = 387_420_489


def case_number(prefix: str, day: date, row_id: int) -> str:
    """The number of the case with this row id: prefix, day of filing, nine digits, and two that check the rest.

    The nine digits are the row id multiplied within a prime field, so that two of the same billion never meet.
    """
    digits = f"{row_id % _PRIME * _STEP % _PRIME:09d}"
    body = f"{prefix}{day:%y%m%d}{digits}"
    check = _check(body)
    return f"{prefix}{day:%y%m%d}-{digits[:4]}-{digits[4:8]}-{digits[8]}{check:02d}"


def is_case_number(text: str) -> bool:
    """Whether the two last digits fit the rest: a slip in one character, or two swapped, is seen."""
    plain = text.replace("-", "").strip().upper()
    if len(plain) < 17 or not (plain[-2:].isdigit() and plain.isalnum() and plain.isascii()):
        return False
    return _check(plain[:-2]) == int(plain[-2:])


def _check(body: str) -> int:
    """ISO 7064 MOD 97-10 over letters as two digits."""
    figures = "".join(str(int(letter, 36)) for letter in body)
    return 98 - int(figures + "00") % 97
