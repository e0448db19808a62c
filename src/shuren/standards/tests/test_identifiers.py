from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.standards import api
from shuren.standards.rules.identifiers import citizen_id_check

TODAY = date(2026, 9, 1)
# No id in this file is anybody's: the county 440199 was never given to one.
FIRST_17 = "44019920150101123"
SOUND = FIRST_17 + citizen_id_check(FIRST_17)
DIGITS = st.text("0123456789", min_size=17, max_size=17)


class TestCitizenId:
    def test_a_sound_id_has_no_fault(self) -> None:
        assert api.citizen_id_fault(SOUND, today=TODAY) is None
        assert api.birth_date_in(SOUND) == date(2015, 1, 1)
        assert api.sex_in(SOUND) == "1"

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "18 位"),
            (SOUND[:17], "18 位"),
            (SOUND[:17] + "x", "大写"),
            ("A" + SOUND[1:], "17 位数字"),
            ("00" + SOUND[2:], "省级"),
            (SOUND[:6] + "20310230" + SOUND[14:], "出生日期"),
            (SOUND[:6] + "20270101" + SOUND[14:], "出生日期"),
            (SOUND[:6] + "17000101" + SOUND[14:], "出生日期"),
            (SOUND[:17] + ("0" if SOUND[17] != "0" else "1"), "校验位"),
        ],
    )
    def test_each_fault_is_told(self, text: str, told: str) -> None:
        assert told in (api.citizen_id_fault(text, today=TODAY) or "")

    @given(DIGITS)
    def test_exactly_one_check_character_fits(self, first_17: str) -> None:
        assert citizen_id_check(first_17) in "0123456789X"

    @given(first_17=DIGITS, place=st.integers(0, 16), digit=st.sampled_from("0123456789"))
    def test_one_wrong_digit_is_always_noticed(self, first_17: str, place: int, digit: str) -> None:
        changed = first_17[:place] + digit + first_17[place + 1 :]
        assert (citizen_id_check(changed) == citizen_id_check(first_17)) == (changed == first_17)

    @given(first_17=DIGITS, place=st.integers(0, 15))
    def test_two_swapped_neighbours_are_always_noticed(self, first_17: str, place: int) -> None:
        swapped = first_17[:place] + first_17[place + 1] + first_17[place] + first_17[place + 2 :]
        assert (citizen_id_check(swapped) == citizen_id_check(first_17)) == (swapped == first_17)

    @given(st.text(max_size=25))
    def test_no_text_breaks_the_check(self, text: str) -> None:
        api.citizen_id_fault(text, today=TODAY)
        api.pupil_number_fault(text, today=TODAY)
        api.credit_code_fault(text)
        api.school_code_fault(text)
        api.division_fault(text)


class TestCreditCode:
    @pytest.mark.parametrize("text", ["91350100M000100Y43", "91512081MA62K0260E"])
    def test_published_examples_are_sound(self, text: str) -> None:
        assert api.credit_code_fault(text) is None

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("91350100M000100Y44", "校验位"),
            ("91350100M000100Y4", "18 位"),
            ("91350100M000100YI3", "不含"),
            ("91350100m000100Y43", "大写"),
        ],
    )
    def test_each_fault_is_told(self, text: str, told: str) -> None:
        assert told in (api.credit_code_fault(text) or "")


class TestSchoolCode:
    @pytest.mark.parametrize("text", ["2144000001", "3111012345", "5137123456"])
    def test_ten_digits_of_a_known_kind_and_province_are_sound(self, text: str) -> None:
        assert api.school_code_fault(text) is None

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("214400001", "10 位"),
            ("21440000A1", "10 位"),
            ("9944000001", "类别"),
            ("2199000001", "省级"),
            ("２１４４００００01", "10 位"),
        ],
    )
    def test_each_fault_is_told(self, text: str, told: str) -> None:
        assert told in (api.school_code_fault(text) or "")


class TestPupilNumber:
    @pytest.mark.parametrize("text", ["G" + SOUND, "J44010320150911001X", "L440103201509111234"])
    def test_the_three_forms_are_sound(self, text: str) -> None:
        assert api.pupil_number_fault(text, today=TODAY) is None

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("K" + SOUND, "开头"),
            ("G" + SOUND[:17], "19 位"),
            ("L44010320150911123A", "18 位数字"),
            ("G" + SOUND[:17] + ("0" if SOUND[17] != "0" else "1"), "校验位"),
            ("L000103201509111234", "省级"),
            ("J440103201513110010", "出生日期"),
        ],
    )
    def test_each_fault_is_told(self, text: str, told: str) -> None:
        assert told in (api.pupil_number_fault(text, today=TODAY) or "")


class TestDivision:
    @pytest.mark.parametrize("text", ["44", "4401", "440103", "440103001", "440103001001", "440100", "810000"])
    def test_known_divisions_of_every_length_are_sound(self, text: str) -> None:
        assert api.division_fault(text) is None

    @pytest.mark.parametrize(("text", "told"), [("440", "2、4、6"), ("44010A", "数字"), ("449999", "不在")])
    def test_each_fault_is_told(self, text: str, told: str) -> None:
        assert told in (api.division_fault(text) or "")

    def test_divisions_are_named_and_nested(self) -> None:
        assert api.division_name("440103") == api.division_name("440103001") == "荔湾区"
        assert api.division_name("999999") == ""
        assert len(api.divisions_under("440100")) == 11
        assert [found.name for found in api.divisions_under("440000")][:2] == ["广州市", "韶关市"]
        assert len(api.divisions_under("")) == 34
        assert [found.code for found in api.divisions_under("210000")][9:11] == ["211000", "211100"]
