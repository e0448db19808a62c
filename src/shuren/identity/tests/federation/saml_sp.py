"""A service provider of somebody else: pysaml2 in its client role, with a key of its own."""

import datetime as dt
import os
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT, BINDING_SOAP
from saml2.client import Saml2Client
from saml2.config import SPConfig
from saml2.metadata import entity_descriptor

ACS = "https://sp.example.org/acs"
SLO = "https://sp.example.org/slo"


def key_pair() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sp.example.org")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    return (
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode(),
        certificate.public_bytes(pem).decode(),
    )


class Provider:
    """One service provider; `reads` is the metadata of the identity provider it trusts."""

    def __init__(self, *, entity_id: str = "https://sp.example.org/metadata", signs: bool = True, soap: str = "") -> None:
        self.entity_id, self.signs, self.soap = entity_id, signs, soap
        self.folder = Path(tempfile.mkdtemp(prefix="saml-sp-"))
        for name, text in zip(("key.pem", "cert.pem"), key_pair(), strict=True):
            (self.folder / name).write_text(text)

    def config(self, idp_metadata: str = "") -> SPConfig:
        logouts = [(SLO, BINDING_HTTP_REDIRECT)] + ([(self.soap, BINDING_SOAP)] if self.soap else [])
        return SPConfig().load(
            {
                "entityid": self.entity_id,
                "xmlsec_binary": "/usr/bin/xmlsec1",
                "key_file": os.fspath(self.folder / "key.pem"),
                "cert_file": os.fspath(self.folder / "cert.pem"),
                "accepted_time_diff": 5,
                "allow_unknown_attributes": True,
                "service": {
                    "sp": {
                        "endpoints": {"assertion_consumer_service": [(ACS, BINDING_HTTP_POST)], "single_logout_service": logouts},
                        "authn_requests_signed": self.signs,
                        "logout_requests_signed": True,
                        "want_response_signed": True,
                        "want_assertions_signed": True,
                        "allow_unsolicited": False,
                        "signing_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
                        "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
                    }
                },
                "metadata": {"inline": [idp_metadata]} if idp_metadata else {},
            }
        )

    @property
    def metadata(self) -> str:
        return str(entity_descriptor(self.config()))

    def client(self, idp_metadata: str) -> Saml2Client:
        return Saml2Client(config=self.config(idp_metadata))
