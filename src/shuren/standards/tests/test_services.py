from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry, Event
from shuren.standards import api
from shuren.standards.data import Authority, Grade
from shuren.standards.models import Code, CodeSet, Element
from shuren.standards.rules.registry import SHIPPED, RegistryFault, read_registry

NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def region_folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.DATA_DIR = tmp_path
    folder = tmp_path / "standards"
    folder.mkdir()
    api.forget_registry()
    yield folder
    api.forget_registry()


class TestShippedRegistry:
    def test_every_element_is_named_in_both_languages_and_graded(self) -> None:
        for element in read_registry([SHIPPED]).elements.values():
            assert element.name_zh
            assert element.name_en.isascii()
            assert element.reference

    def test_everything_personal_is_masked(self) -> None:
        shown = [e.code for e in read_registry([SHIPPED]).elements.values() if e.grade in {"L3", "L4"} and e.mask == "none"]
        assert shown == []

    def test_every_code_is_named_in_both_languages(self) -> None:
        for code_set in read_registry([SHIPPED]).code_sets.values():
            for code in code_set.codes.values():
                assert code.name_zh
                assert code.name_en.isascii()

    @pytest.mark.parametrize(
        ("code_set", "count"),
        [("sex", 4), ("ethnic_group", 59), ("id_document_type", 12), ("urban_rural", 11), ("enrolment_status", 16), ("role", 15)],
    )
    def test_the_standards_are_complete(self, code_set: str, count: int) -> None:
        assert len(api.codes(code_set)) == count

    def test_slips_of_the_source_are_mended(self) -> None:
        assert api.code_label("ethnic_group", "36", "zh-hans") == "毛南族"


class TestCodes:
    def test_labels_follow_the_reader(self) -> None:
        assert api.code_label("sex", "2", "zh-hans") == "女"
        assert api.code_label("sex", "2", "en") == "Female"
        assert api.code_label("sex", "7", "en") == "7"

    def test_subjects_of_2012_lead_to_those_of_2022(self) -> None:
        assert api.code_label("subject", api.current_code("subject", "12"), "zh") == "道德与法治"
        assert api.current_code("subject", "14") == "14"
        before, after = date(2022, 8, 31), date(2022, 9, 1)
        assert api.is_code("subject", "12", on=before)
        assert not api.is_code("subject", "12", on=after)
        assert not api.is_code("subject", "71", on=before)
        assert api.is_code("subject", "71", on=after)
        assert "71" not in {code.code for code in api.codes("subject", on=before)}

    def test_an_unknown_set_is_not_found_and_an_unknown_code_is_none(self) -> None:
        with pytest.raises(NotFound):
            api.codes("nonsense")
        assert not api.is_code("sex", "5")

    def test_code_sets_tell_their_authority(self) -> None:
        told = {code_set.code: code_set.authority for code_set in api.code_sets()}
        assert (told["sex"], told["school_type"], told["role"]) == (Authority.NATIONAL, Authority.INDUSTRY, Authority.LOCAL)


