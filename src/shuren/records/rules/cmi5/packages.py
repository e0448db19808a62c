"""Names in a course package, and what a browser may do with the files: decided before anything is unpacked."""

import mimetypes
import stat
from collections.abc import Sequence
from pathlib import PurePosixPath
from zipfile import ZipInfo

from django.utils.translation import gettext as _

from shuren.records.rules.cmi5.structure import FaultyCourse

STRUCTURE = "cmi5.xml"
MOST_FILES = 20_000
MOST_UNPACKED = 2 * 1024**3
# What deflate reaches at most is about a thousandfold; honest media stay far below this.
_BOMB_RATIO, _BOMB_BYTES = 200, 8 * 1024**2
_ENCRYPTED = 0x1
_LITTER = frozenset({"__macosx", ".ds_store", "thumbs.db", "desktop.ini"})
_LONGEST_NAME, _LONGEST_PART = 500, 200
_SHOWN_TYPES = frozenset(
    {
        *("text/html", "text/css", "text/javascript", "text/plain", "text/vtt", "text/xml", "application/xhtml+xml"),
        *("application/json", "application/manifest+json", "application/xml", "application/wasm"),
    }
)
_SHOWN_FAMILIES = ("image/", "audio/", "video/", "font/")
_OWN_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".vtt": "text/vtt"}
_OWN_TYPES |= {".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf", ".json": "application/json"}
_types = mimetypes.MimeTypes()


def checked_members(infos: Sequence[ZipInfo]) -> dict[str, ZipInfo]:
    """The files of a package by name, without the litter of operating systems; raises `FaultyCourse` for a dishonest one."""
    if len(infos) > MOST_FILES:
        raise FaultyCourse(_("压缩包里的文件超过 %(most)d 个。") % {"most": MOST_FILES}, remedy=_("请把课程拆成几门再导入。"))
    if sum(info.file_size for info in infos) > MOST_UNPACKED:
        raise FaultyCourse(
            _("压缩包展开后超过 %(most)d GB。") % {"most": MOST_UNPACKED // 1024**3},
            remedy=_("请压缩视频，或把视频放到别处，用完整网址引用。"),
        )
    members: dict[str, ZipInfo] = {}
    for info in infos:
        _check_member(info)
        if info.is_dir() or _LITTER & {part.lower() for part in PurePosixPath(info.filename).parts}:
            continue
        if info.filename in members:
            raise FaultyCourse(_("压缩包里有两个 %(name)s。") % {"name": info.filename}, remedy=_("请删去多余的一个。"))
        members[info.filename] = info
    _check_places(members)
    if STRUCTURE not in members:
        raise FaultyCourse(_("压缩包的最外层没有 cmi5.xml。"), remedy=_("请在课程文件夹里面全选后压缩，不要压缩文件夹本身。"))
    return members


def served_as(name: str) -> tuple[str, bool]:
    """The media type of a file, and whether a browser may show it; anything else is only handed over."""
    suffix = PurePosixPath(name).suffix.lower()
    found = _OWN_TYPES.get(suffix) or _types.guess_type(f"file{suffix}")[0] or "application/octet-stream"
    return found, found in _SHOWN_TYPES or found.startswith(_SHOWN_FAMILIES)


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """First and last byte of the one range a player asks for (RFC 9110 § 14.2); None for the whole file."""
    unit, _sign, told = header.strip().partition("=")
    first, dash, last = told.strip().partition("-")
    if unit.lower() != "bytes" or not dash or "," in told or not (first + last).isdecimal() or not (first + last).isascii():
        return None
    if not first:
        begin, end = max(0, size - int(last)), size - 1
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
    return (begin, end) if begin <= end and begin < size else None


def _check_member(info: ZipInfo) -> None:
    name = info.filename
    pure = PurePosixPath(name)
    parts = name.rstrip("/").split("/")
    if (
        not name
        or pure.is_absolute()
        or {"..", ".", ""} & set(parts)
        or any(letter in name for letter in ("\\", ":", "\x00"))
        or any(not letter.isprintable() for letter in name)
        or stat.S_ISLNK(info.external_attr >> 16)
    ):
        raise FaultyCourse(
            _("压缩包里的文件名 %(name)s 指向包外，或者是链接。") % {"name": ascii(name)[:200]},
            remedy=_("请用普通的压缩工具重新打包。"),
        )
    if len(name.encode()) > _LONGEST_NAME or any(len(part.encode()) > _LONGEST_PART for part in parts):
        raise FaultyCourse(_("压缩包里的文件名 %(name)s 太长。") % {"name": name[:80]}, remedy=_("请改短文件名。"))
    if info.flag_bits & _ENCRYPTED:
        raise FaultyCourse(_("压缩包设了密码。"), remedy=_("请去掉密码后重新打包。"))
    if info.file_size > _BOMB_BYTES and info.file_size > _BOMB_RATIO * max(info.compress_size, 1):
        raise FaultyCourse(
            _("压缩包里的 %(name)s 展开后大得反常。") % {"name": name}, remedy=_("请检查这个文件，换成正常的内容。")
        )


def _check_places(members: dict[str, ZipInfo]) -> None:
    """No file stands where another one needs a folder."""
    for name in members:
        for folder in PurePosixPath(name).parents:
            if str(folder) in members:
                raise FaultyCourse(
                    _("压缩包里 %(name)s 既是文件又是文件夹。") % {"name": str(folder)}, remedy=_("请给其中一个改名。")
                )
