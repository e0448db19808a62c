"""The key that signs what services are told: a named key of `trust`, and certificates made of its versions.

Services keep our certificate for months, so a new version is shown in the metadata for `ANNOUNCED_FOR` before it signs, and the
one before stays in them for as long afterwards. A certificate is not kept: all that stands in it comes from the version, and
its signature (RSASSA-PKCS1-v1_5) is the same each time.
"""

import atexit
import datetime as dt
import os
import shutil
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from joserfc.jwk import RSAKey

from shuren.kernel.data import SYSTEM, Actor
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm, KeyStatus, KeyStore, PublicKey

KEY = "identity.saml"
ANNOUNCED_FOR = dt.timedelta(days=14)
_YEARS = 10


def xmlsec_path() -> str | None:
    """Where xmlsec1 is; None where SAML is off for want of it."""
    return shutil.which("xmlsec1")


def rotate_saml_key(*, actor: Actor = SYSTEM, now: dt.datetime) -> PublicKey:
    """Make the next version; it signs once services had `ANNOUNCED_FOR` to read its certificate."""
    newest = _versions(now)[0]
    reference = "" if newest.store is KeyStore.SEALED else f"{settings.SHUREN_SAML_KEY_FILE}.{newest.version + 1}"
    return trust.rotate_key(name=KEY, now=now, actor=actor, reference=reference)


def signing_version(*, now: dt.datetime) -> PublicKey:
    """The version that signs now: the newest that has been announced long enough, else the oldest there is."""
    return _signing(_versions(now), now)


def shown_versions(*, now: dt.datetime) -> list[PublicKey]:
    """The versions in our metadata, the one that signs first; during a rollover two."""
    standing = _versions(now)
    signing = _signing(standing, now)
    is_late = signing.created_at <= now - 2 * ANNOUNCED_FOR
    others = [key for key in standing if key.version > signing.version or (key.version == signing.version - 1 and not is_late)]
    return [signing, *others]


def key_file(key: PublicKey) -> str:
    """The private part of a version as a file for xmlsec1, which reads keys from files: in memory where the system can."""
    return _kept_file(os.getpid(), f"{key.key_id}.key", _private_pem(key.version, key.key_id))


def certificate_file(key: PublicKey) -> str:
    return _kept_file(os.getpid(), f"{key.key_id}.crt", certificate_of(key))


@lru_cache(maxsize=16)
def certificate_of(key: PublicKey) -> bytes:
    """The self-signed certificate of a version, PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Shuren SAML")])
    draft = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(serialization.load_der_public_key(key.spki))  # type: ignore[arg-type]  # an RSA key, as `_versions` made it
        .serial_number(key.version)
        .not_valid_before(key.created_at - dt.timedelta(days=1))
        .not_valid_after(key.created_at + dt.timedelta(days=365 * _YEARS))
        .sign(_stand_in(), hashes.SHA256())
    )
    # The key itself stays with `trust`: the signature of a stand-in is replaced by its own.
    certificate = asn1.Certificate.load(draft.public_bytes(serialization.Encoding.DER))
    certificate["signature_value"] = trust.sign(certificate["tbs_certificate"].dump(), key=KEY, version=key.version)
    signed = x509.load_der_x509_certificate(certificate.dump(force=True))
    return signed.public_bytes(serialization.Encoding.PEM)


def _versions(now: dt.datetime) -> list[PublicKey]:
    """Versions that may sign or be shown, the newest first; the first one is made, or taken from the file of older releases."""
    made = trust.key_versions(KEY)
    standing = [key for key in made if key.status is not KeyStatus.REVOKED]
    if standing:
        return standing
    if made:
        return [trust.rotate_key(name=KEY, now=now)]
    old = Path(settings.SHUREN_SAML_KEY_FILE)
    if old.exists():
        return [trust.make_key(name=KEY, algorithm=KeyAlgorithm.RS256, now=now, store=KeyStore.FILE, reference=str(old))]
    return [trust.ensure_key(name=KEY, algorithm=KeyAlgorithm.RS256, now=now)]


def _signing(standing: Sequence[PublicKey], now: dt.datetime) -> PublicKey:
    return next((key for key in standing if key.created_at <= now - ANNOUNCED_FOR), standing[-1])


@lru_cache(maxsize=16)
def _private_pem(version: int, _key_id: str) -> bytes:
    jwk = RSAKey.import_key(trust.private_jwk_of(KEY, version=version))
    return bytes(jwk.as_pem(private=True))


@lru_cache(maxsize=1)
def _stand_in() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache(maxsize=64)
def _kept_file(pid: int, name: str, content: bytes) -> str:
    """A file of this process, readable by it and by what it starts, gone with it."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create(f"saml-{name}")
        path = f"/proc/{pid}/fd/{handle}"
    else:
        handle, path = tempfile.mkstemp(prefix="saml-", dir=Path(settings.SHUREN_SAML_KEY_FILE).parent)
        atexit.register(os.unlink, path)
    os.write(handle, content)
    return path
