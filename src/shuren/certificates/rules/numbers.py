"""Numbers of certificates: 80 random bits, so that nobody guesses one, and a check letter, so that a slip is told."""

import secrets

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 16
_SLIPS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def new_number() -> str:
    drawn = secrets.randbits(5 * _LENGTH)
    body = "".join(_LETTERS[drawn >> 5 * place & 31] for place in range(_LENGTH))
    return body + _check_letter(body)


def read_number(text: str) -> str:
    """The number behind what somebody typed or scanned; empty when it cannot be one."""
    plain = "".join(letter for letter in text.upper() if letter.isalnum()).translate(_SLIPS)
    if len(plain) != _LENGTH + 1 or any(letter not in _LETTERS for letter in plain):
        return ""
    return plain if plain[-1] == _check_letter(plain[:-1]) else ""


def grouped(number: str) -> str:
    """In fours, the last of five, as it is printed."""
    return "-".join((number[:4], number[4:8], number[8:12], number[12:]))


def _check_letter(body: str) -> str:
    """Weights that are odd and differ modulo 32 tell any single slip and most swaps."""
    total = sum((2 * place + 1) * _LETTERS.index(letter) for place, letter in enumerate(body))
    return _LETTERS[total % 32]
