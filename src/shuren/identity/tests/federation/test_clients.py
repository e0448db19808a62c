"""Other people's clients through a real server: python-cas in its three dialects, pysaml2, a browser made of requests."""

import re
from html import unescape
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests
from cas import CASClient
from pytest_django.live_server_helper import LiveServer
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT

from shuren.identity.models import CasService
from shuren.identity.services.saml import keys
from shuren.identity.services.saml.register import NewSamlService, register_saml_service
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.identity.tests.federation.conftest import Outside
from shuren.identity.tests.federation.saml_sp import Provider
from shuren.kernel.data import SYSTEM
from shuren.work.api import run_pending


class Browser:
    """Cookies, redirects within the platform, and forms; it stops where it is sent elsewhere."""

    def __init__(self, home: str) -> None:
        self.home, self.session = home, requests.Session()

    def walk(self, url: str) -> str | requests.Response:
        """Follow until there is a page to act on, or an address of somebody else: then that address."""
        for _step in range(8):
            answer = self.session.get(url, allow_redirects=False)
            onward = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)
            target = urljoin(url, answer.headers.get("Location") or (unescape(onward.group(1)) if onward else ""))
            if not answer.headers.get("Location") and not onward:
                return self.sign_in(answer) if 'name="password"' in answer.text else answer
            if not target.startswith(self.home):
                return target
            url = target
        raise AssertionError("goes in circles")

    def sign_in(self, page: requests.Response) -> str | requests.Response:
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        fields = {key: unescape(value) for key, value in fields.items()} | {"username": "pupil", "password": PASSWORD}
        answer = self.session.post(page.url, fields, headers={"Referer": page.url}, allow_redirects=False)
        assert answer.status_code == 302, answer.text[:2000]
        return self.walk(urljoin(page.url, answer.headers["Location"]))


@pytest.fixture
def browser(live_server: LiveServer, school: School) -> Browser:
    return Browser(live_server.url)


@pytest.mark.parametrize("version", ["2", "3", "CAS_2_SAML_1_0"])
def test_python_cas_signs_in_and_out(version: str, browser: Browser, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/?next=/a b&x=1".replace(" ", "%20")
    client = CASClient(version=version, service_url=service, server_url=f"{browser.home}/cas/")
    sent = browser.walk(client.get_login_url())
    assert isinstance(sent, str)
    assert sent.startswith(f"{outside.url}/lib/")
    ticket = parse_qs(urlsplit(sent).query)["ticket"][0]
    user, attributes, _pgtiou = client.verify_ticket(ticket)
    assert user
    if version != "2":
        assert attributes["name"] == "张三"
    assert client.verify_ticket(ticket)[0] is None
    assert browser.walk(client.get_logout_url(f"{outside.url}/lib/")) == f"{outside.url}/lib/"
    run_pending()
    notice = next(call for call in outside.calls if call[0] == "POST")[2]["logoutRequest"][0]
    assert f">{ticket}<" in notice


@pytest.mark.skipif(keys.xmlsec_path() is None, reason="xmlsec1 is not installed")
def test_pysaml2_signs_in_and_out(browser: Browser, school: School) -> None:
    provider = Provider()
    new = NewSamlService(
        name="论文库", org_id=school.orgs["school"], metadata=provider.metadata, attributes=("name",), is_first_party=True
    )
    register_saml_service(actor=SYSTEM, service=new, now=NOW)
    idp = f"{browser.home}/saml/metadata"
    client = provider.client(requests.get(idp, timeout=10).text)
    request_id, info = client.prepare_for_authenticate(entityid=idp, relay_state="here", binding=BINDING_HTTP_REDIRECT, sign=True)
    page = browser.walk(dict(info["headers"])["Location"])
    assert isinstance(page, requests.Response)
    fields = {key: unescape(value) for key, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)}
    answer = client.parse_authn_request_response(fields["SAMLResponse"], BINDING_HTTP_POST, outstanding={request_id: "/"})
    assert answer.ava["displayName"] == ["张三"]
    assert fields["RelayState"] == "here"
    found = client.do_logout(
        answer.name_id,
        [idp],
        "left",
        None,
        sign=True,
        expected_binding=BINDING_HTTP_REDIRECT,
        sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        digest_alg="http://www.w3.org/2001/04/xmlenc#sha256",
    )
    back = browser.walk(dict(found[idp][1]["headers"])["Location"])
    assert isinstance(back, str)
    said = parse_qs(urlsplit(back).query)["SAMLResponse"][0]
    assert client.parse_logout_request_response(said, BINDING_HTTP_REDIRECT).status_ok()
    assert "/sign-in/" in browser.session.get(f"{browser.home}/account/").url
