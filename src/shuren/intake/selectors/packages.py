"""A zip of tables, opened with suspicion."""

import stat
import tempfile
import zipfile
import zlib
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from django.utils.translation import gettext as _

from shuren.intake.data import FileForm, Table
from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.limits import MAX_PACKAGE_MEMBERS, MAX_PACKAGE_UNPACKED_BYTES, is_bomb
from shuren.intake.selectors.forms import form_of
from shuren.intake.selectors.tables import open_table

_CHUNK = 1024 * 1024
_NAMES_IN_UTF8 = 0x800
_ENCRYPTED = 0x1
_LITTER = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini"}


class Package:
    """The tables of a zip by name; each is unpacked into a folder of its own when it is first wanted."""

    def __init__(self, path: Path, *, into: Path | None = None) -> None:
        self.path = path
        self._archive = _opened(path)
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if into is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="package-", dir=path.parent)
            into = Path(self._temporary.name)
        self._folder = into
        self._members: dict[str, zipfile.ZipInfo] = {}
        try:
            self._members = _checked(self._archive, path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the zip and drop what was unpacked, unless the caller gave the folder."""
        self._archive.close()
        if self._temporary:
            self._temporary.cleanup()

    @property
    def names(self) -> list[str]:
        """File names without folders, in the order of the zip."""
        return [PurePosixPath(name).name for name in self._members]

    def find(self, name: str) -> str | None:
        """The member called `name`, whatever its folder and its case."""
        return next((known for known in self.names if known.lower() == name.lower()), None)

    def path_of(self, name: str) -> Path:
        """Unpack a member and return where it lies; raises `UnreadableFile` when it is damaged or not there."""
        member = next((info for known, info in self._members.items() if PurePosixPath(known).name == name), None)
        if member is None:
            raise UnreadableFile(_("压缩包里没有 %(name)s。") % {"name": name}, file=self.path.name)
        self._folder.mkdir(parents=True, exist_ok=True)
        # The name inside the zip never becomes a path: the position in the zip does.
        suffix = PurePosixPath(name).suffix.lower()
        target = self._folder / f"{list(self._members.values()).index(member)}{suffix if suffix.isascii() else ''}"
        if not target.exists():
            self._unpack(member, target, name)
        return target

    def open_table(
        self, name: str, *, sheet: str | None = None, expected: Collection[str] = (), is_optional: bool = False
    ) -> Table:
        return open_table(self.path_of(name), sheet=sheet, expected=expected, file_name=name, is_optional=is_optional)

    def _unpack(self, member: zipfile.ZipInfo, target: Path, name: str) -> None:
        draft = target.with_suffix(target.suffix + ".part")
        written = 0
        try:
            with self._archive.open(member) as stream, draft.open("wb") as file:
                while chunk := stream.read(_CHUNK):
                    written += len(chunk)
                    if written > member.file_size:
                        raise zipfile.BadZipFile("larger than announced")
                    file.write(chunk)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
            with suppress(OSError):
                draft.unlink()
            raise _refusal(_("压缩包里的 %(name)s 已损坏。") % {"name": name}, self.path) from error
        draft.replace(target)


def open_package(path: Path, *, into: Path | None = None) -> Package:
    """Open a zip of tables; raises `UnreadableFile` for anything that is not an honest one. Use it in a `with`."""
    return Package(path, into=into)


def _opened(path: Path) -> zipfile.ZipFile:
    if form_of(path) != FileForm.ZIP:
        raise _refusal(_("这不是 ZIP 压缩包。"), path)
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise _refusal(_("压缩包已损坏。"), path) from error


def _checked(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    members: dict[str, zipfile.ZipInfo] = {}
    folded: set[str] = set()
    infos = archive.infolist()
    if len(infos) > MAX_PACKAGE_MEMBERS:
        raise _refusal(_("压缩包里的文件太多。"), path)
    if sum(info.file_size for info in infos) > MAX_PACKAGE_UNPACKED_BYTES:
        raise _refusal(_("压缩包展开后过大。"), path)
    for info in infos:
        name = _name_of(info)
        if info.is_dir() or _LITTER & {part.lower() for part in PurePosixPath(name).parts}:
            continue
        _refuse_dangerous(info, name, path)
        base = PurePosixPath(name).name.lower()
        if base in folded:
            raise _refusal(_("压缩包里有两个 %(name)s。") % {"name": PurePosixPath(name).name}, path)
        folded.add(base)
        members[name] = info
    if not members:
        raise _refusal(_("压缩包是空的。"), path)
    return members


def _refuse_dangerous(info: zipfile.ZipInfo, name: str, path: Path) -> None:
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or ":" in name or "\x00" in name:
        raise _refusal(_("压缩包里有不安全的路径：%(name)s。") % {"name": name[:100]}, path)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise _refusal(_("压缩包里有链接文件：%(name)s。") % {"name": name[:100]}, path)
    if info.flag_bits & _ENCRYPTED:
        raise _refusal(_("压缩包有密码，无法读取。"), path, _("请去掉密码后重新压缩。"))
    if is_bomb(packed=info.compress_size, unpacked=info.file_size):
        raise _refusal(_("压缩包展开后过大。"), path)


def _name_of(info: zipfile.ZipInfo) -> str:
    """The name as its author wrote it: Chinese Windows writes GBK and does not say so."""
    name = info.filename
    if not info.flag_bits & _NAMES_IN_UTF8:
        try:
            raw = name.encode("cp437")
        except UnicodeEncodeError:
            return name.replace("\\", "/")
        for encoding in ("utf-8", "gb18030"):
            with suppress(UnicodeDecodeError):
                return raw.decode(encoding).replace("\\", "/")
    return name.replace("\\", "/")


def _refusal(message: str, path: Path, remedy: str = "") -> UnreadableFile:
    return UnreadableFile(message, remedy=remedy or _("请用系统自带的压缩功能重新打包后再上传。"), file=path.name)
