"""Certificates on paper: read back, looked at, checked by others."""

import io
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
from tests.cast import Cast

from shuren.certificates.data import Verdict
from shuren.certificates.models import Certificate
from shuren.certificates.rules.numbers import grouped
from shuren.certificates.selectors.checking import verdict_of_file
from shuren.certificates.services.present import record_of
from shuren.certificates.services.print import printed, printed_record
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm


@pytest.fixture
def pdf(cast: Cast, certificate_id: int) -> bytes:
    return printed(Certificate.objects.select_related("version").get(pk=certificate_id), now=cast.now)


@pytest.fixture
def root(cast: Cast) -> x509.Certificate:
    """The root above the region's authority, under which paper is sealed from now on."""
    wanted: dict[str, Any] = {"algorithm": KeyAlgorithm.ES256, "actor": SYSTEM, "now": cast.now}
    trust.found_authority(code="root", title="云杉省根证书", **wanted)
    trust.found_authority(code="region", title="云杉省教育证书", parent="root", **wanted)
    trust.found_authority(code="gm", title="云杉省国密证书", **(wanted | {"algorithm": KeyAlgorithm.SM2}))
    return x509.Certificate.load(trust.authority("root").chain[0])


@pytest.fixture
def sealed(root: x509.Certificate, pdf: bytes) -> bytes:
    return pdf


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


def test_under_the_regions_authority_other_software_believes_seal_and_moment(
    cast: Cast, root: x509.Certificate, sealed: bytes
) -> None:
    context = ValidationContext(trust_roots=[root], allow_fetching=False, moment=cast.now)
    seal = PdfFileReader(io.BytesIO(sealed)).embedded_signatures[0]
    status = validate_pdf_signature(seal, context)
    assert status.bottom_line
    assert status.timestamp_validity.trusted
    assert status.timestamp_validity.timestamp == cast.now.replace(microsecond=0)
    assert seal.signer_cert.extended_key_usage_value.native == ["1.3.6.1.5.5.7.3.36"]
    assert verdict_of_file(sealed, now=cast.now).verdict is Verdict.VALID


def test_a_stranger_to_the_root_is_not_told_to_believe_it(cast: Cast, sealed: bytes) -> None:
    seal = PdfFileReader(io.BytesIO(sealed)).embedded_signatures[0]
    status = validate_pdf_signature(seal, ValidationContext(trust_roots=[], allow_fetching=False, moment=cast.now))
    assert (status.intact, status.trusted) == (True, False)


def test_a_changed_timestamp_is_told(cast: Cast, sealed: bytes) -> None:
    signed = PdfFileReader(io.BytesIO(sealed)).embedded_signatures[0].signer_info
    (stamp,) = [entry["values"][0] for entry in signed["unsigned_attrs"] if entry["type"].native == "signature_time_stamp_token"]
    signature = bytes(stamp["content"]["signer_infos"][0]["signature"].native).hex().encode()
    place = sealed.lower().index(signature) + len(signature) // 2
    changed = b"0" if sealed[place : place + 1] != b"0" else b"1"
    assert verdict_of_file(sealed[:place] + changed + sealed[place + 1 :], now=cast.now).verdict is Verdict.ALTERED


def test_one_certificate_of_the_printing_key_serves_many_papers(cast: Cast, root: x509.Certificate, certificate_id: int) -> None:
    row = Certificate.objects.select_related("version").get(pk=certificate_id)
    signers = {
        PdfFileReader(io.BytesIO(printed(row, now=moment))).embedded_signatures[0].signer_cert.serial_number
        for moment in (cast.now, cast.now + timedelta(days=700), cast.now + timedelta(days=800))
    }
    assert len(signers) == 2  # the third is given under a new one, since the first ends within a year


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
