"""A tool of others that registers itself over HTTP, and goes the way of any app from there."""

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.test import Client

from shuren.identity import api as identity
from shuren.interop.data import LaunchKind, RunStatus, VersionStatus
from shuren.interop.models import App, ConformityTest
from shuren.interop.rules.lti.registrations import TOOL, RegistrationFault, entry_in
from shuren.interop.selectors.apps import entry_of
from shuren.interop.services.lti.register import begin_registration
from shuren.interop.services.review import submit_version
from shuren.interop.services.write_entry import EntryRefused, revise_entry
from shuren.interop.tests.conftest import Stage, png
from shuren.interop.tests.test_lti import TOOL as PROGRAM
from shuren.kernel import clock
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry

SAID: dict[str, Any] = {
    "client_name": "每日口算",
    "initiate_login_uri": "https://tool.example.cn/login",
    "redirect_uris": ["https://tool.example.cn/launch"],
    "jwks_uri": "https://tool.example.cn/jwks",
    TOOL: {"domain": "tool.example.cn", "claims": ["iss", "sub"]},
}


@pytest.fixture
def tool(settings: Any) -> Iterator[str]:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [sys.executable, str(PROGRAM), str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=PROGRAM.parent) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        for _turn in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


@pytest.mark.django_db(transaction=True)
def test_a_tool_registers_itself_and_its_vendor_completes_it(stage: Stage, tool: str, live_server: Any) -> None:
    here, now = f"{live_server.url}/lti/openid-configuration/", clock.now()
    url = begin_registration(actor=stage.vendor, url=f"{tool}/register/", configuration_url=here, now=now)
    told = requests.get(url, timeout=120).json()
    assert (told["status"], told["platform"]["issuer"]) == (200, live_server.url)
    app = App.objects.get(name="每日口算")
    assert told["answer"]["client_id"] == app.client_id
    version = app.versions.get()
    entry = entry_of(version)
    assert (version.status, entry.kind, entry.launch_url) == (VersionStatus.DRAFT, LaunchKind.LTI, f"{tool}/login/")
    assert entry.redirect_uris == (f"{tool}/launch/", f"{tool}/other/"), "the target of the launch comes first"
    assert [wish.element for wish in entry.wishes] == ["person.email", "person.name"]
    assert AuditEntry.objects.filter(action="interop.tool_registered", target=f"app:{app.pk}").count() == 1

    again = requests.get(url, timeout=120).json()
    assert (again["status"], again["answer"]["error"]) == (401, "invalid_token"), "good once"
    assert App.objects.count() == 1
    with pytest.raises(EntryRefused):
        revise_entry(actor=stage.vendor, app_id=app.pk, entry=entry, now=clock.now())
    whole = replace(
        entry,
        description_en="Ten sums a day.",
        privacy_text="只用来出题和记分，不给别人，学期结束后三十天内删除。",
        wishes=tuple(replace(wish, reason="在成绩单上显示") for wish in entry.wishes),
        icon=png(),
    )
    revise_entry(actor=stage.vendor, app_id=app.pk, entry=whole, now=clock.now())
    client = identity.client_by_client_id(app.client_id or "")
    assert client is not None
    assert client.is_governed
    assert not client.redirect_uris


@pytest.mark.django_db
def test_what_a_tool_entered_is_not_submitted_before_it_is_whole(stage: Stage, settings: Any, client: Client) -> None:
    url = begin_registration(
        actor=stage.vendor, url="https://tool.example.cn/r?a=1", configuration_url="https://x.cn/", now=clock.now()
    )
    sent = parse_qs(urlsplit(url).query)
    assert (sent["a"], sent["openid_configuration"]) == (["1"], ["https://x.cn/"])
    bearer = f"Bearer {sent['registration_token'][0]}"
    post = {"data": SAID | {"redirect_uris": ["http://tool.example.cn/"]}, "content_type": "application/json"}
    bad = client.post("/lti/register/", **post, headers={"Authorization": bearer})
    assert (bad.status_code, bad.json()["error"]) == (400, "invalid_redirect_uri")
    good = client.post("/lti/register/", data=SAID, content_type="application/json", headers={"Authorization": bearer})
    assert good.status_code == 200, "a refused try does not spend the token"
    app = App.objects.get()
    version = app.versions.get()
    ConformityTest.objects.create(
        version=version,
        content_hash=version.content_hash,
        status=RunStatus.PASSED,
        started_at=clock.now(),
        finished_at=clock.now(),
    )
    with pytest.raises(EntryRefused):
        submit_version(actor=stage.vendor, app_id=app.pk, org_id=stage.cast.orgs["city"].id, now=clock.now())


@pytest.mark.django_db
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x.y.z", "Basic eDp5"])
def test_nobody_registers_without_a_vendor_who_began(client: Client, authorization: str) -> None:
    answer = client.post("/lti/register/", data=SAID, content_type="application/json", headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert not App.objects.exists()


@pytest.mark.django_db
def test_only_vendors_begin(stage: Stage) -> None:
    with pytest.raises(NotFound):
        begin_registration(
            actor=stage.actor("city_officer"), url="https://tool.example.cn/r", configuration_url="", now=clock.now()
        )


@pytest.mark.parametrize(
    "said",
    [
        {TOOL: None},
        {"redirect_uris": []},
        {"redirect_uris": ["https://tool.example.cn/launch"] * 21},
        {"redirect_uris": "https://tool.example.cn/launch"},
        {"initiate_login_uri": "javascript:alert(1)"},
        {"initiate_login_uri": "https://user@tool.example.cn/"},
        {"jwks_uri": 5},
        {"client_name": "   "},
        {"token_endpoint_auth_method": "client_secret_basic"},
    ],
)
def test_what_a_tool_says_wrong_is_refused_with_the_word_for_it(said: dict[str, Any]) -> None:
    with pytest.raises(RegistrationFault) as fault:
        entry_in(SAID | said, may_be_plain=False)
    assert re.fullmatch(r"invalid_(client_metadata|redirect_uri)", fault.value.code)
