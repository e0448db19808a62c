"""A city's installation below a province's: two real servers, a person who signs in above and is let in below."""

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests


@dataclass(frozen=True)
class Joined:
    """Where the province is, and the city's two ways in by it."""

    province: str
    granted: str
    not_granted: str


class Installation:
    """One process; the two stand at two addresses of this machine, or their cookies would be one."""

    def __init__(self, folder: Path, address: str, role: str) -> None:
        with socket.socket() as probe:
            probe.bind((address, 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://{address}:{self.port}"
        words = [sys.executable, str(Path(__file__).with_name("installation.py")), str(folder), address, str(self.port), role]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        return dict(json.loads(self.process.stdout.readline()))

    def tell(self, **facts: object) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(facts) + "\n")
        self.process.stdin.flush()
        return self.hear()

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Joined]:
    """The province gives the city two registrations: one with the scope of person numbers, one without."""
    folder = tmp_path_factory.mktemp("installations")
    province = Installation(folder / "province", "127.0.0.2", "province")
    city = Installation(folder / "city", "127.0.0.1", "city")
    above, below = province.hear(), city.hear()
    assert above["number"] == below["number"]
    doors = [f"{city.url}{door}" for door in below["doors"]]
    scopes = (["openid", "person_number"], ["openid", "profile"])
    made = province.tell(clients=[(f"{door}back/", allowed) for door, allowed in zip(doors, scopes, strict=True)])
    city.tell(upstreams=[{"address": province.url, **client} for client in made["clients"]])
    yield Joined(province.url, *doors)
    city.end()
    province.end()


def walk(session: requests.Session, url: str) -> requests.Response:
    """Follow redirects and pages that go on by themselves."""
    for _step in range(10):
        answer = session.get(url, allow_redirects=False, timeout=20)
        onward = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', answer.text)
        target = answer.headers.get("Location") or (unescape(onward.group(1)) if onward else "")
        if not target:
            return answer
        url = urljoin(url, target)
    raise AssertionError("goes in circles")


def sign_in(session: requests.Session, page: requests.Response, name: str) -> requests.Response:
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    sent = {key: unescape(value) for key, value in fields.items()} | {"username": name, "password": f"Kx9-{name}-plenty"}
    answer = session.post(page.url, sent, headers={"Referer": page.url}, allow_redirects=False, timeout=20)
    assert answer.status_code == 302, answer.text[:2000]
    return walk(session, urljoin(page.url, answer.headers["Location"]))


def answered(url: str) -> requests.Session:
    """A browser, once the server answers."""
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=requests.packages.urllib3.Retry(20, backoff_factor=0.1)))
    session.get(f"{url}/health/", timeout=20)
    return session


def test_the_number_goes_to_whom_it_was_granted(joined: Joined) -> None:
    door = joined.granted
    session = answered(joined.province)
    page = walk(session, door)
    assert page.url.startswith(f"{joined.province}/sign-in/")
    inside = sign_in(session, page, "province")
    assert inside.url.startswith(door.partition("/upstream/")[0])
    account = session.get(urljoin(door, "/account/"), timeout=20)
    assert (account.status_code, "陈立新" in account.text) == (200, True)


def test_the_number_goes_to_nobody_else(joined: Joined) -> None:
    door = joined.not_granted
    session = answered(joined.province)
    refused = walk(session, door)
    assert (refused.status_code, "没有确认您的身份" in refused.text) == (400, True)
    assert session.get(urljoin(door, "/account/"), allow_redirects=False, timeout=20).status_code == 302
