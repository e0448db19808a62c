"""A pack brings rules of quality: checked with file and line, in force once it is installed, gone when they leave it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shuren.casework.services.packs.check import check_pack
from shuren.casework.services.packs.install import install_pack
from shuren.datahub import api as datahub
from shuren.datahub.models import RuleFile
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry
from shuren.standards import api as standards

pytestmark = pytest.mark.django_db
RULES = """\
key: bus.member
dataset: directory.member
rules:
  - {code: bus.named, title: {zh: 有姓名, en: Named}, dimension: complete, column: name}
  - {code: bus.role, title: {zh: 有身份, en: Has a role}, dimension: complete, column: role}
"""


@pytest.fixture
def file(db: None, tmp_path: Path, settings: Any) -> Iterator[Path]:
    settings.SHUREN_PACKS_SHIPPED, settings.SHUREN_PACKS, settings.DATA_DIR = tmp_path / "shipped", tmp_path / "own", tmp_path
    pack, core = tmp_path / "shipped" / "bus", tmp_path / "shipped" / "core"
    (pack / "quality").mkdir(parents=True)
    core.mkdir()
    (core / "pack.yaml").write_text("key: core\ntitle: {zh: 基本, en: Basics}\nversion: 1.0.0\n", "utf-8")
    (pack / "pack.yaml").write_text("key: bus\ntitle: {zh: 校车, en: Buses}\nversion: 1.0.0\n", "utf-8")
    path = pack / "quality" / "member.yaml"
    path.write_text(RULES, "utf-8")
    install_pack(actor=SYSTEM, key="core", now=clock.now())
    yield path
    standards.forget_registry()


def codes() -> list[str]:
    return [rule.code for rule in datahub.quality_rules("directory.member") if rule.code.startswith("bus.")]


def test_rules_are_in_force_once_the_pack_is_and_gone_when_they_left_it(file: Path) -> None:
    now = clock.now()
    assert [finding for finding in check_pack("bus") if finding.is_error] == []
    assert codes() == []
    assert install_pack(actor=SYSTEM, key="bus", now=now).added == 1
    assert codes() == ["bus.named", "bus.role"]
    assert install_pack(actor=SYSTEM, key="bus", now=now).same == 1
    file.write_text(RULES[: RULES.index("  - {code: bus.role")], "utf-8")
    assert install_pack(actor=SYSTEM, key="bus", now=now).changed == 1
    assert codes() == ["bus.named"]
    file.unlink()
    assert install_pack(actor=SYSTEM, key="bus", now=now).retired == 1
    assert codes() == []
    assert not RuleFile.objects.exists()
    assert AuditEntry.objects.filter(action="datahub.quality_rules_kept").count() == 3


@pytest.mark.parametrize(
    ("before", "after", "line", "said"),
    [
        ("column: role", "column: rolle", 5, "rolle"),
        ("column: role", "column: (SELECT 1)", 5, "SELECT 1"),
        ("dimension: complete, column: name", "dimension: perfect, column: name", 4, "perfect"),
        ("column: name}", "colum: name}", 4, "colum"),
        ("zh: 有姓名, en: Named", "zh: 有姓名", 4, "en"),
        ("code: bus.role", "code: bus.named", 5, "twice"),
        ("dataset: directory.member\n", "dataset: directory.member\nwhere: 1 = (SELECT 1)\n", 3, "SELECT 1"),
        ("dataset: directory.member\n", "dataset: directory.member\nwhen: true\n", 3, "when"),
        ("key: bus.member", "key: bus.people", 1, "bus.people"),
        ("dataset: directory.member\n", "", 1, "names its dataset"),
    ],
)
def test_a_fault_is_told_with_its_line_and_keeps_the_pack_out(file: Path, before: str, after: str, line: int, said: str) -> None:
    file.write_text(RULES.replace(before, after), "utf-8")
    found = [finding for finding in check_pack("bus") if finding.is_error]
    assert [(finding.file, finding.line) for finding in found] == [(str(file), line)]
    assert said in found[0].reason
    assert found[0].remedy
    with pytest.raises(Exception, match=r"bus|member"):
        install_pack(actor=SYSTEM, key="bus", now=clock.now())
    assert codes() == []


def test_all_faults_of_a_file_are_told_at_once(file: Path) -> None:
    file.write_text(RULES.replace("column: name", "column: nam").replace("column: role", "column: rol"), "utf-8")
    assert [finding.line for finding in check_pack("bus") if finding.is_error] == [4, 5]
