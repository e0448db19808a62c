"""What a file is by its first bytes, whatever it is called, and whether a field takes it."""

import io
import re
import unicodedata
from zipfile import BadZipFile, ZipFile

_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image", "image/png"),
    (b"\xff\xd8\xff", "image", "image/jpeg"),
    (b"GIF87a", "image", "image/gif"),
    (b"GIF89a", "image", "image/gif"),
    (b"%PDF-", "pdf", "application/pdf"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office", "application/x-ole-storage"),
    (b"ID3", "audio", "audio/mpeg"),
    (b"\xff\xfb", "audio", "audio/mpeg"),
)
_OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_SAFE_ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/webp": "webp",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/ofd": "ofd",
    "text/plain": "txt",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "video/mp4": "mp4",
    _OFFICE["word/"]: "docx",
    _OFFICE["xl/"]: "xlsx",
    _OFFICE["ppt/"]: "pptx",
}
_OLD_OFFICE_ENDINGS = {"doc", "xls", "ppt", "wps", "et", "dps"}
_TEXT_ENDINGS = {"txt", "csv"}
MACROS = "macros"


def file_type(content: bytes) -> tuple[str, str]:
    """Its group (`image`, `pdf`, `office`, …) and media type; an empty group is none that is taken, `macros` hides programs."""
    for start, group, media_type in _STARTS:
        if content.startswith(start):
            return group, media_type
    if content.startswith(b"PK\x03\x04"):
        return _package_type(content)
    if content[:4] == b"RIFF" and content[8:12] in (b"WEBP", b"WAVE"):
        return ("image", "image/webp") if content[8:12] == b"WEBP" else ("audio", "audio/wav")
    if content[4:8] == b"ftyp":
        return ("audio", "audio/mp4") if content[8:11] == b"M4A" else ("video", "video/mp4")
    return ("text", "text/plain") if _is_text(content) else ("", "")


def _package_type(content: bytes) -> tuple[str, str]:
    try:
        with ZipFile(io.BytesIO(content)) as package:
            names = package.namelist()
    except (BadZipFile, ValueError, NotImplementedError):
        return "", ""
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return MACROS, ""
    if "OFD.xml" in names:
        return "pdf", "application/ofd"
    if "[Content_Types].xml" in names:
        for folder, media_type in _OFFICE.items():
            if any(name.startswith(folder) for name in names):
                return "office", media_type
    return "zip", "application/zip"


def _is_text(content: bytes) -> bool:
    if not content or b"\x00" in content:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return not re.match(r"\s*<(!doctype|html|svg|\?xml|script)", text[:500], re.IGNORECASE)
    return False


def kept_name(name: str, media_type: str) -> str:
    """The name a file is kept by: no folders, no control characters, an ending that says what it is."""
    plain = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(letter for letter in plain if unicodedata.category(letter)[0] != "C").strip(" .")
    stem, dot, ending = plain.rpartition(".")
    stem, ending = (stem, ending.lower()) if dot and len(ending) <= 5 else (plain, "")
    if media_type == "application/x-ole-storage":
        wanted = ending if ending in _OLD_OFFICE_ENDINGS else "doc"
    elif media_type == "text/plain":
        wanted = ending if ending in _TEXT_ENDINGS else "txt"
    elif media_type == "image/jpeg" and ending == "jpeg":
        wanted = ending
    else:
        wanted = _SAFE_ENDINGS[media_type]
    return f"{(stem or 'file')[:150]}.{wanted}"
