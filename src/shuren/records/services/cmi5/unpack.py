"""The files of a course package onto the disk: streamed, counted while they are written, and whole or not at all."""

import os
import shutil
import zlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from shuren.kernel.files import sync_folder
from shuren.records.rules.cmi5.packages import STRUCTURE, checked_members
from shuren.records.rules.cmi5.structure import MOST_BYTES, FaultyCourse
from shuren.records.selectors.cmi5.content import folder_path

_CHUNK = 1024 * 1024
_BROKEN = (BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError, UnicodeError)


class CoursePackage:
    """An opened zip32 or zip64 whose names were checked. Use it in a `with`."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            self._archive = ZipFile(file)
            self.members = checked_members(self._archive.infolist())
        except _BROKEN as error:
            raise _broken() from error

    def __enter__(self) -> "CoursePackage":
        return self

    def __exit__(self, *_error: object) -> None:
        self._archive.close()

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.members)

    @property
    def size(self) -> int:
        return sum(info.file_size for info in self.members.values())

    def structure(self) -> bytes:
        info = self.members[STRUCTURE]
        if info.file_size > MOST_BYTES:
            raise FaultyCourse(
                _("cmi5.xml 超过 %(most)d MB。") % {"most": MOST_BYTES // 1024 // 1024}, remedy=_("请把课程拆成几门再导入。")
            )
        try:
            with self._archive.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except _BROKEN as error:
            raise _broken() from error
        return content

    def unpack(self, folder: str) -> None:
        """All files into a folder that becomes visible under its name once everything is on the disk."""
        target = folder_path(folder)
        part = target.with_name(f"{folder}.part")
        try:
            for name, info in self.members.items():
                self._write(info, part / name)
            sync_folder(part)
            part.replace(target)
            sync_folder(target.parent)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise

    def _write(self, info: ZipInfo, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        written = 0
        try:
            with self._archive.open(info) as stream, path.open("xb") as file:
                while chunk := stream.read(_CHUNK):
                    written += len(chunk)
                    if written > info.file_size:
                        raise BadZipFile("larger than announced")
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        except _BROKEN as error:
            raise _broken() from error
        except FileExistsError as error:
            raise FaultyCourse(
                _("压缩包里有两个文件名只差大小写：%(name)s。") % {"name": info.filename}, remedy=_("请给其中一个改名。")
            ) from error


def remove_folder(folder: str) -> None:
    """Of a course that was not kept after all."""
    if folder:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder_path(folder))


def _broken() -> FaultyCourse:
    return FaultyCourse(_("压缩包已损坏。"), remedy=_("请重新打包后再上传。"))
