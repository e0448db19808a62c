import pytest

from shuren.search.rules.pinyin import family_length, name_syllables, text_syllables


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("张三", "zhang san"),
        ("单雄信", "shan xiong xin"),
        ("曾国藩", "zeng guo fan"),
        ("尉迟恭", "yu chi gong"),
        ("欧阳修", "ou yang xiu"),
        ("解晓东", "xie xiao dong"),
        ("欧阳", "ou yang"),
        ("吕布", "lv bu"),
    ],
)
def test_names_are_read_as_names(name: str, read: str) -> None:
    assert " ".join(name_syllables(name)) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [("重庆", "chong qing"), ("重量", "zhong liang"), ("长沙银行", "chang sha yin hang"), ("第2小学", "di 2 xiao xue")],
)
def test_words_decide_how_a_letter_is_read(text: str, read: str) -> None:
    assert " ".join(text_syllables(text)) == read


def test_letters_that_are_not_han_stand_as_they_are() -> None:
    assert name_syllables("阿a") == ["a", "a"]
    assert name_syllables("") == []


def test_two_letter_family_names_need_a_third_letter() -> None:
    assert (family_length("欧阳修"), family_length("欧阳"), family_length("张三丰")) == (2, 1, 1)
