"""A guardian takes consent back: what the app may read changes at once, and the app is told within the minute."""

import time
from typing import Any

import pytest
from django.test import Client

from shuren.identity import api as identity
from shuren.identity.models import Client as ClientRow
from shuren.identity.services.oauth.families import own_access_token
from shuren.interop.models import AppVersion, Installation
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.kernel import clock, ids
from shuren.work import api as work
from shuren.work.services import loop
from tests.interop.test_app_gate import Ready, ready

__all__ = ["ready"]
pytestmark = pytest.mark.django_db(transaction=True)
WITHIN_SECONDS = 60
SCOPES = ["openid", "profile", "directory.read", "webhooks"]


@pytest.fixture
def _no_periodic_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing below waits for a job that comes by the clock: there is none."""
    monkeypatch.setattr(loop, "_periodic", {})


class App:
    """The app with a pupil's token and one of its own."""

    def __init__(self, ready: Ready) -> None:
        self.ready = ready
        ClientRow.objects.filter(client_id=ready.client_id).update(scopes=SCOPES)
        AppVersion.objects.filter(app_id=ready.app_id).update(scopes=["directory.read", "webhooks"])
        self.token = ready.redeem(ready.allow(scope="openid profile")["code"]).json()["access_token"]
        client = identity.client_by_client_id(ready.client_id)
        assert client is not None
        self.own = own_access_token(client_pk=client.id, scopes=("directory.read",), now=clock.now())

    def told(self) -> dict[str, str]:
        """The child's name as each door tells it; empty where it does not."""
        pupil = self.ready.stage.cast.people["pupil"]
        me = Client().get("/oauth/userinfo/", headers={"authorization": f"Bearer {self.token}"}).json()
        roster = Client().get(f"/api/v1/people/{pupil.public_id}", headers={"authorization": f"Bearer {self.own}"}).json()
        facts = self.ready.post("introspect", token=self.token).json()
        assert facts["active"] is True, "signing in is no part of what was taken back"
        return {"userinfo": me.get("name", ""), "roster": roster.get("name", ""), "introspection": facts.get("name", "")}


def work_until_told(server: VendorServer, type_: str) -> float:
    """Run the worker as an installation does until the app's hook has the news; the seconds that took."""
    began = time.monotonic()

    def stop() -> bool:
        return bool(news(server, type_)) or time.monotonic() - began > WITHIN_SECONDS

    work.work_forever("withdrawal", stop, poll_seconds=0.05, threads=1)
    return time.monotonic() - began


def news(server: VendorServer, type_: str) -> list[dict[str, Any]]:
    return [line for line in server.seen() if line["type"] == type_]


@pytest.mark.usefixtures("_no_periodic_jobs")
def test_a_withdrawal_reaches_every_door_at_once_and_the_app_within_a_minute(
    ready: Ready, stage: Stage, server: VendorServer
) -> None:
    guardian, pupil = stage.cast.client("parent"), stage.cast.people["pupil"]
    text = Installation.objects.get(app_id=ready.app_id, ended_at__isnull=True).consent_texts[0]
    page = f"/apps/data/{pupil.public_id}/{ids.encode('consent_text', text)}/"
    assert guardian.post(page, {"decision": "given"}).status_code == 302
    app = App(ready)
    assert app.told()["userinfo"] == app.told()["roster"] == pupil.name

    began = time.monotonic()
    assert guardian.post(page, {"decision": "withdrawn"}).status_code == 302
    assert app.told() == {"userinfo": "", "roster": "", "introspection": ""}
    assert time.monotonic() - began < WITHIN_SECONDS

    assert news(server, "consent.withdrawn") == []
    assert work_until_told(server, "consent.withdrawn") < WITHIN_SECONDS
    told = news(server, "consent.withdrawn")
    assert [line["data"] for line in told] == [{"person_id": pupil.public_id, "purpose": "teaching"}]
    assert pupil.name not in str(told)
