"""SAML 2.0 against pysaml2 as a service provider, and against those who bend its messages."""

import base64
import re
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from html import unescape
from random import Random
from urllib.parse import parse_qs, quote_plus, unquote_plus, urlencode, urlsplit

import pytest
from django.test import Client
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.response import StatusNoAuthnContext, StatusNoPassive
from saml2.saml import NAMEID_FORMAT_PERSISTENT

from shuren.identity.models import Account, SamlService, SamlSession, SignIn
from shuren.identity.rules.saml.contexts import MFA, UNSPECIFIED
from shuren.identity.rules.saml.contexts import PASSWORD as PASSWORD_CLASS
from shuren.identity.rules.saml.metadata import BadMetadata, read_metadata
from shuren.identity.services.saml import keys
from shuren.identity.services.saml.register import NewSamlService, register_saml_service
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.identity.tests.federation.conftest import Outside
from shuren.identity.tests.federation.saml_sp import ACS, SLO, Provider
from shuren.identity.tests.test_second_factors import with_app
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work.api import run_pending

IDP = "http://testserver/saml/metadata"
Enter = Callable[..., Client]
pytestmark = pytest.mark.skipif(keys.xmlsec_path() is None, reason="xmlsec1 is not installed")


@pytest.fixture(scope="module")
def provider() -> Provider:
    return Provider()


@pytest.fixture
def papers(school: School, provider: Provider) -> SamlService:
    return registered(school, provider)


def registered(school: School, provider: Provider, **more: object) -> SamlService:
    new = NewSamlService(
        name="论文库",
        org_id=school.orgs["school"],
        metadata=provider.metadata,
        attributes=("name", "roles"),
        is_first_party=True,
        **more,
    )
    return SamlService.objects.get(pk=register_saml_service(actor=SYSTEM, service=new, now=NOW))


def idp_metadata() -> str:
    return Client().get("/saml/metadata").content.decode()


def asked(provider: Provider, *, binding: str = BINDING_HTTP_REDIRECT, relay_state: str = "where/we?were=1", **more: object):
    """A request as the service makes it: its client, the id, and the path and query to go to (or the form)."""
    client = provider.client(idp_metadata())
    request_id, info = client.prepare_for_authenticate(
        entityid=IDP, relay_state=relay_state, binding=binding, sign=provider.signs, **more
    )
    if binding == BINDING_HTTP_REDIRECT:
        url = dict(info["headers"])["Location"]
        return client, request_id, url.removeprefix("http://testserver")
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', info["data"]))
    return client, request_id, {key: unescape(value) for key, value in fields.items()}


def posted(page) -> dict[str, str]:
    assert page.status_code == 200, page.content.decode()[:3000]
    assert page.headers["Content-Security-Policy"].endswith("form-action https://sp.example.org")
    assert f'action="{ACS}"' in page.content.decode()
    return page.context["fields"]


def signed_in(browser: Client, path: str):
    on = browser.get(path)
    assert on.status_code == 302, on.content.decode()[:2000]
    return browser.get(on.headers["Location"])


def taken(client, request_id: str, fields: dict[str, str]):
    return client.parse_authn_request_response(fields["SAMLResponse"], BINDING_HTTP_POST, outstanding={request_id: "/"})


def test_service_learns_who_came(sign_in: Enter, papers: SamlService, provider: Provider, school: School) -> None:
    client, request_id, path = asked(provider)
    fields = posted(signed_in(sign_in("pupil"), path))
    assert fields["RelayState"] == "where/we?were=1"
    answer = taken(client, request_id, fields)
    assert answer.ava["displayName"] == ["张三"]
    assert answer.ava["http://testserver/saml/attributes/roles"] == ["pupil"]
    assert answer.name_id.format == NAMEID_FORMAT_PERSISTENT
    assert school.account("pupil").person.number not in str(answer)
    assert answer.in_response_to == request_id
    assertion = answer.assertion
    assert assertion.conditions.audience_restriction[0].audience[0].text == provider.entity_id
    data = assertion.subject.subject_confirmation[0].subject_confirmation_data
    assert data.recipient == ACS
    assert data.in_response_to == request_id
    assert answer.response.destination == ACS
    assert assertion.authn_statement[0].session_index == SamlSession.objects.get().session_index
    assert answer.response.signature.signed_info.signature_method.algorithm.endswith("rsa-sha256")
    assert assertion.signature.signed_info.signature_method.algorithm.endswith("rsa-sha256")


