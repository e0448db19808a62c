"""Metadata of a service provider: where answers may go, and which keys sign its requests."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

from cryptography import x509
from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from shuren.identity.rules.addresses import normal_address
from shuren.identity.rules.saml import names

LONGEST = 512 * 1024


class BadMetadata(ValueError):
    """The file is no metadata of one service provider; the text says why."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    binding: str
    index: str = ""
    is_default: bool = False
    response_url: str = ""


@dataclass(frozen=True, slots=True)
class ServiceProvider:
    """What counts of the metadata; certificates are DER."""

    entity_id: str
    consumers: tuple[Endpoint, ...]
    logouts: tuple[Endpoint, ...]
    certificates: tuple[bytes, ...]
    signs_requests: bool
    valid_until: datetime | None

    def consumer(self, url: str, index: str, binding: str) -> Endpoint | None:
        """Where the answer to a request goes: the address or index asked for if it is registered, else the default."""
        found = [endpoint for endpoint in self.consumers if endpoint.binding == names.POST]
        if binding not in ("", names.POST):
            return None
        if url:
            return next((endpoint for endpoint in found if endpoint.url == url), None)
        if index:
            return next((endpoint for endpoint in found if endpoint.index == index), None)
        return next((endpoint for endpoint in found if endpoint.is_default), found[0] if found else None)

    def logout(self, binding: str) -> Endpoint | None:
        return next((endpoint for endpoint in self.logouts if endpoint.binding == binding), None)


def read_metadata(xml: bytes) -> ServiceProvider:
    """Read metadata of exactly one service provider; raises `BadMetadata`. Document types and entities are refused."""
    if len(xml) > LONGEST:
        raise BadMetadata("longer than 512 KB")
    try:
        root: Element = SafeET.fromstring(xml, forbid_dtd=True)
    except (SafeET.ParseError, DefusedXmlException, ValueError, LookupError) as fault:
        raise BadMetadata("not well-formed XML, or with a document type") from fault
    roles = list(root.iter(f"{{{names.METADATA}}}SPSSODescriptor"))
    if root.tag != f"{{{names.METADATA}}}EntityDescriptor" or len(roles) != 1 or roles[0] not in list(root):
        raise BadMetadata("not the EntityDescriptor of one service provider")
    entity_id = (root.get("entityID") or "").strip()
    if not entity_id or len(entity_id) > 500:
        raise BadMetadata("entityID is missing or too long")
    provider = ServiceProvider(
        entity_id=entity_id,
        consumers=_endpoints(roles[0], "AssertionConsumerService"),
        logouts=_endpoints(roles[0], "SingleLogoutService"),
        certificates=_certificates(roles[0]),
        signs_requests=roles[0].get("AuthnRequestsSigned") in {"true", "1"},
        valid_until=_moment(root.get("validUntil") or roles[0].get("validUntil")),
    )
    if not any(endpoint.binding == names.POST for endpoint in provider.consumers):
        raise BadMetadata("no AssertionConsumerService of the binding HTTP-POST")
    if provider.signs_requests and not provider.certificates:
        raise BadMetadata("requests are signed, but no signing certificate is given")
    return provider


def _endpoints(role: Element, tag: str) -> tuple[Endpoint, ...]:
    found = []
    for element in role.findall(f"{{{names.METADATA}}}{tag}"):
        url, response = element.get("Location", ""), element.get("ResponseLocation", "")
        if normal_address(url) is None or (response and normal_address(response) is None):
            raise BadMetadata(f"{tag} has an address that is none: {url[:100]}")
        found.append(
            Endpoint(
                url=url,
                binding=element.get("Binding", ""),
                index=element.get("index", ""),
                is_default=element.get("isDefault") in {"true", "1"},
                response_url=response or url,
            )
        )
    return tuple(found)


def _certificates(role: Element) -> tuple[bytes, ...]:
    found = []
    for key in role.findall(f"{{{names.METADATA}}}KeyDescriptor"):
        if key.get("use") not in (None, "signing"):
            continue
        for element in key.iter(f"{{{names.SIGNATURE}}}X509Certificate"):
            try:
                data = base64.b64decode("".join((element.text or "").split()), validate=True)
                x509.load_der_x509_certificate(data)
            except (binascii.Error, ValueError) as fault:
                raise BadMetadata("a certificate cannot be read") from fault
            found.append(data)
    return tuple(found)


def _moment(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise BadMetadata("validUntil is no time") from fault
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
