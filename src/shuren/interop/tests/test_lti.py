"""LTI 1.3 with a tool of other people's making: PyLTI1p3 in a process of its own, through the real server."""

import html
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.cast import PASSWORD

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision
from shuren.interop.data import LaunchKind
from shuren.interop.models import App, LtiLineItem, LtiLink, LtiResult
from shuren.interop.rules.lti import names
from shuren.interop.services.govern import suspend_app
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.interop.tests.test_chain import install, listed_app
from shuren.kernel import clock, ids
from shuren.kernel.models import AuditEntry

pytestmark = pytest.mark.django_db(transaction=True)
TOOL = Path(__file__).with_name("lti_tool.py")


@dataclass
class Tool:
    """The tool as it runs, entered, approved and chosen by the school."""

    url: str
    ours: str
    app_id: int
    client_id: str
    stage: Stage

    def person(self, key: str) -> "Person":
        return Person(self, key)

    @property
    def class_url(self) -> str:
        return f"{self.ours}/lti/classes/{self.stage.cast.orgs['class'].public_id}/"

    @property
    def services(self) -> str:
        return f"{self.ours}/api/lti/classes/{self.stage.cast.orgs['class'].public_id}"

    def done(self, **asked: str) -> Any:
        return requests.get(f"{self.url}/done/", params=asked, timeout=20).json()


class Person:
    """Somebody with one browser without scripts: pages that go on by themselves are followed by hand."""

    def __init__(self, tool: Tool, key: str) -> None:
        self.tool, self.browser = tool, requests.Session()
        door = self.browser.get(f"{tool.ours}/sign-in/", timeout=20)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', door.text)
        assert token is not None
        fields = {"csrfmiddlewaretoken": token[1], "username": tool.stage.cast.username(key), "password": PASSWORD}
        assert self.browser.post(door.url, data=fields, timeout=20).status_code == 200

    def get(self, url: str, **more: Any) -> requests.Response:
        return self.browser.get(url, timeout=20, **more)

    def onward(self, page: requests.Response) -> requests.Response:
        action = re.search(r'action="([^"]+)"', page.text)
        assert action is not None, page.text
        fields = {name: html.unescape(value) for name, value in re.findall(r'name="([^"]+)"\s+value="([^"]*)"', page.text)}
        return self.browser.post(html.unescape(action[1]), data=fields, timeout=20)

    def login_request(self, path: str) -> dict[str, str]:
        """What the tool asks at our door after a login initiation."""
        answer = self.get(f"{self.tool.ours}{path}", allow_redirects=False)
        assert answer.status_code == 302, answer.text
        assert answer.headers["Location"].startswith(f"{self.tool.url}/login/?")
        asked = self.get(answer.headers["Location"], allow_redirects=False).headers["Location"]
        assert asked.startswith(f"{self.tool.ours}/lti/authorize/?")
        return dict(parse_qsl(urlsplit(asked).query))

    def ask(self, asked: dict[str, str]) -> requests.Response:
        return self.get(f"{self.tool.ours}/lti/authorize/?{urlencode(asked)}")

    def launch(self, link: LtiLink) -> dict[str, Any]:
        page = self.ask(self.login_request(f"/lti/links/{ids.encode('lti_link', link.pk)}/"))
        answer = self.onward(page)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def choose(self) -> requests.Response:
        app_id = ids.encode("app", self.tool.app_id)
        class_id = self.tool.stage.cast.orgs["class"].public_id
        form = self.onward(self.ask(self.login_request(f"/lti/classes/{class_id}/add/{app_id}/")))
        assert "/lti/deep-linking/" in form.text, form.text
        return form


@pytest.fixture
def tool(stage: Stage, server: VendorServer, live_server: Any) -> Iterator[Tool]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url, ours = f"http://127.0.0.1:{port}", str(live_server.url)
    words = [sys.executable, str(TOOL), str(port)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=TOOL.parent) as process:  # our own words
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        for _turn in range(100):
            try:
                requests.get(f"{url}/jwks/", timeout=2)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        facts = {"issuer": "https://region.example.cn", "client_id": "sandbox", "deployment_id": "test"}
        requests.post(f"{url}/configure/", json=facts, timeout=10)
        changes = {"launch_url": f"{url}/login/", "redirect_uris": (f"{url}/launch/",), "jwks_uri": f"{url}/jwks/"}
        app_id = listed_app(stage, server, kind=LaunchKind.LTI, logout_url="", **changes)
        install(stage, app_id)
        client_id = App.objects.get(pk=app_id).client_id or ""
        facts = {"issuer": ours, "client_id": client_id, "deployment_id": stage.cast.orgs["school"].public_id}
        requests.post(f"{url}/configure/", json=facts, timeout=10)
        yield Tool(url, ours, app_id, client_id, stage)
        process.terminate()


