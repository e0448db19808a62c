"""`shuren packs`: what it prints, and when it fails."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from shuren.front.cli.packs import command
from shuren.kernel.errors import Invalid
from shuren.standards import api as standards

LINES = """\
key: bus.lines
title: {zh: 校车线路, en: Bus lines}
sections:
  - key: one
    title: {zh: 线路, en: Line}
    fields:
      - {key: seats, title: {zh: 座位数, en: Seats}, type: integer, maximum: 60}
"""
Put = Callable[[str, str], None]


@pytest.fixture
def put(db: None, tmp_path: Path, settings: Any) -> Iterator[Put]:
    settings.SHUREN_PACKS_SHIPPED, settings.SHUREN_PACKS = tmp_path / "shipped", tmp_path / "own"

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    write("shipped/core/pack.yaml", "{key: core, title: 基本, version: 1.0.0}")
    write("shipped/bus/pack.yaml", "{key: bus, title: 校车, version: 1.0.0}")
    write("shipped/bus/registers/lines.yaml", LINES)
    standards.forget_registry()
    yield write
    standards.forget_registry()


def run(*words: str) -> Any:
    return CliRunner().invoke(command, list(words), catch_exceptions=False)


def test_check_prints_what_is_wrong_and_fails(put: Put) -> None:
    assert run("check", "--all").exit_code == 0
    put("shipped/bus/registers/lines.yaml", LINES.replace("integer", "number"))
    answer = run("check", "bus")
    assert (answer.exit_code, "lines.yaml:7" in answer.output) == (1, True)


def test_install_list_and_diff(put: Put) -> None:
    assert "bus 1.0.0: 1 new" in run("install", "--all").output
    assert "bus 1.0.0: 0 new, 0 changed, 1 as before" in run("install", "bus").output
    assert "no difference" in run("diff", "bus").output
    put("own/bus/registers/lines.yaml", "extends: true\nsections: [{key: one, fields: [{key: seats, maximum: 80}]}]\n")
    assert "由 60 改为 80" in run("diff", "bus").output
    assert "1.0.0 (changed)" in run("list").output


def test_a_refused_install_names_the_faults_and_installs_the_others(put: Put) -> None:
    put("shipped/bus/registers/lines.yaml", LINES.replace("integer", "number"))
    answer = run("install", "--all")
    assert (answer.exit_code, "lines.yaml:7" in answer.output) == (1, True)
    assert "core 1.0.0" in answer.output


def test_something_must_be_named(put: Put) -> None:
    with pytest.raises(Invalid):
        run("check")
