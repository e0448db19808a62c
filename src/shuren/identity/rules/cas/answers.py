"""What the validation addresses answer: XML and JSON of CAS 2 and 3, plain text of CAS 1, SAML 1.1."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from xml.etree import ElementTree as ET

CAS = "http://www.yale.edu/tp/cas"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
SAML1P = "urn:oasis:names:tc:SAML:1.0:protocol"
SAML1 = "urn:oasis:names:tc:SAML:1.0:assertion"
_ARTIFACT = "urn:oasis:names:tc:SAML:1.0:cm:artifact"
_LOGOUT = "urn:oasis:names:tc:SAML:2.0"
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

for _prefix, _namespace in (("cas", CAS), ("SOAP-ENV", SOAP), ("saml1p", SAML1P), ("saml1", SAML1)):
    ET.register_namespace(_prefix, _namespace)


@dataclass(frozen=True, slots=True)
class Success:
    """The ticket was good: who, what the service may know, and by whom they were handed on (newest proxy first)."""

    user: str
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pgtiou: str = ""
    proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """The ticket was not good; `code` is one of the specification's (2.5.3), `text` says why."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class ProxyTicket:
    """A ticket by which a service goes to the next one in somebody's name."""

    ticket: str


def as_plain(answer: Success | Failure) -> str:
    return f"yes\n{answer.user}\n" if isinstance(answer, Success) else "no\n\n"


def as_xml(answer: Success | Failure, *, with_attributes: bool) -> bytes:
    """`cas:serviceResponse`; attributes belong to CAS 3 and are left out of the answers of CAS 2."""
    root = ET.Element(f"{{{CAS}}}serviceResponse")
    if isinstance(answer, Failure):
        ET.SubElement(root, f"{{{CAS}}}authenticationFailure", code=answer.code).text = answer.text
        return _written(root)
    success = ET.SubElement(root, f"{{{CAS}}}authenticationSuccess")
    _text(success, "user", answer.user)
    if with_attributes:
        attributes = ET.SubElement(success, f"{{{CAS}}}attributes")
        for name, values in answer.attributes.items():
            for value in values:
                _text(attributes, name, value)
    if answer.pgtiou:
        _text(success, "proxyGrantingTicket", answer.pgtiou)
    if answer.proxies:
        proxies = ET.SubElement(success, f"{{{CAS}}}proxies")
        for proxy in answer.proxies:
            _text(proxies, "proxy", proxy)
    return _written(root)


def as_json(answer: Success | Failure, *, with_attributes: bool) -> dict[str, object]:
    if isinstance(answer, Failure):
        return {"serviceResponse": {"authenticationFailure": {"code": answer.code, "description": answer.text}}}
    success: dict[str, object] = {"user": answer.user}
    if with_attributes:
        success["attributes"] = {name: _one_or_many(values) for name, values in answer.attributes.items()}
    if answer.pgtiou:
        success["proxyGrantingTicket"] = answer.pgtiou
    if answer.proxies:
        success["proxies"] = list(answer.proxies)
    return {"serviceResponse": {"authenticationSuccess": success}}


def proxy_as_xml(answer: ProxyTicket | Failure) -> bytes:
    root = ET.Element(f"{{{CAS}}}serviceResponse")
    if isinstance(answer, Failure):
        ET.SubElement(root, f"{{{CAS}}}proxyFailure", code=answer.code).text = answer.text
    else:
        _text(ET.SubElement(root, f"{{{CAS}}}proxySuccess"), "proxyTicket", answer.ticket)
    return _written(root)


def proxy_as_json(answer: ProxyTicket | Failure) -> dict[str, object]:
    if isinstance(answer, Failure):
        return {"serviceResponse": {"proxyFailure": {"code": answer.code, "description": answer.text}}}
    return {"serviceResponse": {"proxySuccess": {"proxyTicket": answer.ticket}}}