def test_name_stays_and_differs_by_service(sign_in: Enter, papers: SamlService, provider: Provider, school: School) -> None:
    other = Provider(entity_id="https://other.example.org/metadata")
    registered(school, other)
    found = []
    for which in (provider, provider, other):
        client, request_id, path = asked(which)
        found.append(taken(client, request_id, posted(signed_in(sign_in("pupil"), path))).name_id.text)
    assert found[0] == found[1] != found[2]


def test_post_request_is_answered(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client, request_id, fields = asked(provider, binding=BINDING_HTTP_POST)
    browser = sign_in("pupil")
    on = Client(enforce_csrf_checks=True).post("/saml/sso", fields)
    assert on.status_code == 302
    assert taken(client, request_id, posted(browser.get(on.headers["Location"]))).ava["displayName"] == ["张三"]


def test_stranger_signs_in_first(school: School, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider)
    browser = Client()
    door = signed_in(browser, path)
    wanted = parse_qs(urlsplit(door.headers["Location"]).query)["next"][0]
    entered = browser.post("/sign-in/", {"username": "pupil", "password": PASSWORD, "next": wanted})
    assert entered.headers["Location"] == wanted
    assert taken(client, request_id, posted(browser.get(wanted))).ava["displayName"] == ["张三"]


def test_passive_request_shows_nothing(school: School, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider, is_passive="true")
    fields = posted(signed_in(Client(), path))
    with pytest.raises(StatusNoPassive):
        taken(client, request_id, fields)


def test_force_authn_asks_again(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider, force_authn="true")
    browser = sign_in("pupil")
    asking = signed_in(browser, path)
    assert asking.headers["Location"].startswith("/account/confirm/?")
    wanted = parse_qs(urlsplit(asking.headers["Location"]).query)["next"][0]
    browser.post("/account/confirm/", {"password": PASSWORD, "next": wanted})
    assert taken(client, request_id, posted(browser.get(wanted))).ava["displayName"] == ["张三"]


def statement_of(answer) -> tuple[str, datetime]:
    """The class and the moment of the sign-in that the service was told of."""
    (statement,) = answer.assertion.authn_statement
    return statement.authn_context.authn_context_class_ref.text, datetime.fromisoformat(statement.authn_instant)


def long_ago(browser: Client, *, methods: tuple[str, ...] = ("password",)) -> None:
    """As if the person had come in an hour ago by these methods, and shown nothing since."""
    session, at = browser.session, clock.now() - timedelta(hours=1)
    session["proof"] |= {"begun": at.timestamp(), "verified": at.timestamp(), "methods": methods, "shown": methods}
    session.save()
    SignIn.objects.update(begun_at=at)


@pytest.mark.parametrize(
    ("methods", "class_ref"),
    [
        (("picture",), UNSPECIFIED),
        (("password",), PASSWORD_CLASS),
        (("upstream",), PASSWORD_CLASS),
        (("password", "totp"), MFA),
        (("passkey",), MFA),
    ],
)
def test_service_is_told_how_sure_we_are(
    methods: tuple[str, ...], class_ref: str, sign_in: Enter, papers: SamlService, provider: Provider
) -> None:
    browser = sign_in("pupil")
    long_ago(browser, methods=methods)
    client, request_id, path = asked(provider)
    told, at = statement_of(taken(client, request_id, posted(signed_in(browser, path))))
    assert told == class_ref
    assert clock.now() - at > timedelta(minutes=59)


def test_force_authn_tells_the_moment_of_the_new_proof(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider, force_authn="true")
    browser = sign_in("pupil")
    long_ago(browser)
    wanted = parse_qs(urlsplit(signed_in(browser, path).headers["Location"]).query)["next"][0]
    browser.post("/account/confirm/", {"password": PASSWORD, "next": wanted})
    told, at = statement_of(taken(client, request_id, posted(browser.get(wanted))))
    assert (told, clock.now() - at < timedelta(minutes=1)) == (PASSWORD_CLASS, True)


def wanting(*classes: str, comparison: str = "exact") -> dict[str, object]:
    return {"requested_authn_context": {"authn_context_class_ref": list(classes), "comparison": comparison}}


def test_a_second_factor_is_asked_for_where_the_service_wants_one(
    sign_in: Enter, papers: SamlService, provider: Provider, school: School
) -> None:
    browser, totp = sign_in("pupil"), with_app(school, "pupil")
    long_ago(browser)
    client, request_id, path = asked(provider, **wanting(MFA))
    door = signed_in(browser, path).headers["Location"]
    wanted = parse_qs(urlsplit(door).query)["next"][0]
    assert browser.get(wanted).headers["Location"].startswith("/account/confirm/?")  # nothing was shown since
    browser.post("/account/confirm/", {"code": totp.at(clock.now()), "next": wanted})
    told, at = statement_of(taken(client, request_id, posted(browser.get(wanted))))
    assert (told, clock.now() - at < timedelta(minutes=1)) == (MFA, True)
    client, request_id, path = asked(provider, **wanting("http://schemas.microsoft.com/claims/multipleauthn"))
    told, _at = statement_of(taken(client, request_id, posted(signed_in(browser, path))))
    assert told == "http://schemas.microsoft.com/claims/multipleauthn"


def test_a_stranger_is_asked_for_both_factors_one_after_the_other(
    papers: SamlService, provider: Provider, school: School, sign_in: Enter
) -> None:
    totp, browser = with_app(school, "pupil"), Client()
    client, request_id, path = asked(provider, **wanting(MFA), force_authn="true")
    wanted = parse_qs(urlsplit(signed_in(browser, path).headers["Location"]).query)["next"][0]
    browser.post("/sign-in/", {"username": "pupil", "password": PASSWORD, "next": wanted})
    door = browser.get(wanted).headers["Location"]
    assert door.startswith("/account/confirm/?")
    wanted = parse_qs(urlsplit(door).query)["next"][0]
    browser.post("/account/confirm/", {"code": totp.at(clock.now()), "next": wanted})
    assert statement_of(taken(client, request_id, posted(browser.get(wanted))))[0] == MFA


@pytest.mark.parametrize(
    "classes", [(MFA,), ("urn:shuren:acr:cryptographic",), ("urn:oasis:names:tc:SAML:2.0:ac:classes:Kerberos",)]
)
def test_what_cannot_be_shown_is_said(classes: tuple[str, ...], sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider, **wanting(*classes))
    fields = posted(signed_in(sign_in("pupil"), path))
    with pytest.raises(StatusNoAuthnContext):
        taken(client, request_id, fields)
    assert not SamlSession.objects.exists()


def test_a_passive_request_asks_nobody_for_more(sign_in: Enter, papers: SamlService, provider: Provider, school: School) -> None:
    browser = sign_in("pupil")
    client, request_id, path = asked(provider, is_passive="true", **wanting(MFA))
    with pytest.raises(StatusNoAuthnContext):
        taken(client, request_id, posted(signed_in(browser, path)))
    with_app(school, "pupil")
    with pytest.raises(StatusNoPassive):
        taken(client, request_id, posted(signed_in(browser, path)))


def test_pictures_are_not_taken_for_a_password(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    browser = sign_in("pupil")
    long_ago(browser, methods=("picture",))
    client, request_id, path = asked(provider, **wanting(PASSWORD_CLASS))
    door = signed_in(browser, path).headers["Location"]
    assert door.startswith("/sign-in/?")
    assert browser.get("/account/").status_code == 302
    wanted = parse_qs(urlsplit(door).query)["next"][0]
    browser.post("/sign-in/", {"username": "pupil", "password": PASSWORD, "next": wanted})
    assert statement_of(taken(client, request_id, posted(browser.get(wanted))))[0] == PASSWORD_CLASS


def test_a_comparison_that_does_not_exist_is_refused(sign_in: Enter, school: School) -> None:
    provider = Provider(signs=False)
    registered(school, provider)
    _client, _request_id, path = asked(provider, **wanting(MFA, comparison="minimum"))
    xml = inflated(path.partition("?")[2])
    changed = xml.replace('Comparison="minimum"', 'Comparison="nearly"')
    assert changed != xml
    assert sign_in("pupil").get("/saml/sso?" + urlencode({"SAMLRequest": deflated(changed)})).status_code == 403


def test_the_request_outlives_a_first_password(papers: SamlService, provider: Provider, school: School) -> None:
    Account.objects.filter(person_id=school.people["pupil"]).update(must_change_password=True)
    client, request_id, path = asked(provider, force_authn="true")
    browser = Client()
    wanted = parse_qs(urlsplit(signed_in(browser, path).headers["Location"]).query)["next"][0]
    browser.post("/sign-in/", {"username": "pupil", "password": PASSWORD, "next": wanted})
    step = browser.get(wanted).headers["Location"]
    assert step.startswith("/account/password/?next=%2Fsaml%2Fanswer")
    changed = browser.post(step, {"old": PASSWORD, "new": "Zhongwen-8842-x", "again": "Zhongwen-8842-x"})
    assert changed.headers["Location"] == wanted
    assert taken(client, request_id, posted(browser.get(wanted))).ava["displayName"] == ["张三"]


def test_only_people_of_the_branch_get_in(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    _client, _request_id, path = asked(provider)
    for key, status in (("head", 200), ("far_teacher", 403), ("officer", 403)):
        assert signed_in(sign_in(key), path).status_code == status, key


def test_others_are_told_by_consent(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    SamlService.objects.update(is_first_party=False)
    client, request_id, path = asked(provider)
    assert taken(client, request_id, posted(signed_in(sign_in("pupil"), path))).ava.get("displayName") != ["张三"]


def test_unsigned_request_of_a_service_that_signs_is_refused(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    _client, _request_id, path = asked(provider)
    query = "&".join(piece for piece in path.partition("?")[2].split("&") if not piece.startswith(("SigAlg", "Signature")))
    assert sign_in("pupil").get(f"/saml/sso?{query}").status_code == 403


def test_service_signs_people_out(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider)
    browser, elsewhere = sign_in("pupil"), sign_in("pupil")
    answer = taken(client, request_id, posted(signed_in(browser, path)))
    found = client.do_logout(
        answer.name_id,
        [IDP],
        "left",
        None,
        sign=True,
        expected_binding=BINDING_HTTP_REDIRECT,
        sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        digest_alg="http://www.w3.org/2001/04/xmlenc#sha256",
    )
    url = dict(found[IDP][1]["headers"])["Location"].removeprefix("http://testserver")
    out = browser.get(url)
    assert out.status_code == 302
    assert out.headers["Location"].startswith(f"{SLO}?SAMLResponse=")
    said = parse_qs(urlsplit(out.headers["Location"]).query)
    response = client.parse_logout_request_response(said["SAMLResponse"][0], BINDING_HTTP_REDIRECT)
    assert response.status_ok()
    assert browser.get("/account/").status_code == 302
    assert elsewhere.get("/account/").status_code == 200


def test_unsigned_sign_out_is_refused(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider)
    browser = sign_in("pupil")
    answer = taken(client, request_id, posted(signed_in(browser, path)))
    _id, request = client.create_logout_request("http://testserver/saml/slo", IDP, name_id=answer.name_id, sign=False)
    assert browser.get("/saml/slo?" + urlencode({"SAMLRequest": deflated(str(request))})).status_code == 403
    assert browser.post("/saml/slo", {"SAMLRequest": base64.b64encode(str(request).encode())}).status_code == 403
    assert browser.get("/account/").status_code == 200


def test_services_with_soap_are_told(sign_in: Enter, school: School, outside: Outside, settings: object) -> None:
    settings.SHUREN_PUBLIC_URL = "http://testserver"
    provider = Provider(soap=f"{outside.url}/soap")
    registered(school, provider)
    client, request_id, path = asked(provider)
    browser = sign_in("pupil")
    taken(client, request_id, posted(signed_in(browser, path)))
    outside.raw = []
    browser.post("/sign-out/")
    run_pending()
    assert [call[1] for call in outside.calls] == ["/soap"]
    assert SamlSession.objects.get().ended_at is not None


def deflated(text: str) -> str:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(packer.compress(text.encode()) + packer.flush()).decode()


def inflated(query: str) -> str:
    text = unquote_plus(dict(piece.split("=", 1) for piece in query.split("&"))["SAMLRequest"])
    return zlib.decompress(base64.b64decode(text), -15).decode()


def test_bent_redirects_are_refused(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    """Seeded changes of one character anywhere in a signed redirect: nothing is answered."""
    random, browser = Random(20261129), sign_in("pupil")
    _client, _request_id, path = asked(provider)
    query = path.partition("?")[2]
    refused = 0
    for _try in range(200):
        place = random.randrange(len(query))
        changed = query[:place] + random.choice("ABCabc019-_.%+&=") + query[place + 1 :]
        if changed == query or _same(changed, query):
            continue
        answer = browser.get(f"/saml/sso?{changed}")
        assert answer.status_code == 403, changed
        refused += 1
    assert refused > 150
    assert not SamlSession.objects.exists()


def _same(one: str, other: str) -> bool:
    """Whether a change left the meaning as it was: a different last character of base64 may stand for the same bytes."""

    def meant(query: str) -> object:
        try:
            pieces = dict(piece.split("=", 1) for piece in query.split("&"))
            rest = {key: value for key, value in pieces.items() if key in ("SAMLRequest", "RelayState", "SigAlg")}
            return rest, base64.b64decode(unquote_plus(pieces["Signature"]), validate=True)
        except (ValueError, KeyError):
            return query

    return meant(one) == meant(other)


def test_bent_posts_are_refused(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    random, browser = Random(7), sign_in("pupil")
    _client, _request_id, fields = asked(provider, binding=BINDING_HTTP_POST)
    xml = base64.b64decode(fields["SAMLRequest"]).decode()
    for _try in range(60):
        place = random.randrange(len(xml))
        changed = xml[:place] + random.choice("ABCabc019<>/=\"' ") + xml[place + 1 :]
        if changed == xml or re.sub(r"\s", "", changed) == re.sub(r"\s", "", xml):
            continue
        answer = browser.post("/saml/sso", fields | {"SAMLRequest": base64.b64encode(changed.encode()).decode()})
        # inside certificate and key info, which nobody reads, a change means nothing
        if answer.status_code != 403:
            assert "X509" in xml[max(0, place - 2000) : place] or "KeyInfo" in xml[place - 200 : place + 200], xml[
                place - 80 : place + 80
            ]


def wrapped(xml: str, kind: str) -> str:
    """The signed request moved aside, and another in its place that asks for the answer elsewhere."""
    head = "" if not xml.startswith("<?xml") else xml[: xml.index("?>") + 2]
    root = xml[len(head) :].strip()
    signature = re.search(r"<(\w+:)?Signature .*?</(\w+:)?Signature>", root, re.S).group(0)
    evil = re.sub(r'ID="[^"]*"', 'ID="_evil"', root.replace(signature, ""), count=1).replace(ACS, "https://evil.example/acs")
    inner = root.replace(signature, "") if kind != "keep" else root
    match kind:
        case "extensions":
            holder = f'<x xmlns="urn:x">{root}</x>'
            return head + re.sub(r"(</[\w:]*Issuer>)", rf"\1{holder}", evil, count=1)
        case "signature_first":
            return head + re.sub(
                r"(</[\w:]*Issuer>)", lambda m: m.group(1) + signature + f'<x xmlns="urn:x">{inner}</x>', evil, count=1
            )
        case "object":
            inside = signature.replace("</ns", f'<Object xmlns="http://www.w3.org/2000/09/xmldsig#">{inner}</Object></ns', 1)
            return head + re.sub(r"(</[\w:]*Issuer>)", lambda m: m.group(1) + inside, evil, count=1)
        case "sibling":
            return f"<a>{evil}{root}</a>"
        case "twice":
            return head + root.replace(signature, signature + signature)
        case "duplicate_id":
            holder = f'<x xmlns="urn:x">{root}</x>'
            same = evil.replace('ID="_evil"', 'ID="' + re.search(r'ID="([^"]*)"', root).group(1) + '"')
            return head + re.sub(r"(</[\w:]*Issuer>)", lambda m: m.group(1) + holder, same, count=1)
        case _keep:
            return head + evil


@pytest.mark.parametrize("kind", ["extensions", "signature_first", "object", "sibling", "twice", "duplicate_id", "stripped"])
def test_wrapped_signatures_are_refused(kind: str, sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    _client, _request_id, fields = asked(provider, binding=BINDING_HTTP_POST)
    xml = wrapped(base64.b64decode(fields["SAMLRequest"]).decode(), kind)
    answer = sign_in("pupil").post("/saml/sso", fields | {"SAMLRequest": base64.b64encode(xml.encode()).decode()})
    assert answer.status_code == 403


CHANGES = {
    "other address": (ACS, "https://evil.example/acs"),
    "address below": (ACS, f"{ACS}/../evil"),
    "address with more": (ACS, f"{ACS}.evil.example"),
    "other issuer": ("https://sp.example.org/metadata", "https://evil.example/metadata"),
    "other destination": ("http://testserver/saml/sso", "https://evil.example/saml/sso"),
    "old": ('IssueInstant="20', 'IssueInstant="19'),
    "other version": ('Version="2.0"', 'Version="1.1"'),
    "artifact binding": ("bindings:HTTP-POST", "bindings:HTTP-Artifact"),
    "no time": ("IssueInstant=", "IssueSometime="),
    "no id": (" ID=", " AD="),
    "logout instead": ("AuthnRequest", "LogoutRequest"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_unsigned_requests_are_held_to_the_metadata(name: str, sign_in: Enter, school: School) -> None:
    provider = Provider(signs=False)
    registered(school, provider)
    browser = sign_in("pupil")
    _client, _request_id, path = asked(provider)
    xml = inflated(path.partition("?")[2])
    assert browser.get("/saml/sso?" + urlencode({"SAMLRequest": deflated(xml)})).status_code == 302
    changed = xml.replace(*CHANGES[name])
    assert changed != xml
    assert browser.get("/saml/sso?" + urlencode({"SAMLRequest": deflated(changed)})).status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SAMLRequest=",
        "SAMLRequest=%%%",
        "SAMLRequest=" + quote_plus(deflated("<a/>")),
        "SAMLRequest=" + quote_plus(deflated("x" * 10_000_000)),
        "SAMLRequest=" + quote_plus(deflated('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>')),
        "SAMLRequest=AA&SAMLRequest=BB",
        "RelayState=x",
    ],
)
def test_rubbish_is_refused(query: str, sign_in: Enter) -> None:
    assert sign_in("pupil").get(f"/saml/sso?{query}").status_code == 403


def test_old_algorithms_are_refused(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client = provider.client(idp_metadata())
    _id, info = client.prepare_for_authenticate(
        entityid=IDP, binding=BINDING_HTTP_REDIRECT, sign=True, sigalg="http://www.w3.org/2000/09/xmldsig#rsa-sha1"
    )
    url = dict(info["headers"])["Location"].removeprefix("http://testserver")
    url = url.replace(
        quote_plus("http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"), quote_plus("http://www.w3.org/2000/09/xmldsig#rsa-sha1")
    )
    assert sign_in("pupil").get(url).status_code == 403


def test_relay_state_is_not_swapped(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    _client, _request_id, path = asked(provider)
    assert sign_in("pupil").get(path.replace("where", "there")).status_code == 403


def test_kept_request_cannot_be_made_up(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    browser = sign_in("pupil")
    _client, _request_id, path = asked(provider)
    location = browser.get(path).headers["Location"]
    for changed in (
        location[:-1] + ("A" if location[-1] != "A" else "B"),
        location.replace("request=", "request=x"),
        "/saml/answer",
    ):
        assert browser.get(changed).status_code == 403
    SamlService.objects.update(is_enabled=False)
    assert browser.get(location).status_code == 404


def test_bent_responses_are_refused_by_the_service(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    """The other side of our signatures: what is changed on the way is not taken."""
    random = Random(11)
    client, request_id, path = asked(provider)
    fields = posted(signed_in(sign_in("pupil"), path))
    xml = base64.b64decode(fields["SAMLResponse"]).decode()
    for word, other in (("pupil", "head"), ("张三", "李四"), (ACS, ACS + "x"), (request_id, request_id[:-1] + "x")):
        with pytest.raises(Exception):  # noqa: B017, PT011  # pysaml2 has a dozen kinds of refusal
            assert (
                taken(client, request_id, {"SAMLResponse": base64.b64encode(xml.replace(word, other).encode()).decode()}) is None
            )
    for _try in range(20):
        place = xml.index("Assertion") + random.randrange(400)
        if xml[place] in '<>= "':
            continue
        changed = xml[:place] + ("x" if xml[place] != "x" else "y") + xml[place + 1 :]
        with pytest.raises(Exception):  # noqa: B017, PT011  # the same
            assert taken(client, request_id, {"SAMLResponse": base64.b64encode(changed.encode()).decode()}) is None


@pytest.mark.parametrize(
    "change",
    [
        ("<?xml", "<x"),
        ("SPSSODescriptor", "IDPSSODescriptor"),
        (ACS, "javascript:alert(1)"),
        (ACS, "https://a@evil.example/"),
        ("entityID=", "entityName="),
        ("HTTP-POST", "HTTP-Artifact"),
        ("<ns0:EntityDescriptor", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ns0:EntityDescriptor'),
    ],
)
def test_bad_metadata_is_refused(change: tuple[str, str], provider: Provider) -> None:
    text = provider.metadata
    changed = text.replace(*change)
    if changed == text:
        changed = "<x>" + text
    with pytest.raises(BadMetadata):
        read_metadata(changed.encode())


def test_entry_lasts_five_minutes(sign_in: Enter, papers: SamlService, provider: Provider) -> None:
    client, request_id, path = asked(provider)
    answer = taken(client, request_id, posted(signed_in(sign_in("pupil"), path)))
    until = re.search(r'NotOnOrAfter="([^"]+)"', str(answer.assertion.subject)).group(1)
    assert clock.now() < datetime.fromisoformat(until) <= clock.now() + timedelta(minutes=5)
    assert SignIn.objects.count() == 1