@pytest.mark.django_db
class TestLoading:
    def test_loading_again_changes_nothing_and_keeps_owners(self) -> None:
        first = api.load_registry()
        api.set_owner(actor=SYSTEM, element_code="person.name", org_id=77, now=NOW)
        assert api.load_registry() == first
        assert (Element.objects.count(), CodeSet.objects.count(), Code.objects.count()) == (
            first.elements,
            first.code_sets,
            first.codes,
        )
        assert api.element("person.name").owner_org_id == 77
        assert (api.element("person.national_id").grade, api.grade_of("person.national_id")) == (Grade.SENSITIVE, Grade.SENSITIVE)
        assert len(api.elements()) == first.elements

    def test_naming_an_owner_is_audited_and_told(self) -> None:
        api.load_registry()
        api.set_owner(actor=SYSTEM, element_code="person.name", org_id=77, now=NOW)
        assert AuditEntry.objects.get().details == {"before": None, "after": 77}
        assert Event.objects.get().payload == {"element": "person.name", "before": None, "after": 77}
        with pytest.raises(NotFound):
            api.set_owner(actor=SYSTEM, element_code="person.nonsense", org_id=1, now=NOW)

    def test_a_region_may_add_and_replace(self, region_folder: Path) -> None:
        (region_folder / "own.yaml").write_text(
            "- {code: bus_line, name_zh: 校车线路, name_en: Bus line, authority: local, codes: {A: [甲线, Line A]}}\n"
            "- {code: person.bus_line, name_zh: 校车, name_en: Bus, type: code, code_set: bus_line, grade: L3, mask: all}\n"
            "- {code: person.staff_number, name_zh: 工号, name_en: Staff no, type: text, grade: L3, mask: all}\n",
            encoding="utf-8",
        )
        api.load_registry()
        assert api.element("person.bus_line").code_set == "bus_line"
        assert api.code_label("bus_line", "A", "zh") == "甲线"
        assert api.mask("T01", "person.staff_number", may_see=False) == "***"

    def test_a_source_has_one_department_and_reaches_the_tables(self) -> None:
        api.load_registry()
        assert (api.element("org.name").source, api.element("org.name").department) == ("directory:org.name", "机构编制部门")
        assert api.known_element("person.username").source == ""


class TestPacks:
    @pytest.fixture
    def packs(self, tmp_path: Path, settings: Any) -> Iterator[Path]:
        settings.SHUREN_PACKS_SHIPPED, settings.SHUREN_PACKS = tmp_path / "shipped", tmp_path / "own"
        api.forget_registry()
        yield tmp_path
        api.forget_registry()

    def put(self, folder: Path, text: str) -> None:
        (folder / "standards").mkdir(parents=True)
        (folder / "standards" / "elements.yaml").write_text(text, encoding="utf-8")

    def test_words_of_packs_are_known_and_the_region_has_the_last_one(self, packs: Path) -> None:
        line = "- {code: bus.line, name_zh: %s, name_en: Bus line, type: text, grade: L1}\n"
        self.put(packs / "shipped" / "bus", line % "校车线路")
        assert api.known_element("bus.line").name_zh == "校车线路"
        self.put(packs / "own" / "bus", line % "接送线路")
        api.forget_registry()
        assert api.known_element("bus.line").name_zh == "接送线路"

    def test_a_pack_that_cannot_be_read_stops_nobody_and_is_logged(self, packs: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.put(packs / "own" / "bad", "- {code: bad.one, name_zh: 坏\n")
        assert api.known_element("person.name") is not None
        assert "bad" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        "- {code: a, name_zh: 甲, name_en: A, type: code, grade: L1}",
        "- {code: a, name_zh: 甲, name_en: A, type: text, code_set: sex, grade: L1}",
        "- {code: a, name_zh: 甲, name_en: A, type: text, grade: L9}",
        "- {code: a, name_zh: 甲, type: text, grade: L1}",
        "- {code: a, name_zh: 甲, name_en: A, type: code, code_set: nowhere, grade: L1}",
        "- {code: s, name_zh: 甲, name_en: A, authority: local, codes: {x: {zh: 一, en: One, replaced_by: nowhere}}}",
        "- {code: s, name_zh: 甲, name_en: A, authority: local, codes: {x: {zh: 一, en: One, begin: soon}}}",
        "- {code: s, name_zh: 甲, name_en: A, authority: king, codes: {}}",
        "- {code: a, name_zh: 甲, name_en: A, type: text, grade: L1, source: directory:org.name}",
        "- {code: a, name_zh: 甲, name_en: A, type: text, grade: L1, department: 基教科}",
        "- {code: a, name_zh: 甲, name_en: A, type: text, grade: L1, source: the drawer, department: 基教科}",
    ],
)
def test_a_registry_that_contradicts_itself_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "wrong.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RegistryFault):
        read_registry([tmp_path])
