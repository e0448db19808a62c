"""Onboarding by program: the walk of the handbook with curl, and who is turned away."""

import base64
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from shuren.identity import api as identity
from shuren.interop.models import App
from shuren.interop.tests.conftest import Stage, VendorServer, png
from shuren.interop.tests.test_chain import listed_app
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM, Actor
from shuren.work import api as work

HANDBOOK = Path(__file__).resolve().parents[4] / "docs" / "howto" / "offer-an-app.md"
PASSWORD = "walk-2026-by-program"


def blocks(kind: str) -> list[str]:
    found = HANDBOOK.read_text().split("## By program")[1]
    return re.findall(rf"```{kind}\n(.*?)```", found, flags=re.DOTALL)


def entry(url: str) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(blocks("json")[0].replace("https://app.example.cn", url))
    return said | {"icon": base64.b64encode(png()).decode()}


def username(person: Actor) -> str:
    assert person.person_id is not None
    identity.set_password(actor=SYSTEM, person_id=person.person_id, password=PASSWORD, must_change=False, now=clock.now())
    return identity.accounts_of_people([person.person_id])[person.person_id].username


def signed_in(person: Actor) -> Client:
    client = Client()
    client.post("/sign-in/", {"username": username(person), "password": PASSWORD})
    return client


@pytest.mark.django_db(transaction=True)
def test_the_walk_of_the_handbook_leads_to_an_approval_asked_for(
    stage: Stage, server: VendorServer, live_server: Any, tmp_path: Path
) -> None:
    (tmp_path / "entry.json").write_text(json.dumps(entry(server.url)))
    first, second = blocks("bash")
    first = first.replace("https://region.example.cn", live_server.url)
    given = {"USERNAME": username(stage.vendor), "PASSWORD": PASSWORD, "BRANCH": stage.cast.orgs["city"].public_id}
    words = ["bash", "-eu", "-c", f"{first}\necho '\"paused\"'; read -r _go\n{second}"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=os.environ | given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as walk:
        assert walk.stdout is not None
        assert walk.stdin is not None
        before = []
        for line in walk.stdout:
            if line.strip() == '"paused"':
                break
            before.append(json.loads(line))
        elements, branches, accounts, secret, key, begun = before
        assert "person.name" in {row["code"] for row in elements}
        assert given["BRANCH"] in {row["id"] for row in branches}
        assert len(accounts) == 7
        assert begun["status"] == "waiting"
        server.control(key=key["key"], client_id=secret["client_id"])
        work.run_pending()
        walk.stdin.write("\n")
        walk.stdin.flush()
        found, laid, stands = [json.loads(line) for line in walk.stdout]
    assert (found["status"], [step["key"] for step in found["steps"] if not step["is_passed"]]) == ("passed", [])
    assert (laid["version_status"], laid["submissions"][0]["decision"]) == ("submitted", None)
    assert stands == laid
    assert stands["is_listed"] is False
    assert stands["entry"]["wishes"] == [{"element": "person.name", "purpose": "teaching", "reason": "在作业本上显示姓名"}]


@pytest.mark.django_db
def test_faults_are_named_and_what_is_others_stays_theirs(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    mine, theirs = signed_in(stage.vendor), signed_in(stage.rival)
    nobody = stage.cast.client("city_officer")
    address = f"/api/v1/developer/apps/{ids.encode('app', app_id)}"
    said = entry(server.url)

    def put(client: Client, **changes: Any) -> Any:
        return client.put(address, data=said | changes, content_type="application/json")

    assert put(theirs).status_code == 404
    assert put(nobody).status_code == 404
    assert nobody.post("/api/v1/developer/apps", data=said, content_type="application/json").status_code == 403
    for change in ({"name": "x"}, {"launch_url": "ftp://x"}, {"wishes": [{**said["wishes"][0], "reason": ""}]}, {"icon": "%"}):
        answer = put(mine, **change)
        assert answer.status_code == 400, change
        assert answer.json()["error"]["message"]
    assert put(mine, category="games").status_code == 422
    assert put(mine, icon="").json()["entry"]["icon"] == said["icon"], "left empty it keeps the one at hand"
    assert mine.get(address).json()["version"] == 2, "a listed app begins its next version"
    assert mine.post(f"{address}/submissions/{stage.cast.orgs['city'].public_id}").status_code == 409, "not tested yet"
    assert mine.get(f"{address}/conformity").status_code == 404
    assert [row["id"] for row in mine.get("/api/v1/developer/apps").json()["rows"]] == [ids.encode("app", app_id)]
    assert theirs.get("/api/v1/developer/apps").json()["rows"] == []
    assert App.objects.count() == 1