def as_saml(
    answer: Success | Failure, *, id: str, in_response_to: str, recipient: str, issuer: str, lifetime: timedelta, now: datetime
) -> bytes:
    """A SAML 1.1 response in SOAP, as `/samlValidate` gives it; `recipient` is the service."""
    envelope = ET.Element(f"{{{SOAP}}}Envelope")
    ET.SubElement(envelope, f"{{{SOAP}}}Header")
    response = ET.SubElement(
        ET.SubElement(envelope, f"{{{SOAP}}}Body"),
        f"{{{SAML1P}}}Response",
        MajorVersion="1",
        MinorVersion="1",
        IssueInstant=_instant(now),
        ResponseID=f"_{id}",
        Recipient=recipient,
    )
    if in_response_to:
        response.set("InResponseTo", in_response_to)
    status = ET.SubElement(response, f"{{{SAML1P}}}Status")
    code = "saml1p:Success" if isinstance(answer, Success) else "saml1p:RequestDenied"
    ET.SubElement(status, f"{{{SAML1P}}}StatusCode", Value=code)
    if isinstance(answer, Failure):
        ET.SubElement(status, f"{{{SAML1P}}}StatusMessage").text = answer.text
        return _written(envelope)
    assertion = ET.SubElement(
        response,
        f"{{{SAML1}}}Assertion",
        MajorVersion="1",
        MinorVersion="1",
        AssertionID=f"_{id}a",
        IssueInstant=_instant(now),
        Issuer=issuer,
    )
    conditions = ET.SubElement(
        assertion, f"{{{SAML1}}}Conditions", NotBefore=_instant(now), NotOnOrAfter=_instant(now + lifetime)
    )
    restriction = ET.SubElement(conditions, f"{{{SAML1}}}AudienceRestrictionCondition")
    ET.SubElement(restriction, f"{{{SAML1}}}Audience").text = recipient
    statement = ET.SubElement(
        assertion,
        f"{{{SAML1}}}AuthenticationStatement",
        AuthenticationInstant=answer.attributes.get("authenticationDate", (_instant(now),))[0],
        AuthenticationMethod="urn:oasis:names:tc:SAML:1.0:am:unspecified",
    )
    _saml_subject(statement, answer.user)
    told = {name: values for name, values in answer.attributes.items() if values}
    if told:
        attributes = ET.SubElement(assertion, f"{{{SAML1}}}AttributeStatement")
        _saml_subject(attributes, answer.user)
        for name, values in told.items():
            line = ET.SubElement(attributes, f"{{{SAML1}}}Attribute", AttributeName=name, AttributeNamespace=CAS)
            for value in values:
                ET.SubElement(line, f"{{{SAML1}}}AttributeValue").text = _clean(value)
    return _written(envelope)


def logout_request(*, id: str, ticket: str, user: str, now: datetime) -> str:
    """What a service is sent when a session ends (appendix C); the service ticket is the `SessionIndex`."""
    root = ET.Element(f"{{{_LOGOUT}:protocol}}LogoutRequest", {"ID": f"LR-{id}", "Version": "2.0", "IssueInstant": _instant(now)})
    ET.SubElement(root, f"{{{_LOGOUT}:assertion}}NameID").text = _clean(user)
    ET.SubElement(root, f"{{{_LOGOUT}:protocol}}SessionIndex").text = ticket
    return ET.tostring(root, encoding="unicode")


def _saml_subject(statement: ET.Element, user: str) -> None:
    subject = ET.SubElement(statement, f"{{{SAML1}}}Subject")
    ET.SubElement(subject, f"{{{SAML1}}}NameIdentifier").text = _clean(user)
    confirmation = ET.SubElement(subject, f"{{{SAML1}}}SubjectConfirmation")
    ET.SubElement(confirmation, f"{{{SAML1}}}ConfirmationMethod").text = _ARTIFACT


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, f"{{{CAS}}}{name}").text = _clean(value)


def _clean(value: str) -> str:
    return _NOT_IN_XML.sub("", value)


def _one_or_many(values: Iterable[str]) -> str | list[str]:
    found = list(values)
    return found[0] if len(found) == 1 else found


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(root: ET.Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(ET.tostring(root, encoding="utf-8", xml_declaration=False))
