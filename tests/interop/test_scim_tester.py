"""The suite of scim2-tester against the whole server."""

from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import Status, check_server

from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.identity.services.oauth.families import own_access_token
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.standards.api import load_registry
from tests.cast import Cast


@pytest.fixture
def peer(transactional_db: None, cast: Cast, settings: Any) -> WSGISCIMClient:
    load_registry()
    settings.ALLOWED_HOSTS = ["*"]
    client = NewClient(
        name="人事系统",
        grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
        scopes=frozenset({"scim.people"}),
        is_first_party=True,
        org_id=cast.orgs["school"].id,
    )
    made = identity.register_client(actor=SYSTEM, client=client, now=clock.now())
    token = own_access_token(client_pk=made.id, scopes=("scim.people",), now=clock.now())
    return WSGISCIMClient(WSGIHandler(), base_url="http://testserver/scim/v2", headers={"Authorization": f"Bearer {token}"})


def test_the_server_passes_scim2_tester(peer: WSGISCIMClient) -> None:
    results = check_server(peer)
    failed = [
        f"{one.title} {one.resource_type}: {one.reason}" for one in results if one.status in (Status.ERROR, Status.CRITICAL)
    ]
    assert failed == []
    assert sum(one.status is Status.SUCCESS for one in results) >= 40