@pytest.fixture
def link(tool: Tool) -> LtiLink:
    return LtiLink.objects.create(
        app_id=tool.app_id, class_org_id=tool.stage.cast.orgs["class"].id, title="口算练习", created_at=clock.now()
    )


def test_a_teacher_chooses_a_pupil_works_and_the_score_comes_home(tool: Tool) -> None:
    teacher = tool.person("teacher")
    page = teacher.onward(teacher.choose())
    assert page.url == f"{tool.class_url}?added=1"
    assert "口算练习" in page.text
    link = LtiLink.objects.get()
    assert (link.url, link.custom, link.created_by_id) == (
        f"{tool.url}/launch/",
        {"set": "7", "who": "$User.id"},
        tool.stage.cast.people["teacher"].id,
    )
    pupil = tool.person("pupil")
    assert f"/lti/links/{ids.encode('lti_link', link.pk)}/" in pupil.get(f"{tool.ours}/lti/").text
    launched = pupil.launch(link)
    claims, subject = launched["claims"], launched["claims"]["sub"]
    assert claims[f"{names.CLAIM}roles"] == [names.LEARNER, names.STUDENT]
    assert claims[f"{names.CLAIM}custom"] == {"set": "7", "who": subject}
    assert claims[f"{names.CLAIM}context"]["title"] == "四年级1班"
    assert claims["exp"] - claims["iat"] <= 3600
    column = claims[names.AGS_CLAIM]["lineitem"]
    assert column.startswith(f"{tool.services}/line-items/")

    asked = {"launch": launched["launch"], "do": "score", "user": subject, "given": "4", "maximum": "5"}
    now = clock.now()
    assert tool.done(at=now.isoformat(), **asked) == {"answer": "done"}
    assert tool.done(at=now.isoformat(), **asked) == {"answer": "done"}
    assert tool.done(at=now.isoformat(), **{**asked, "given": "5"})["fault"] == 409
    assert tool.done(at="2020-01-01T00:00:00Z", **asked)["fault"] == 409
    assert tool.done(at=now.isoformat(), **{**asked, "user": "somebody"})["fault"] == 404
    grades = tool.done(launch=launched["launch"], do="grades")["answer"]
    assert [(line["userId"], line["resultScore"], line["resultMaximum"]) for line in grades] == [(subject, 16.0, 20.0)]
    assert LtiResult.objects.count() == 1
    assert AuditEntry.objects.filter(action="interop.score_taken").count() == 1
    scores = teacher.get(f"{tool.class_url}scores/").text
    assert "口算练习" in scores
    assert ">16" in scores
    assert pupil.get(f"{tool.class_url}scores/").status_code == 404


def test_columns_are_made_found_changed_and_removed(tool: Tool, link: LtiLink) -> None:
    launched = tool.person("teacher").launch(link)["launch"]
    made = tool.done(launch=launched, do="column", tag="unit")["answer"]
    assert tool.done(launch=launched, do="column", tag="unit")["answer"]["id"] == made["id"]
    assert [line["id"] for line in tool.done(launch=launched, do="columns")["answer"]] == [made["id"]]
    header = {"Authorization": f"Bearer {access_token(tool)}", "Content-Type": names.TYPE_LINE_ITEM}
    for number in range(4):
        body = {"label": f"第{number}次", "scoreMaximum": 10, "tag": "many", "resourceLinkId": ids.encode("lti_link", link.pk)}
        answer = requests.post(f"{tool.services}/line-items", json=body, headers=header, timeout=10)
        assert (answer.status_code, answer.headers["Content-Type"]) == (201, names.TYPE_LINE_ITEM)
    page = requests.get(f"{tool.services}/line-items?tag=many&limit=3", headers=header, timeout=10)
    assert page.headers["Content-Type"] == names.TYPE_LINE_ITEMS
    following = re.fullmatch(r'<([^>]+)>; rel="next"', page.headers["Link"])
    assert following is not None
    rest = requests.get(following[1], headers=header, timeout=10)
    assert (len(page.json()), len(rest.json()), "Link" in rest.headers) == (3, 1, False)
    for query, count in (("resource_id=r-2", 1), (f"resource_link_id={ids.encode('lti_link', link.pk)}", 4), ("tag=none", 0)):
        assert len(requests.get(f"{tool.services}/line-items?{query}", headers=header, timeout=10).json()) == count
    body = {"label": "改名", "scoreMaximum": 50, "startDateTime": "2026-09-01T08:00:00+08:00"}
    changed = requests.put(made["id"], json=body, headers=header, timeout=10).json()
    assert (changed["label"], changed["scoreMaximum"]) == ("改名", 50)
    assert requests.delete(made["id"], headers=header, timeout=10).status_code == 204
    assert requests.get(made["id"], headers=header, timeout=10).status_code == 404
    for bad in (
        {"label": "x"},
        {"label": "", "scoreMaximum": 5},
        {"label": "x", "scoreMaximum": 0},
        [],
        {"label": "x", "scoreMaximum": "5"},
    ):
        assert requests.post(f"{tool.services}/line-items", json=bad, headers=header, timeout=10).status_code == 400
    wrong = {**header, "Content-Type": "text/plain"}
    assert requests.post(f"{tool.services}/line-items", data=b"{}", headers=wrong, timeout=10).status_code == 415


