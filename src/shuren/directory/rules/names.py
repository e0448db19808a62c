"""Order of names: Chinese names sort by pinyin, as in a school register."""

import re
from functools import lru_cache

from pypinyin import Style, pinyin

MAX_LENGTH = 60
_PARTS = re.compile("[\u3400-\u9fff]|[^\u3400-\u9fff]+")


def sort_key_of(name: str) -> str:
    """The key a name is sorted by: pinyin of each character, then the characters, so that homonyms stand together."""
    sounds = " ".join(_sound(part) if len(part) == 1 else part for part in _PARTS.findall(name))
    return f"{sounds} {name}".lower()[:MAX_LENGTH].strip()


@lru_cache(maxsize=20_000)
def _sound(letter: str) -> str:
    return str(pinyin(letter, style=Style.TONE3, neutral_tone_with_five=True)[0][0])
