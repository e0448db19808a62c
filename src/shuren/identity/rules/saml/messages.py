"""Requests as they arrive: unpacked, parsed without entities, their one signature held against its place."""

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from defusedxml import ElementTree as SafeET
from defusedxml.common import DefusedXmlException

from shuren.identity.rules.saml import names
from shuren.identity.rules.saml.contexts import COMPARISONS, LEVELS, AskedContext

_LONGEST = 64 * 1024
_OLDEST = timedelta(minutes=10)
_AHEAD = timedelta(minutes=2)
_HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


class BadMessage(ValueError):
    """What arrived is no request that may be followed; the text says why, for whoever runs the service."""


@dataclass(frozen=True, slots=True)
class Query:
    """A message of the redirect binding: its text, and what was signed exactly as it was written in the address."""

    xml: bytes
    relay_state: str
    signed: bytes
    algorithm: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class AuthnRequest:
    """A service that wants to know who is there."""

    id: str
    issuer: str
    destination: str
    acs_url: str
    acs_index: str
    binding: str
    is_passive: bool
    is_forced: bool
    context: AskedContext | None


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A service whose user has left."""

    id: str
    issuer: str
    destination: str
    name_id: str
    session_indexes: tuple[str, ...]


def read_query(raw: str) -> Query:
    """Take a redirect apart without decoding and encoding again, which would change what was signed (saml-bindings 3.4.4.1)."""
    pieces: dict[str, str] = {}
    for piece in raw.split("&"):
        key, _sign, value = piece.partition("=")
        if key in {"SAMLRequest", "RelayState", "SigAlg", "Signature"}:
            if key in pieces:
                raise BadMessage(f"{key} is given twice")
            pieces[key] = value
    signed = "&".join(f"{key}={pieces[key]}" for key in ("SAMLRequest", "RelayState", "SigAlg") if key in pieces)
    return Query(
        xml=_inflated(_decoded(unquote_plus(pieces.get("SAMLRequest", "")))),
        relay_state=unquote_plus(pieces.get("RelayState", "")),
        signed=signed.encode(),
        algorithm=unquote_plus(pieces.get("SigAlg", "")),
        signature=_decoded(unquote_plus(pieces["Signature"])) if "Signature" in pieces else b"",
    )


def read_posted(text: str) -> bytes:
    return _decoded(text)


def query_is_signed(query: Query, certificates: tuple[bytes, ...]) -> bool:
    """Whether one of the certificates (DER) signed the query; only algorithms of today count."""
    if query.algorithm not in names.SIGNATURE_ALGORITHMS or not query.signature:
        return False
    return any(_verifies(query, certificate) for certificate in certificates)


def parsed(xml: bytes, tag: str) -> Element:
    """The root of a message, which must be a `tag` of the protocol; raises `BadMessage`."""
    if not xml or len(xml) > _LONGEST:
        raise BadMessage("no message, or a very long one")
    try:
        root: Element = SafeET.fromstring(xml, forbid_dtd=True)
    except (SafeET.ParseError, DefusedXmlException, ValueError, LookupError) as fault:
        raise BadMessage("not well-formed XML, or with a document type") from fault
    if root.tag != f"{{{names.PROTOCOL}}}{tag}" or root.get("Version") != "2.0":
        raise BadMessage(f"not a {tag} of SAML 2.0")
    return root


def check_signature_place(root: Element) -> bool:
    """Whether the message carries a signature; raises `BadMessage` unless it is one, of the root, and of nothing else.

    A signature that covers another element than the one that is read is how wrapping attacks work.
    """
    ids = [element.get("ID") for element in root.iter() if element.get("ID") is not None]
    if len(set(ids)) != len(ids) or sum(element.tag == root.tag for element in root.iter()) != 1:
        raise BadMessage("an ID or the message itself stands there twice")
    if any(
        element.get(other)
        for element in root.iter()
        for other in ("Id", "id")
        if not element.tag.startswith(f"{{{names.SIGNATURE}}}")
    ):
        raise BadMessage("an element with a foreign kind of id")
    found = list(root.iter(f"{{{names.SIGNATURE}}}Signature"))
    if not found:
        return False
    references = list(found[0].iter(f"{{{names.SIGNATURE}}}Reference"))
    if len(found) != 1 or found[0] not in list(root) or len(references) != 1:
        raise BadMessage("more than one signature, or not one of the message")
    if references[0].get("URI") != f"#{root.get('ID')}" or found[0].find(f".//{{{names.SIGNATURE}}}Object") is not None:
        raise BadMessage("the signature is not one of the message")
    _check_algorithms(found[0])
    return True


def authn_request(root: Element, *, now: datetime) -> AuthnRequest:
    return AuthnRequest(
        id=_id(root, now=now),
        issuer=_issuer(root),
        destination=root.get("Destination", ""),
        acs_url=root.get("AssertionConsumerServiceURL", ""),
        acs_index=root.get("AssertionConsumerServiceIndex", ""),
        binding=root.get("ProtocolBinding", ""),
        is_passive=root.get("IsPassive") in {"true", "1"},
        is_forced=root.get("ForceAuthn") in {"true", "1"},
        context=_context(root),
    )


def logout_request(root: Element, *, now: datetime) -> LogoutRequest:
    name_id = root.findtext(f"{{{names.ASSERTION}}}NameID") or ""
    return LogoutRequest(
        id=_id(root, now=now),
        issuer=_issuer(root),
        destination=root.get("Destination", ""),
        name_id=name_id.strip(),
        session_indexes=tuple((line.text or "").strip() for line in root.iter(f"{{{names.PROTOCOL}}}SessionIndex")),
    )


def session_index_of(response: bytes) -> str:
    """The index that a response of our own gave the session."""
    statement = SafeET.fromstring(response, forbid_dtd=True).find(f".//{{{names.ASSERTION}}}AuthnStatement")
    assert statement is not None
    return str(statement.get("SessionIndex"))


def _id(root: Element, *, now: datetime) -> str:
    """The id of a message that is neither old nor from the future."""
    id_, issued = root.get("ID", ""), root.get("IssueInstant", "")
    try:
        moment = datetime.fromisoformat(issued)
    except ValueError as fault:
        raise BadMessage("IssueInstant is no time") from fault
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not now - _OLDEST <= moment <= now + _AHEAD:
        raise BadMessage("the message is too old, or a clock is wrong")
    if not id_ or len(id_) > 200 or not (id_[0].isalpha() or id_[0] == "_"):
        raise BadMessage("ID is none")
    return id_


def _context(root: Element) -> AskedContext | None:
    """How sure the service wants us to be. Declarations and classes that we do not know are left out: nobody can meet them."""
    found = root.find(f"{{{names.PROTOCOL}}}RequestedAuthnContext")
    if found is None:
        return None
    comparison = found.get("Comparison", "exact")
    if comparison not in COMPARISONS:
        raise BadMessage("Comparison is none of SAML's")
    asked = [(line.text or "").strip() for line in found.findall(f"{{{names.ASSERTION}}}AuthnContextClassRef")]
    return AskedContext(comparison, tuple(dict.fromkeys(name for name in asked if name in LEVELS)))


def _issuer(root: Element) -> str:
    issuer = (root.findtext(f"{{{names.ASSERTION}}}Issuer") or "").strip()
    if not issuer:
        raise BadMessage("Issuer is missing")
    return issuer


def _check_algorithms(signature: Element) -> None:
    def used(name: str) -> set[str]:
        return {element.get("Algorithm", "") for element in signature.iter(f"{{{names.SIGNATURE}}}{name}")}

    if not used("SignatureMethod") <= names.SIGNATURE_ALGORITHMS or not used("DigestMethod") <= names.DIGEST_ALGORITHMS:
        raise BadMessage("the signature uses an algorithm that is not accepted (SHA-1 is not)")
    if not used("Transform") | used("CanonicalizationMethod") <= names.TRANSFORMS:
        raise BadMessage("the signature uses a transform that is not accepted")


def _verifies(query: Query, certificate: bytes) -> bool:
    digest = _HASHES[query.algorithm[-3:]]
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
        if isinstance(key, rsa.RSAPublicKey) and "#rsa-" in query.algorithm:
            key.verify(query.signature, query.signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and "#ecdsa-" in query.algorithm:
            key.verify(query.signature, query.signed, ec.ECDSA(digest))
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as fault:
        raise BadMessage("not base64") from fault


def _inflated(data: bytes) -> bytes:
    """Raw DEFLATE, up to the length allowed: a small message may not unfold into a huge one."""
    unpacker = zlib.decompressobj(-15)
    try:
        found = unpacker.decompress(data, _LONGEST + 1)
    except zlib.error as fault:
        raise BadMessage("not DEFLATE") from fault
    if len(found) > _LONGEST or not unpacker.eof:
        raise BadMessage("very long, or cut off")
    return found
