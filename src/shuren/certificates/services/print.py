"""Certificates on paper: a page with its QR code, sealed as PAdES, with the credential itself inside the file."""

import asyncio
import base64
import io
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import segno
from asn1crypto import algos, keys, x509
from asn1crypto.core import OctetString
from django.template.loader import render_to_string
from django.utils import translation
from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields as sig_fields
from pyhanko.sign import signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from shuren.certificates.models import Certificate, SigningCertificate, TemplateVersion
from shuren.certificates.rules.credentials import as_json
from shuren.certificates.rules.numbers import grouped
from shuren.certificates.rules.wording import day_in_words
from shuren.certificates.selectors.certificates import credential_of
from shuren.certificates.selectors.checking import ATTACHMENT
from shuren.certificates.selectors.issuer import PRINT_KEY, base_url
from shuren.directory import api as directory
from shuren.kernel.clock import day_of
from shuren.pages.api import pdf_bytes
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm, PublicKey, SignatureForm

_YEARS = 10
_RESERVED = 72


def printed(row: Certificate, *, now: datetime) -> bytes:
    """The PDF of a certificate; raises `PdfUnavailable` where the system cannot print."""
    url = f"{base_url()}/verify/{row.number}/"
    html = page_html(
        row.version,
        narrative=row.narrative,
        holder_name=row.holder_name,
        issuer_name=row.issuer_name,
        number=row.number,
        url=url,
        given_at=row.given_at,
        valid_until=day_in_words(row.valid_until) if row.valid_until else "",
    )
    return sealed(pdf_bytes(html), attachment=as_json(credential_of(row)).encode(), name=row.issuer_name, now=now)


def printed_record(rows: Sequence[Certificate], *, document: Mapping[str, Any], now: datetime) -> bytes:
    """A person's certificates on one list, sealed, with the signed record inside."""
    root = directory.root_org()
    lines = [
        {"row": row, "number": grouped(row.number), "day": day_in_words(day_of(row.given_at)), "qr": _qr(row)} for row in rows
    ]
    words = {"title": document["name"], "lines": lines, "owner": root.name if root else "", "day": day_in_words(day_of(now))}
    html = _rendered("certificates/print_record.html", words)
    return sealed(pdf_bytes(html), attachment=as_json(document).encode(), name=str(words["owner"]), now=now)


def _qr(row: Certificate) -> str:
    return str(segno.make(f"{base_url()}/verify/{row.number}/", error="m").svg_data_uri(border=0, dark="#1b2a30"))


def page_html(
    version: TemplateVersion,
    *,
    narrative: str,
    holder_name: str,
    issuer_name: str,
    number: str,
    url: str,
    given_at: datetime,
    valid_until: str,
    is_sample: bool = False,
) -> str:
    image = base64.b64encode(bytes(version.image)).decode() if version.image else ""
    words = {
        "version": version,
        "narrative": narrative,
        "holder_name": holder_name,
        "issuer_name": issuer_name,
        "number": number if is_sample else grouped(number),
        "is_sample": is_sample,
        "url": f"{base_url()}/verify/",
        "qr": segno.make(url, error="m").svg_data_uri(border=0, dark="#1b2a30", scale=4),
        "day": day_in_words(day_of(given_at)),
        "valid_until": valid_until,
        "image": f"data:image/png;base64,{image}" if image else "",
    }
    return _rendered("certificates/print.html", words)


def _rendered(template: str, words: Mapping[str, object]) -> str:
    """In Chinese, whoever downloads it: a certificate is one document, not one per reader."""
    with translation.override("zh-hans"):
        return render_to_string(template, dict(words))


def sealed(pdf: bytes, *, attachment: bytes, name: str, now: datetime) -> bytes:
    """The PDF with the attachment inside and a PAdES-B-B signature over the whole file."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    file = EmbeddedFileObject.from_file_data(writer, data=attachment, mime_type="application/json")
    embed_file(writer, FileSpec(file_spec_string=ATTACHMENT, embedded_data=file, description="Open Badges 3.0"))
    middle = io.BytesIO()
    writer.write(middle)  # type: ignore[no-untyped-call]  # pyHanko is typed in part
    metadata = signers.PdfSignatureMetadata(
        field_name="Issuer", md_algorithm="sha256", subfilter=sig_fields.SigSeedSubFilter.PADES, name=name, location=base_url()
    )
    certificate = _certificate(now=now)
    signer = signers.PdfSigner(metadata, signer=_signer(certificate, bytes(_RESERVED)))
    prepared, _document, out = asyncio.run(
        signer.async_digest_doc_for_signing(IncrementalPdfFileWriter(middle), output=io.BytesIO(), bytes_reserved=8_192)
    )
    # Signing happens between the two, outside pyHanko's event loop, where the database may be asked for the key.
    attributes = asyncio.run(signer.signer.signed_attrs(prepared.document_digest, "sha256", use_pades=True))
    signature = trust.sign(attributes.dump(), key=PRINT_KEY, form=SignatureForm.DER)
    finished = _signer(certificate, signature).async_sign_prescribed_attributes("sha256", attributes)
    prepared.fill_with_cms(out, asyncio.run(finished))
    out.seek(0)
    return bytes(out.read())


def _signer(certificate: x509.Certificate, signature: bytes) -> signers.ExternalSigner:
    return signers.ExternalSigner(
        signing_cert=certificate,
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # typed in part
        signature_value=signature,
        signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    )


def _certificate(*, now: datetime) -> x509.Certificate:
    key = trust.ensure_key(name=PRINT_KEY, algorithm=KeyAlgorithm.ES256, now=now)
    row, _made = SigningCertificate.objects.get_or_create(
        key_id=key.key_id, defaults={"certificate": _self_signed(key, now=now).dump()}
    )
    return x509.Certificate.load(bytes(row.certificate))


def _self_signed(key: PublicKey, *, now: datetime) -> x509.Certificate:
    """A certificate of our printing key by itself, for document signing (RFC 9336)."""
    root = directory.root_org()
    names = {
        "common_name": f"{root.name if root else '树人'} 电子证书"[:60],
        "organization_name": root.name[:60] if root else "Shuren",
    }
    public = keys.PublicKeyInfo.load(key.spki)
    identifier = sha256(public["public_key"].native if isinstance(public["public_key"].native, bytes) else key.spki).digest()[:20]
    algorithm = algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"})
    body = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": int.from_bytes(sha256(key.spki).digest()[:15], "big"),
            "signature": algorithm,
            "issuer": x509.Name.build(names),
            "validity": {
                "not_before": x509.Time({"utc_time": now - timedelta(minutes=5)}),
                "not_after": x509.Time({"utc_time": now + timedelta(days=365 * _YEARS)}),
            },
            "subject": x509.Name.build(names),
            "subject_public_key_info": public,
            "extensions": [
                {"extn_id": "key_identifier", "extn_value": OctetString(identifier)},
                {"extn_id": "basic_constraints", "critical": True, "extn_value": x509.BasicConstraints({"ca": False})},
                {
                    "extn_id": "key_usage",
                    "critical": True,
                    "extn_value": x509.KeyUsage({"digital_signature", "non_repudiation"}),
                },
            ],
        }
    )
    signature = trust.sign(body.dump(), key=PRINT_KEY, form=SignatureForm.DER)
    return x509.Certificate({"tbs_certificate": body, "signature_algorithm": algorithm, "signature_value": signature})
