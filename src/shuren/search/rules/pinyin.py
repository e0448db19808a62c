"""Reading Chinese aloud, fast enough to index a province."""

from functools import lru_cache

import rjieba
from pypinyin import lazy_pinyin

# Characters read differently as a family name than in running text.
_FAMILY_READINGS = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "解": "xie", "查": "zha", "区": "ou", "朴": "piao", "盖": "ge",
    "任": "ren", "缪": "miao", "翟": "zhai", "华": "hua", "尹": "yin", "卜": "bu", "员": "yun", "秘": "bi",
    "折": "she", "种": "chong", "黑": "he", "乐": "yue", "召": "shao", "尉": "wei", "祭": "zhai", "隗": "wei",
    "晟": "cheng", "繁": "po", "冼": "xian", "洗": "xian", "逄": "pang", "过": "guo", "宓": "mi", "覃": "qin",
    "万俟": "mo qi", "尉迟": "yu chi", "单于": "chan yu", "长孙": "zhang sun", "澹台": "tan tai", "令狐": "ling hu",
}  # fmt: skip
_TWO_LETTERS = "欧阳 上官 司马 诸葛 司徒 东方 皇甫 慕容 公孙 夏侯 轩辕 宇文 端木 百里 呼延 南宫 独孤 赫连 钟离 闻人 申屠 太史"
_TWO_LETTER_FAMILIES = {*_TWO_LETTERS.split(), *(name for name in _FAMILY_READINGS if len(name) == 2)}


def is_han(letter: str) -> bool:
    return "㐀" <= letter <= "鿿" or letter == "〇" or "𠀀" <= letter <= "𲎯"


def family_length(name: str) -> int:
    return 2 if len(name) > 2 and name[:2] in _TWO_LETTER_FAMILIES else 1


def name_syllables(name: str) -> list[str]:
    """One reading per letter of a person's name; letters that are not Han stand as they are."""
    length = family_length(name)
    return [*_family_syllables(name[:length]), *map(_reading, name[length:])]


def text_syllables(text: str) -> list[str]:
    """One reading per letter of running text, words read as words: 重庆 is chong qing, 重量 is zhong liang."""
    return [syllable for word in rjieba.cut(text) for syllable in word_syllables(word)]


@lru_cache(maxsize=50_000)
def word_syllables(word: str) -> tuple[str, ...]:
    """One reading per letter of a single word."""
    if not all(map(is_han, word)):
        return tuple(_reading(letter) for letter in word)
    syllables = lazy_pinyin(word)
    return tuple(syllables) if len(syllables) == len(word) else tuple(_reading(letter) for letter in word)


@lru_cache(maxsize=30_000)
def _reading(letter: str) -> str:
    if not is_han(letter):
        return letter.lower()
    return lazy_pinyin(letter)[0].replace("ü", "v")


@lru_cache(maxsize=5_000)
def _family_syllables(family: str) -> tuple[str, ...]:
    return tuple(_FAMILY_READINGS[family].split()) if family in _FAMILY_READINGS else tuple(map(_reading, family))
