"""The seal on a PDF: PAdES under the region's authority, with the credential itself inside the file."""

import asyncio
import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from asn1crypto import algos, cms, keys, x509
from asn1crypto.core import OctetString
from pyhanko.pdf_utils.embed import EmbeddedFileObject, FileSpec, embed_file
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields as sig_fields
from pyhanko.sign import signers
from pyhanko.sign.timestamps import TimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from shuren.certificates.models import SigningCertificate
from shuren.certificates.selectors.checking import ATTACHMENT
from shuren.certificates.selectors.issuer import PRINT_KEY, base_url
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.trust import api as trust
from shuren.trust.data import CertificateKind, DigestAlgorithm, KeyAlgorithm, PublicKey, SignatureForm

_YEARS = 10
_RESERVED = 72
# Bytes kept for the signature: two chains of at most five certificates each, of which an RSA one has about 1,600.
_ROOM = 20_480


def seal_pdf(pdf: bytes, *, attachment: bytes, name: str, now: datetime) -> bytes:
    """The PDF with the attachment inside and a PAdES signature over the whole file.

    B-T where the region has an authority that other software can follow: the chain lies inside, and a timestamp keeps
    the signature good after its certificate has ended. B-B under a certificate of our own otherwise.
    """
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    file = EmbeddedFileObject.from_file_data(writer, data=attachment, mime_type="application/json")
    embed_file(writer, FileSpec(file_spec_string=ATTACHMENT, embedded_data=file, description="Open Badges 3.0"))
    middle = io.BytesIO()
    writer.write(middle)  # type: ignore[no-untyped-call]  # pyHanko is typed in part
    metadata = signers.PdfSignatureMetadata(
        field_name="Issuer", md_algorithm="sha256", subfilter=sig_fields.SigSeedSubFilter.PADES, name=name, location=base_url()
    )
    chain = trust.own_chain(
        key=PRINT_KEY,
        algorithm=KeyAlgorithm.ES256,
        kind=CertificateKind.DOCUMENT,
        common_name=_own_name(directory.root_org()),
        now=now,
    )
    certificates = [x509.Certificate.load(der) for der in chain] or [_own_certificate(now=now)]
    signer = signers.PdfSigner(metadata, signer=_signer(certificates, bytes(_RESERVED)))
    prepared, _document, out = asyncio.run(
        signer.async_digest_doc_for_signing(IncrementalPdfFileWriter(middle), output=io.BytesIO(), bytes_reserved=_ROOM)
    )
    # Signing happens between the two, outside pyHanko's event loop, where the database may be asked for the key.
    attributes = asyncio.run(signer.signer.signed_attrs(prepared.document_digest, "sha256", use_pades=True))
    signature = trust.sign(attributes.dump(), key=PRINT_KEY, form=SignatureForm.DER)
    stamp = _Stamped(trust.timestamp(sha256(signature).digest(), DigestAlgorithm.SHA256, now=now)) if chain else None
    finished = _signer(certificates, signature).async_sign_prescribed_attributes("sha256", attributes, timestamper=stamp)
    prepared.fill_with_cms(out, asyncio.run(finished))
    out.seek(0)
    return bytes(out.read())


class _Stamped(TimeStamper):
    """Hands pyHanko the timestamp that was taken for the very signature it puts in."""

    def __init__(self, token: bytes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # typed in part
        self._token = token

    async def async_timestamp(self, message_digest: bytes, md_algorithm: str) -> cms.ContentInfo:
        return cms.ContentInfo.load(self._token)


def _signer(certificates: Sequence[x509.Certificate], signature: bytes) -> signers.ExternalSigner:
    return signers.ExternalSigner(
        signing_cert=certificates[0],
        cert_registry=SimpleCertificateStore.from_certs(certificates[1:]),  # type: ignore[no-untyped-call]  # typed in part
        signature_value=signature,
        signature_mechanism=algos.SignedDigestAlgorithm({"algorithm": "sha256_ecdsa"}),
    )


def _own_name(root: OrgData | None) -> str:
    return f"{root.name if root else '树人'} 电子证书"[:60]


def _own_certificate(*, now: datetime) -> x509.Certificate:
    key = trust.ensure_key(name=PRINT_KEY, algorithm=KeyAlgorithm.ES256, now=now)
    row, _made = SigningCertificate.objects.get_or_create(
        key_id=key.key_id, defaults={"certificate": _self_signed(key, now=now).dump()}
    )
    return x509.Certificate.load(bytes(row.certificate))


def _self_signed(key: PublicKey, *, now: datetime) -> x509.Certificate:
    """A certificate of our printing key by itself, where the region has no authority."""
    root = directory.root_org()
    names = {
        "common_name": _own_name(root),
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
