"""Tables of certificates: what was given to whom by which template, and digital certificates."""

from shuren.certificates.models.certificate import Batch, BatchItem, Certificate, StatusList
from shuren.certificates.models.digital import CertifiedRegion, DigitalCertificate
from shuren.certificates.models.share import Share
from shuren.certificates.models.signing import SigningCertificate
from shuren.certificates.models.template import Template, TemplateVersion

__all__ = [
    "Batch",
    "BatchItem",
    "Certificate",
    "CertifiedRegion",
    "DigitalCertificate",
    "Share",
    "SigningCertificate",
    "StatusList",
    "Template",
    "TemplateVersion",
]
