"""Packs: installed as a whole, again without a change, upgraded under the region's changes, compared, listed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.data import DefinitionKind, Finding
from shuren.casework.models import Definition, Pack
from shuren.casework.selectors.definitions import definition_named, spec_of
from shuren.casework.selectors.packs import list_packs, pack_keys
from shuren.casework.services.define import DefinitionRefused, OpenCasesCannotFollow
from shuren.casework.services.packs.check import check_pack
from shuren.casework.services.packs.diff import diff_pack
from shuren.casework.services.packs.install import install_all, install_pack
from shuren.casework.services.registers.write import add_entry
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event
from shuren.standards import api as standards

Put = Callable[[str, str], None]
PACK = """\
key: bus
title: {zh: 校车, en: School buses}
version: 1.0.0
rows: {BAS-99: {zh: 校车管理, en: School buses}}
"""
LINES = """\
key: bus.lines
title: {zh: 校车线路, en: Bus lines}
rows: [BAS-99]
identity: [code]
sections:
  - key: one
    title: {zh: 线路, en: Line}
    fields:
      - {key: code, element: bus.code, required: true}
      - {key: seats, title: {zh: 座位数, en: Seats}, type: integer, maximum: 60}
"""
WORDS = """\
- {code: bus.code, name_zh: 线路编号, name_en: Line, type: text, grade: L1, source: register:bus.lines.code, department: 安全科}
"""
CORE = "key: core\ntitle: {zh: 基本, en: Basics}\nversion: 1.0.0\n"


@pytest.fixture
def put(tmp_path: Path, settings: Any) -> Iterator[Put]:
    """Write a file under `shipped/` or `own/`; at first there is the pack `bus`."""
    settings.SHUREN_PACKS_SHIPPED, settings.SHUREN_PACKS = tmp_path / "shipped", tmp_path / "own"

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    write("shipped/core/pack.yaml", CORE)
    write("shipped/bus/pack.yaml", PACK)
    write("shipped/bus/registers/lines.yaml", LINES)
    write("shipped/bus/standards/elements.yaml", WORDS)
    write("shipped/bus/samples/lines.csv", "code,seats,org\nA1,30,0\n")
    standards.forget_registry()
    yield write
    standards.forget_registry()


@pytest.fixture
def installed(cast: Cast, put: Put) -> Put:
    install_all(actor=SYSTEM, now=cast.now)
    return put


def errors(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.is_error]


def lines() -> Any:
    return spec_of(definition_named(DefinitionKind.REGISTER, "bus.lines"))


class TestCheck:
    def test_what_is_right_passes(self, cast: Cast, put: Put) -> None:
        assert check_pack("bus") == []

    @pytest.mark.parametrize(
        ("name", "text", "line", "said"),
        [
            ("shipped/bus/registers/lines.yaml", LINES.replace("bus.code", "bus.codes"), 9, "bus.code"),
            ("shipped/bus/registers/lines.yaml", LINES.replace("type: integer", "type: number"), 10, "integer"),
            ("shipped/bus/registers/lines.yaml", LINES.replace("bus.lines", "bus.line"), 1, "bus.lines"),
            ("shipped/bus/registers/lines.yaml", LINES.replace("BAS-99", "BAS-98"), 3, "BAS-98"),
            ("shipped/bus/registers/lines.yaml", LINES + "change_by: bus.change\n", 11, "bus.change"),
            ("shipped/bus/pack.yaml", PACK.replace("1.0.0", "one"), 3, "one"),
            ("shipped/bus/pack.yaml", PACK + "needs: [roads]\n", 5, "roads"),
            ("shipped/bus/pack.yaml", PACK.replace("key: bus", "key: buses"), 1, "buses"),
        ],
    )
    def test_what_is_wrong_is_told_by_file_and_line(
        self, cast: Cast, put: Put, name: str, text: str, line: int, said: str
    ) -> None:
        put(name, text)
        found = errors(check_pack("bus"))
        assert any(
            one.file.endswith(name.removeprefix("shipped/")) and one.line == line and said in one.reason + one.remedy
            for one in found
        ), [str(one) for one in found]

    def test_words_that_contradict_themselves_are_told(self, cast: Cast, put: Put) -> None:
        put("shipped/bus/standards/elements.yaml", WORDS.replace(", department: 安全科", ""))
        assert any("department" in finding.reason for finding in check_pack("bus"))

    def test_a_source_must_be_there(self, cast: Cast, put: Put) -> None:
        put("shipped/bus/standards/elements.yaml", WORDS.replace("lines.code", "lines.number"))
        assert any("bus.lines.number" in finding.reason for finding in errors(check_pack("bus")))

    def test_samples_belong_to_their_register(self, cast: Cast, put: Put) -> None:
        put("shipped/bus/samples/lines.csv", "code,chairs\nA1,3\n")
        assert any("chairs" in finding.reason for finding in check_pack("bus"))

    def test_a_folder_anywhere_can_be_checked(self, cast: Cast, put: Put, tmp_path: Path) -> None:
        put("draft/van/pack.yaml", PACK.replace("key: bus", "key: van"))
        put("draft/van/registers/cars.yaml", LINES.replace("bus.lines", "van.cars").replace("bus.code", "nothing.code"))
        (finding,) = errors(check_pack(tmp_path / "draft" / "van"))
        assert "nothing.code" in finding.reason

    def test_an_unknown_pack_is_not_found(self, cast: Cast, put: Put) -> None:
        with pytest.raises(NotFound):
            check_pack("tram")


class TestInstall:
    def test_everything_comes_into_force_at_once(self, cast: Cast, put: Put) -> None:
        counts, findings = install_all(actor=SYSTEM, now=cast.now)
        assert findings == []
        assert [(one.key, one.added) for one in counts] == [("core", 0), ("bus", 1)]
        assert str(lines().field_named("code").title.zh) == "线路编号"
        assert standards.element("bus.code").department == "安全科"
        assert AuditEntry.objects.filter(action="casework.pack_installed", target="pack:bus").count() == 1
        assert Event.objects.filter(name="casework.pack_installed").count() == 2

    def test_again_changes_nothing_and_leaves_no_trace(self, cast: Cast, installed: Put) -> None:
        before = AuditEntry.objects.count()
        counts = install_pack(actor=SYSTEM, key="bus", now=cast.now)
        assert (counts.added, counts.changed, counts.same, counts.retired) == (0, 0, 1, 0)
        assert AuditEntry.objects.count() == before

    def test_a_pack_with_one_fault_installs_nothing(self, cast: Cast, put: Put) -> None:
        put("shipped/bus/forms/broken.yaml", "key: bus.broken\ntitle: 坏\n")
        install_pack(actor=SYSTEM, key="core", now=cast.now)
        with pytest.raises(DefinitionRefused):
            install_pack(actor=SYSTEM, key="bus", now=cast.now)
        assert not Definition.objects.exists()
        assert not Pack.objects.filter(pk="bus").exists()

    def test_one_that_is_refused_keeps_no_other_back(self, cast: Cast, put: Put) -> None:
        put("shipped/van/pack.yaml", PACK.replace("key: bus", "key: van") + "needs: [bus]\n")
        put("shipped/bike/pack.yaml", PACK.replace("key: bus", "key: bike"))
        put("shipped/bus/forms/broken.yaml", "key: bus.broken\ntitle: 坏\n")
        counts, findings = install_all(actor=SYSTEM, now=cast.now)
        assert [one.key for one in counts] == ["core", "bike"]
        assert {finding.path for finding in findings if finding.is_error} >= {"van"}

    def test_what_it_needs_comes_first(self, cast: Cast, put: Put) -> None:
        with pytest.raises(Invalid) as fault:
            install_pack(actor=SYSTEM, key="bus", now=cast.now)
        assert "core" in fault.value.remedy

    def test_people_install_nothing(self, cast: Cast, put: Put) -> None:
        with pytest.raises(Refused):
            install_pack(actor=cast.actor("province_officer"), key="core", now=cast.now)

    def test_what_leaves_the_pack_takes_nothing_new(self, cast: Cast, installed: Put, settings: Any) -> None:
        (Path(settings.SHUREN_PACKS_SHIPPED) / "bus/registers/lines.yaml").unlink()
        (Path(settings.SHUREN_PACKS_SHIPPED) / "bus/standards/elements.yaml").unlink()
        installed("shipped/bus/samples/lines.csv", "")
        assert install_pack(actor=SYSTEM, key="bus", now=cast.now).retired == 1
        assert Definition.objects.get(key="bus.lines").status == "retired"

    def test_two_packs_do_not_define_the_same(self, cast: Cast, installed: Put) -> None:
        assert "bus" in pack_keys()
        installed("shipped/van/pack.yaml", PACK.replace("key: bus", "key: van").replace("BAS-99", "BAS-97"))
        installed("shipped/van/registers/lines.yaml", LINES.replace("bus.code", "person.name"))
        with pytest.raises(DefinitionRefused):
            install_pack(actor=SYSTEM, key="van", now=cast.now)


class TestRegion:
    CHANGE = "extends: true\nsections: [{key: one, fields: [{key: seats, maximum: 80}]}]\n"

    def test_its_change_holds_and_outlives_an_upgrade(self, cast: Cast, installed: Put) -> None:
        installed("own/bus/registers/lines.yaml", self.CHANGE)
        assert install_pack(actor=SYSTEM, key="bus", now=cast.now).changed == 1
        assert Pack.objects.get(pk="bus").overridden == ["registers/lines.yaml"]
        installed("shipped/bus/pack.yaml", PACK.replace("1.0.0", "1.1.0"))
        installed("shipped/bus/registers/lines.yaml", LINES.replace("座位数", "核定座位"))
        counts = install_pack(actor=SYSTEM, key="bus", now=cast.now)
        assert (counts.version, counts.changed) == ("1.1.0", 1)
        seats = lines().field_named("seats")
        assert (seats.title.zh, seats.maximum) == ("核定座位", 80)

    def test_the_difference_is_told_field_by_field(self, cast: Cast, installed: Put) -> None:
        installed("own/bus/registers/lines.yaml", self.CHANGE)
        installed("shipped/bus/registers/lines.yaml", LINES.replace("座位数", "核定座位"))
        diff = diff_pack("bus")
        (to_install,), (overridden,) = diff.to_install, diff.overridden
        assert to_install.lines == ("“座位数”改名为“核定座位”", "“座位数”的 maximum 由 60 改为 80")
        assert overridden.lines == ("“核定座位”的 maximum 由 60 改为 80",)
        install_pack(actor=SYSTEM, key="bus", now=cast.now)
        assert diff_pack("bus").to_install == ()

    def test_a_pack_of_its_own_is_one_like_others(self, cast: Cast, installed: Put) -> None:
        installed("own/van/pack.yaml", PACK.replace("key: bus", "key: van"))
        installed(
            "own/van/registers/cars.yaml",
            LINES.replace("bus.lines", "van.cars").replace("element: bus.code", "title: 车号, type: text"),
        )
        assert install_pack(actor=SYSTEM, key="van", now=cast.now).added == 1
        found = {pack.key: (pack.is_shipped, pack.is_current, pack.installed) for pack in list_packs()}
        assert found == {"bus": (True, True, "1.0.0"), "core": (True, True, "1.0.0"), "van": (False, True, "1.0.0")}

    def test_a_change_that_entries_cannot_follow_is_refused(self, cast: Cast, installed: Put) -> None:
        told = {"code": "A1", "seats": 30}
        add_entry(actor=SYSTEM, register="bus.lines", org_id=cast.orgs["school"].id, data=told, now=cast.now)
        installed("own/bus/registers/lines.yaml", "extends: true\nsections: [{key: one, fields: [{key: seats, remove: true}]}]\n")
        with pytest.raises(OpenCasesCannotFollow) as fault:
            install_pack(actor=SYSTEM, key="bus", now=cast.now)
        assert "座位数" in str(fault.value)
        assert lines().field_named("seats") is not None
