"""Certificates on paper: read back, looked at, checked by others."""

import io
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from tests.cast import Cast

from shuren.certificates.data import Verdict
from shuren.certificates.models import Certificate
from shuren.certificates.rules.numbers import grouped
from shuren.certificates.selectors.checking import verdict_of_file
from shuren.certificates.services.present import record_of
from shuren.certificates.services.print import printed, printed_record


@pytest.fixture
def pdf(cast: Cast, certificate_id: int) -> bytes:
    return printed(Certificate.objects.select_related("version").get(pk=certificate_id), now=cast.now)


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "").replace("\n", "")


def test_the_page_says_what_the_certificate_says(pdf: bytes, certificate_id: int) -> None:
    row = Certificate.objects.get(pk=certificate_id)
    text = text_of(pdf)
    for words in ("三好学生", "张三 同学（东湖区实验小学四年级1班）在本学年中获得一等奖，特发此证。", grouped(row.number)):
        assert words in text, text
    assert len(pypdfium2.PdfDocument(pdf)) == 1


def test_the_file_proves_itself_and_a_changed_byte_is_told(cast: Cast, pdf: bytes) -> None:
    assert verdict_of_file(pdf, now=cast.now).verdict is Verdict.VALID
    believed = [
        place
        for place in range(200, len(pdf) - 200, len(pdf) // 60)
        if verdict_of_file(pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :], now=cast.now).verdict is Verdict.VALID
    ]
    assert believed == []


def test_something_added_after_the_seal_is_told(cast: Cast, pdf: bytes) -> None:
    assert verdict_of_file(pdf + b"\n% more\n", now=cast.now).verdict is not Verdict.VALID


@pytest.mark.skipif(shutil.which("pdfsig") is None, reason="poppler-utils is not installed")
def test_poppler_finds_the_signature_whole(pdf: bytes, tmp_path: Path) -> None:
    path = tmp_path / "certificate.pdf"
    path.write_bytes(pdf)
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid" in said, said
    assert "Total document signed" in said, said


def test_a_record_on_paper_holds_all_of_them(cast: Cast, certificate_id: int) -> None:
    rows = [Certificate.objects.select_related("version").get(pk=certificate_id)]
    document = record_of(rows, holder_name="张三", now=cast.now)
    made = printed_record(rows, document=document, now=cast.now)
    assert "张三的成长档案" in text_of(made)
    found = verdict_of_file(made, now=cast.now)
    assert (found.verdict, found.name) == (Verdict.VALID, "张三的成长档案")
    assert io.BytesIO(made).read(5) == b"%PDF-"
