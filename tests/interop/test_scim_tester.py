"""The suite of scim2-tester against a real server, with a token fetched at its door."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from scim2_client.client import BaseSyncSCIMClient
from scim2_tester import Status, check_server

from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.standards.api import load_registry
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


class Peer(BaseSyncSCIMClient):
    """The client of scim2-tester over the wire."""

    def __init__(self, base: str, token: str) -> None:
        super().__init__()
        self.base = base
        self.line = requests.Session()
        self.line.headers["Authorization"] = f"Bearer {token}"

    def _stays_under_base_url(self, endpoint: str) -> bool:
        return self.address(endpoint).startswith(self.base)

    def _parse_json(self, response: Any) -> Any:
        return response.json()

    def address(self, url: str) -> str:
        return url if "://" in url else f"{self.base}/{url.lstrip('/')}"

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        return self.line.request(method, self.address(url), timeout=60, **more)


@pytest.fixture
def peer(cast: Cast, live_server: Any) -> Iterator[Peer]:
    load_registry()
    new = NewClient(
        name="人事系统",
        grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
        scopes=frozenset({"scim.people"}),
        is_first_party=True,
        org_id=cast.orgs["school"].id,
    )
    made = identity.register_client(actor=SYSTEM, client=new, now=clock.now())
    answer = requests.post(
        f"{live_server.url}/oauth/token/",
        data={"grant_type": "client_credentials", "scope": "scim.people"},
        auth=(made.client_id, made.client_secret),
        timeout=20,
    )
    assert answer.status_code == 200, answer.text
    client = Peer(f"{live_server.url}/scim/v2", answer.json()["access_token"])
    yield client
    client.line.close()


def test_the_server_passes_scim2_tester(peer: Peer) -> None:
    results = check_server(peer)
    failed = [
        f"{one.title} {one.resource_type}: {one.reason}" for one in results if one.status in (Status.ERROR, Status.CRITICAL)
    ]
    assert failed == []
    assert sum(one.status is Status.SUCCESS for one in results) >= 40
