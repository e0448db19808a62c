"""A client made by openapi-python-client from our own document drives a real server."""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shuren.front.rest.root import api
from shuren.identity import api as identity
from shuren.identity.services.oauth.families import own_access_token
from shuren.interop.models import App
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.interop.tests.test_chain import install, listed_app
from shuren.kernel import clock
from tests.interop.test_app_calls import SCOPES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client_package(tmp_path: Path) -> Any:
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    made = tmp_path / "shuren_client"
    words = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(document), "--output-path", str(made)]
    words += ["--meta", "none", "--config", str(_config(tmp_path))]
    done = subprocess.run(words, check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(tmp_path))
    yield importlib.import_module("shuren_client")
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == "shuren_client"]:
        del sys.modules[name]


def _config(folder: Path) -> Path:
    path = folder / "config.yml"
    path.write_text("post_hooks: []\n")
    return path


def call(package: Any, module: str, token: str, base: str, **arguments: Any) -> Any:
    """One call by the generated function `module`."""
    client = package.AuthenticatedClient(base_url=base, token=token)
    return importlib.import_module(f"shuren_client.api.{module}").sync_detailed(client=client, **arguments)


def test_a_generated_client_reads_and_manages(stage: Stage, server: VendorServer, live_server: Any, client_package: Any) -> None:
    app_id = listed_app(stage, server, scopes=SCOPES)
    install(stage, app_id)
    found = identity.client_by_client_id(App.objects.get(pk=app_id).client_id or "")
    assert found is not None
    token = own_access_token(client_pk=found.id, scopes=SCOPES, now=clock.now())
    base = live_server.url
    orgs = call(client_package, "directory.list_orgs", token, base)
    assert orgs.status_code == 200
    assert [row.name for row in orgs.parsed.rows] == ["东湖区实验小学", "四年级1班", "四年级2班"]
    person = call(client_package, "directory.read_person", token, base, person_id=stage.cast.people["pupil"].public_id)
    assert person.status_code == 200
    far = call(client_package, "directory.read_person", token, base, person_id=stage.cast.people["far_pupil"].public_id)
    assert (far.status_code, far.parsed.error.status) == (404, 404)
    pinged = call(client_package, "webhooks.ping_webhook", token, base)
    assert pinged.status_code == 200
    log = call(client_package, "webhooks.list_deliveries", token, base)
    assert pinged.parsed.message_id in [row.message_id for row in log.parsed.rows]
    forged = call(client_package, "directory.list_orgs", "not-a-token", base)
    assert (forged.status_code, forged.parsed.error.status) == (401, 401)
