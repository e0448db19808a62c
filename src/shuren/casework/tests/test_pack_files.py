"""Files of packs: where things stand in them, and what the region lays over what is shipped."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.casework.rules.pack_files import UnreadableFile, merged, path_in, read_marked, read_pack_folder

FORM = """\
key: demo.asset
title: {zh: 资产, en: Assets}
sections:
  - key: basic
    title: {zh: 基本, en: Basics}
    fields:
      - {key: name, type: text, title: {zh: 名称, en: Name}}
      - key: kind
        type: code
        title: {zh: 类别, en: Kind}
        options:
          - {code: a, title: {zh: 甲, en: A}}
          - {code: b, title: {zh: 乙, en: B}}
"""


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    put(tmp_path / "shipped", "pack.yaml", "{key: demo, title: 演示, version: 1.0.0}\n")
    put(tmp_path / "shipped", "forms/asset.yaml", FORM)
    (tmp_path / "own").mkdir()
    return tmp_path / "shipped", tmp_path / "own"


class TestReading:
    def test_everything_knows_its_line(self, tmp_path: Path) -> None:
        path = put(tmp_path, "form.yaml", FORM)
        _body, lines = read_marked(path)
        told = {key: line for key, (_file, line) in lines.items()}
        assert (told["key"], told["sections.basic.fields.name"]) == (1, 7)
        assert (told["sections.basic.fields.kind.type"], told["sections.basic.fields.kind.options.b"]) == (9, 13)

    def test_a_place_is_named_by_keys(self, tmp_path: Path) -> None:
        body, _lines = read_marked(put(tmp_path, "form.yaml", FORM))
        assert path_in(body, ("sections", 0, "fields", 1, "options", 1, "title")) == "sections.basic.fields.kind.options.b.title"
        assert path_in(body, ("nowhere", "x")) == "nowhere"

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("key: a\nkey: b\n", 2),
            ("key: [a\n", 2),
            ("- a\n- b\n", 1),
            ("title: 甲\nx: {a: 1, a: 2}\n", 2),
        ],
    )
    def test_what_cannot_be_read_says_where(self, tmp_path: Path, text: str, line: int) -> None:
        with pytest.raises(UnreadableFile) as fault:
            read_marked(put(tmp_path, "x.yaml", text))
        assert fault.value.finding.file.endswith("x.yaml")
        assert fault.value.finding.line == line
        assert fault.value.finding.reason

    def test_another_encoding_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "x.yaml"
        path.write_bytes("title: 资产".encode("gb18030"))
        with pytest.raises(UnreadableFile) as fault:
            read_marked(path)
        assert "UTF-8" in fault.value.finding.reason

    def test_a_day_stays_the_text_it_was(self, tmp_path: Path) -> None:
        body, _lines = read_marked(put(tmp_path, "x.yaml", "default: 2026-09-01\n"))
        assert body == {"default": "2026-09-01"}


class TestOverrides:
    def over(self, folders: tuple[Path, Path], text: str) -> dict[str, Any]:
        put(folders[1], "forms/asset.yaml", text)
        return read_pack_folder("demo", folders).files["forms/asset.yaml"].body

    def test_a_file_that_extends_changes_what_it_names(self, folders: tuple[Path, Path]) -> None:
        body = self.over(
            folders,
            "extends: true\n"
            "sections:\n"
            "  - key: basic\n"
            "    fields:\n"
            "      - {key: name, required: true}\n"
            "      - key: kind\n"
            "        options: [{code: a, remove: true}, {code: c, title: 丙}]\n"
            "      - {key: floor, type: integer, title: 楼层}\n",
        )
        name, kind, floor = body["sections"][0]["fields"]
        assert name == {"key": "name", "type": "text", "title": {"zh": "名称", "en": "Name"}, "required": True}
        assert [option["code"] for option in kind["options"]] == ["b", "c"]
        assert floor["key"] == "floor"

    def test_null_takes_a_key_out_and_remove_a_thing(self, folders: tuple[Path, Path]) -> None:
        body = self.over(
            folders, "extends: true\ntitle: {en: null}\nsections:\n  - key: basic\n    fields: [{key: kind, remove: true}]\n"
        )
        assert body["title"] == {"zh": "资产"}
        assert [field["key"] for field in body["sections"][0]["fields"]] == ["name"]

    def test_without_it_a_file_stands_in(self, folders: tuple[Path, Path]) -> None:
        assert self.over(folders, "key: demo.asset\ntitle: 设备\nsections: []\n")["title"] == "设备"

    def test_an_upgrade_keeps_the_change(self, folders: tuple[Path, Path]) -> None:
        self.over(folders, "extends: true\nsections: [{key: basic, fields: [{key: name, required: true}]}]\n")
        put(folders[0], "forms/asset.yaml", FORM.replace("名称", "资产名称"))
        name = read_pack_folder("demo", folders).files["forms/asset.yaml"].body["sections"][0]["fields"][0]
        assert (name["title"]["zh"], name["required"]) == ("资产名称", True)

    def test_extending_nothing_is_told(self, folders: tuple[Path, Path]) -> None:
        put(folders[1], "forms/other.yaml", "extends: true\ntitle: 别的\n")
        (finding,) = read_pack_folder("demo", folders).findings
        assert finding.file.endswith("own/forms/other.yaml")
        assert "extends" in finding.reason

    def test_faults_point_to_the_file_they_come_from(self, folders: tuple[Path, Path]) -> None:
        self.over(folders, "extends: true\nsections:\n  - key: basic\n    fields:\n      - {key: name, unit: 个}\n")
        lines = read_pack_folder("demo", folders).files["forms/asset.yaml"].lines
        assert lines["sections.basic.fields.name.unit"] == (str(folders[1] / "forms/asset.yaml"), 5)
        assert lines["sections.basic.fields.kind"] == (str(folders[0] / "forms/asset.yaml"), 8)

    def test_the_digest_sees_every_file(self, folders: tuple[Path, Path]) -> None:
        before = read_pack_folder("demo", folders).digest
        put(folders[1], "samples/asset.csv", "name\n桌\n")
        found = read_pack_folder("demo", folders)
        assert found.digest != before
        assert found.overridden == ("samples/asset.csv",)

    def test_a_folder_that_means_nothing_is_told(self, folders: tuple[Path, Path]) -> None:
        put(folders[0], "form/asset.yaml", FORM)
        (finding,) = read_pack_folder("demo", folders).findings
        assert "forms" in finding.remedy


BODIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=4), BODIES, max_size=5))
def test_laying_nothing_over_changes_nothing(body: dict[str, Any]) -> None:
    assert merged(body, {}) == body


@given(st.dictionaries(st.text(max_size=4), BODIES, max_size=5), st.dictionaries(st.text(max_size=4), BODIES, max_size=5))
def test_laying_the_same_over_twice_is_once(body: dict[str, Any], over: dict[str, Any]) -> None:
    once = merged(body, over)
    assert merged(once, over) == once
