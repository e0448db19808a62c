import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shuren.intake.api import UnreadableFile, open_package
from shuren.intake.rules import limits

Write = Callable[[str, bytes | str], Path]


def test_tables_are_found_whatever_their_folder_and_case(written: Write, package_bytes: Any) -> None:
    body = package_bytes({"花名册/Users.CSV": "a\n1\n", "花名册/orgs.csv": "b\n2\n", "__MACOSX/._Users.CSV": "junk"})
    with open_package(written("a.zip", body)) as package:
        assert package.names == ["Users.CSV", "orgs.csv"]
        assert package.find("users.csv") == "Users.CSV"
        assert package.find("classes.csv") is None
        table = package.open_table("Users.CSV")
        assert (table.file, [row.values for row in table.rows]) == ("Users.CSV", [["1"]])


def test_what_was_unpacked_is_gone_afterwards(written: Write, package_bytes: Any) -> None:
    with open_package(written("a.zip", package_bytes({"a.csv": "a\n1\n"}))) as package:
        path = package.path_of("a.csv")
        assert path.exists()
    assert not path.parent.exists()


def test_a_folder_of_the_caller_is_kept(written: Write, package_bytes: Any, tmp_path: Path) -> None:
    with open_package(written("a.zip", package_bytes({"a.csv": "a\n1\n"})), into=tmp_path / "parts") as package:
        path = package.path_of("a.csv")
    assert path.read_text() == "a\n1\n"


def test_file_names_of_chinese_windows_are_read(written: Write) -> None:
    raw = "学生.csv".encode("gbk")
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("A" * len(raw), "姓名\n张\n")
    body = out.getvalue().replace(b"A" * len(raw), raw)
    with open_package(written("a.zip", body)) as package:
        assert package.names == ["学生.csv"]


@pytest.mark.parametrize("name", ["../a.csv", "/etc/a.csv", "x/../../a.csv", "C:/a.csv", "..\\a.csv"])
def test_paths_that_lead_outside_are_refused(written: Write, package_bytes: Any, name: str) -> None:
    with pytest.raises(UnreadableFile, match="不安全"):
        open_package(written("a.zip", package_bytes({name: "a"})))


def test_links_are_refused(written: Write) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("users.csv")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UnreadableFile, match="链接"):
        open_package(written("a.zip", out.getvalue()))


def test_bombs_are_refused(written: Write, package_bytes: Any) -> None:
    with pytest.raises(UnreadableFile, match="过大"):
        open_package(written("a.zip", package_bytes({"a.csv": b"0" * 40_000_000})))


def test_a_member_that_lies_about_its_size_is_refused(written: Write, package_bytes: Any) -> None:
    body = package_bytes({"a.csv": b"1234567890" * 5000})
    size = struct.pack("<I", 50_000)
    path = written("a.zip", body.replace(size, struct.pack("<I", 10)))
    with open_package(path) as package, pytest.raises(UnreadableFile, match="已损坏"):
        package.path_of("a.csv")


def test_too_much_together_is_refused(written: Write, package_bytes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shuren.intake.selectors.packages.MAX_PACKAGE_UNPACKED_BYTES", 100)
    with pytest.raises(UnreadableFile, match="过大"):
        open_package(written("a.zip", package_bytes({"a.csv": "x" * 60, "b.csv": "x" * 60})))


def test_two_files_of_one_name_are_refused(written: Write, package_bytes: Any) -> None:
    with pytest.raises(UnreadableFile, match="两个"):
        open_package(written("a.zip", package_bytes({"a/users.csv": "1", "b/Users.csv": "2"})))


def test_passwords_are_told(written: Write, package_bytes: Any) -> None:
    body = bytearray(package_bytes({"a.csv": "a"}))
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableFile, match="密码"):
        open_package(written("a.zip", bytes(body)))


def test_a_damaged_member_is_told_by_name(written: Write, package_bytes: Any) -> None:
    body = bytearray(package_bytes({"users.csv": "a,b\n" + "1,2\n" * 1000}))
    body[50] ^= 0xFF
    with open_package(written("a.zip", bytes(body))) as package, pytest.raises(UnreadableFile, match=r"users\.csv"):
        package.path_of("users.csv")


@pytest.mark.parametrize("body", [b"a,b\n1,2\n", b"PK\x05\x06" + b"\x00" * 18, b"PK\x03\x04"])
def test_what_is_no_zip_or_empty_is_told(written: Write, body: bytes) -> None:
    with pytest.raises(UnreadableFile):
        open_package(written("a.zip", body))


def test_a_missing_member_is_told(written: Write, package_bytes: Any) -> None:
    path = written("a.zip", package_bytes({"a.csv": "a"}))
    with open_package(path) as package, pytest.raises(UnreadableFile, match=r"没有 b\.csv"):
        package.path_of("b.csv")


@pytest.mark.parametrize(
    ("packed", "unpacked", "is_bomb"),
    [(100, 1000, False), (1, limits.RATIO_FREE_BYTES, False), (1000, 32 * 1024**2, True), (1024**2, 100 * 1024**2, False)],
)
def test_what_counts_as_a_bomb(packed: int, unpacked: int, is_bomb: bool) -> None:
    assert limits.is_bomb(packed=packed, unpacked=unpacked) is is_bomb
