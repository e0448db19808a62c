"""The unified social credit code of GB 32100."""

_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def is_credit_code(code: str) -> bool:
    """Whether an 18-letter code keeps its check letter (weights are powers of 3 modulo 31)."""
    if len(code) != 18 or any(letter not in _LETTERS for letter in code):
        return False
    total = sum(_LETTERS.index(letter) * weight for letter, weight in zip(code[:17], _WEIGHTS, strict=True))
    return _LETTERS[(31 - total) % 31] == code[17]