def test_members_come_in_pages_with_names_only_by_consent(tool: Tool, link: LtiLink) -> None:
    launched = tool.person("teacher").launch(link)["launch"]
    members = tool.done(launch=launched, do="members")["answer"]
    assert sorted(member["roles"][0] for member in members) == sorted([names.INSTRUCTOR] * 2 + [names.LEARNER] * 2)
    assert "张三" not in str(members)
    pupil = tool.stage.cast.people["pupil"].id
    texts = [text for text in directory.asked_texts([pupil], now=clock.now())[pupil] if text.recipient == tool.client_id]
    directory.decide_consent(
        actor=tool.stage.actor("parent"), person_id=pupil, text_id=texts[0].id, decision=ConsentDecision.GIVEN, now=clock.now()
    )
    members = tool.done(launch=launched, do="members")["answer"]
    assert [member["name"] for member in members if "张三" in str(member)] == ["张三"]
    assert str(pupil) not in [member["user_id"] for member in members]
    header = {"Authorization": f"Bearer {access_token(tool)}"}
    first = requests.get(f"{tool.services}/memberships?limit=3", headers=header, timeout=10)
    assert first.headers["Content-Type"] == names.TYPE_MEMBERS
    assert len(first.json()["members"]) == 3
    second = requests.get(re.findall(r"<([^>]+)>", first.headers["Link"])[0], headers=header, timeout=10)
    assert len(second.json()["members"]) == 1
    for role, count in ((names.LEARNER, 2), ("Instructor", 2), ("http://example.org/other", 0)):
        found = requests.get(f"{tool.services}/memberships", params={"role": role}, headers=header, timeout=10).json()
        assert len(found["members"]) == count
    rlid = ids.encode("lti_link", link.pk)
    about = requests.get(f"{tool.services}/memberships?rlid={rlid}", headers=header, timeout=10).json()["members"][0]["message"][
        0
    ]
    assert about[f"{names.CLAIM}resource_link"]["id"] == rlid
    other = tool.stage.cast.orgs["west_class"].public_id
    far = f"{tool.ours}/api/lti/classes/{other}/memberships"
    assert requests.get(far, headers=header, timeout=10).status_code == 404


def access_token(tool: Tool, scope: str = " ".join(names.SCOPES)) -> str:
    answer = requests.get(f"{tool.url}/token/", params={"iss": tool.ours, "scope": scope}, timeout=10)
    return str(answer.json()["token"])


def test_scopes_open_no_more_than_they_say(tool: Tool) -> None:
    tries = {
        names.MEMBERS: {"members"},
        names.LINE_ITEM_READ: {"columns"},
        names.LINE_ITEM: {"columns", "make"},
        names.SCORE: set(),
    }
    for scope, opened in tries.items():
        header = {"Authorization": f"Bearer {access_token(tool, scope)}"}
        body = {"label": "x", "scoreMaximum": 5}
        found = {
            "members": requests.get(f"{tool.services}/memberships", headers=header, timeout=10).status_code,
            "columns": requests.get(f"{tool.services}/line-items", headers=header, timeout=10).status_code,
            "make": requests.post(f"{tool.services}/line-items", json=body, headers=header, timeout=10).status_code,
        }
        assert {name for name, status in found.items() if status in (200, 201)} == opened
        assert {status for name, status in found.items() if name not in opened} <= {403}
    assert requests.get(f"{tool.services}/memberships", timeout=10).status_code == 401


def test_a_suspended_tool_neither_opens_nor_reads(tool: Tool, link: LtiLink) -> None:
    pupil, header = tool.person("pupil"), {"Authorization": f"Bearer {access_token(tool)}"}
    asked = pupil.login_request(f"/lti/links/{ids.encode('lti_link', link.pk)}/")
    suspend_app(actor=tool.stage.actor("city_officer"), app_id=tool.app_id, reason="数据外泄", now=clock.now())
    assert pupil.ask(asked).status_code == 403
    assert requests.get(f"{tool.services}/memberships", headers=header, timeout=10).status_code == 401
    assert pupil.get(f"{tool.ours}/lti/links/{ids.encode('lti_link', link.pk)}/", allow_redirects=False).status_code == 404


