"""`shuren client`: what it prints opens the learning record service, as far as its scopes say, until it is stopped."""

import base64
from uuid import uuid4

from click.testing import CliRunner
from django.test import Client

from shuren.front.cli.client import command

STATEMENT = {
    "actor": {"mbox": "mailto:a@example.org"},
    "verb": {"id": "https://example.org/read"},
    "object": {"id": "https://example.org/book"},
}


def run(*words: str) -> str:
    return CliRunner().invoke(command, list(words), catch_exceptions=False).output


def test_a_key_pair_is_made_used_and_stopped(db: None) -> None:
    client_id, secret = (line.split()[1] for line in run("add", "练习", "--scope", "statements/write").splitlines())
    basic = "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {"authorization": basic, "x-experience-api-version": "1.0.3"}

    def put() -> int:
        url = f"/xapi/statements?statementId={uuid4()}"
        return Client().put(url, STATEMENT, content_type="application/json", headers=headers).status_code

    assert put() == 204
    assert Client().get("/xapi/statements", headers=headers).status_code == 403
    assert "shut out" in run("stop", client_id)
    assert put() == 401
    assert "Invalid value" in run("add", "练习", "--scope", "everything")
