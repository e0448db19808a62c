"""What a file really is, told by its first bytes and never by its name."""

import zipfile
from pathlib import Path

from django.utils.translation import gettext as _

from shuren.intake.data import FileForm
from shuren.intake.rules.errors import UnreadableFile
from shuren.intake.rules.limits import MAX_SHEET_UNPACKED_BYTES, is_bomb

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_DIRECTORY_NAME_OF_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")


def form_of(path: Path) -> FileForm:
    """The form of a file; raises `UnreadableFile` for what is no table in any form."""
    with path.open("rb") as file:
        head = file.read(64 * 1024)
    if head.startswith(_OLE):
        return _form_of_ole(path)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _form_of_zip(path)
    stripped = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if stripped.startswith((b"<html", b"<!doctype html", b"<?xml", b"<table", b"<meta")):
        raise UnreadableFile(_("这是网页或 XML 文件，只是改了扩展名。"), remedy=_SAVE_AGAIN(), file=path.name)
    if stripped.startswith((b"%pdf", b"\x89png", b"gif8", b"rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"{\\rtf")):
        raise UnreadableFile(_("这不是表格文件。"), remedy=_SAVE_AGAIN(), file=path.name)
    if not head.startswith(_WIDE_MARKS) and head.count(0) > len(head) // 20:
        raise UnreadableFile(_("这不是表格文件，或者文件已损坏。"), remedy=_SAVE_AGAIN(), file=path.name)
    return FileForm.TEXT


def _SAVE_AGAIN() -> str:  # noqa: N802  # a constant in the reader's language
    return _("请在 Excel 或 WPS 中打开后，另存为 .xlsx 或 CSV（UTF-8）再上传。")


def _form_of_ole(path: Path) -> FileForm:
    # The directory of an OLE file may lie anywhere; names stand in it as UTF-16.
    if _OLE_DIRECTORY_NAME_OF_ENCRYPTED in path.read_bytes():
        raise UnreadableFile(_("文件有打开密码，无法读取。"), remedy=_("请在 Excel 中去掉密码后再上传。"), file=path.name)
    return FileForm.XLS


def _form_of_zip(path: Path) -> FileForm:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError) as error:
        raise UnreadableFile(_("文件已损坏，无法打开。"), remedy=_("请重新导出或重新上传。"), file=path.name) from error
    names = {member.filename for member in members}
    is_book = "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)
    is_ods = "content.xml" in names and "mimetype" in names
    if not (is_book or is_ods):
        return FileForm.ZIP
    unpacked = sum(member.file_size for member in members)
    # Repetitive sheets of real schools shrink up to 100 times; what shrinks more was made to hurt.
    if unpacked > MAX_SHEET_UNPACKED_BYTES or any(is_bomb(packed=m.compress_size, unpacked=m.file_size) for m in members):
        raise UnreadableFile(_("工作簿展开后过大。"), remedy=_("请拆成几个文件，或另存为 CSV。"), file=path.name)
    return FileForm.XLSX if is_book else FileForm.ODS