def test_two_hundred_tampered_launches_are_refused(tool: Tool, link: LtiLink) -> None:
    """Every parameter missing, wrong, doubled, or another person's; nothing is ever signed for any of them."""
    pupil, classmate = tool.person("pupil"), tool.person("classmate")
    path = f"/lti/links/{ids.encode('lti_link', link.pk)}/"
    good, other = pupil.login_request(path), classmate.login_request(path)
    assert "id_token" in pupil.ask(good).text
    needed = (
        "scope",
        "response_type",
        "response_mode",
        "prompt",
        "client_id",
        "redirect_uri",
        "login_hint",
        "nonce",
        "lti_message_hint",
    )
    tries: list[tuple[Person, dict[str, str]]] = [
        (classmate, good),
        (pupil, other),
        (pupil, {**good, "login_hint": other["login_hint"]}),
        (pupil, {**good, "lti_message_hint": other["lti_message_hint"]}),
    ]
    bent = ["", "x", "none", "' or 1=1", "\x00", "../", "A" * 5000, "code", "query", "https://evil.example/launch/", "null", "0"]
    for name in needed:
        tries += [(pupil, {key: value for key, value in good.items() if key != name})]
        tries += [
            (pupil, {**good, name: value})
            for value in bent
            if (name, value) not in {("prompt", "none"), *(("nonce", v) for v in bent[1:] if len(v) <= 1000)}
        ]
        tries += [(pupil, {**good, name: good[name][:-1]})] if name != "nonce" else []
    for place in range(0, len(good["lti_message_hint"]), 2):
        hint = good["lti_message_hint"]
        tries.append(
            (pupil, {**good, "lti_message_hint": hint[:place] + ("A" if hint[place] != "A" else "B") + hint[place + 1 :]})
        )
    for suffix in ("/", "?x=1", "#x", "%2e", "/../", "@evil.example", "\\", " ", "//", "\t", "%00", ".evil.example"):
        tries.append((pupil, {**good, "redirect_uri": good["redirect_uri"] + suffix}))
    stranger = Person.__new__(Person)
    stranger.tool, stranger.browser = tool, requests.Session()
    tries.append((stranger, good))
    assert len(tries) >= 200
    answers = [(asked, person.ask(asked)) for person, asked in tries]
    assert [asked for asked, answer in answers if 'name="id_token"' in answer.text] == []
    assert {answer.status_code for _asked, answer in answers} <= {200, 400, 403}
    doubled = f"{tool.ours}/lti/authorize/?{urlencode(good)}&nonce=again"
    assert pupil.get(doubled).status_code == 400


def test_tampered_choices_hang_nothing_up(tool: Tool) -> None:
    teacher = tool.person("teacher")
    form = teacher.choose()
    text = re.findall(r'name="JWT"\s+value="([^"]+)"', form.text)[0]
    own = RSAKey.generate_key(2048)
    header, body, signature = text.split(".")
    claims = jwt.decode(
        text, RSAKey.import_key(requests.get(f"{tool.url}/jwks/", timeout=10).json()["keys"][0]), algorithms=["RS256"]
    ).claims
    forged = jwt.encode({"alg": "RS256"}, claims, own, algorithms=["RS256"])
    unsigned = f"{'eyJhbGciOiJub25lIn0'}.{body}."
    tries = ["", "x", forged, unsigned, f"{header}.{body}.", f"{header}.{body}.{signature[:-4]}AAAA", text[:-10], f"{text}x"]
    tries += [text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :] for place in range(5, len(text) - 5, 40)]
    for bad in tries:
        assert requests.post(f"{tool.ours}/lti/deep-linking/", data={"JWT": bad}, timeout=10).status_code == 400
    assert not LtiLink.objects.exists()
    assert not LtiLineItem.objects.exists()
    assert teacher.onward(form).status_code == 200
    again = requests.post(f"{tool.ours}/lti/deep-linking/", data={"JWT": text}, timeout=10)
    assert again.status_code == 400
    assert LtiLink.objects.count() == 1


def test_only_those_of_the_class_see_its_tools(tool: Tool, link: LtiLink) -> None:
    public = ids.encode("lti_link", link.pk)
    for key in ("other_pupil", "far_head", "parent", "head", "west_pupil"):
        client = tool.stage.cast.client(key)
        assert client.get(f"/lti/links/{public}/").status_code == 404
        assert client.get(urlsplit(tool.class_url).path).status_code == 404
    pupil = tool.stage.cast.client("pupil")
    assert pupil.post(f"/lti/links/{public}/remove/").status_code == 404
    app_id = ids.encode("app", tool.app_id)
    assert pupil.get(f"{urlsplit(tool.class_url).path}add/{app_id}/").status_code == 404
    teacher = tool.stage.cast.client("teacher")
    assert teacher.post(f"/lti/links/{public}/remove/").status_code == 302
    assert pupil.get(f"/lti/links/{public}/").status_code == 404
    assert LtiLink.objects.get().removed_at is not None
