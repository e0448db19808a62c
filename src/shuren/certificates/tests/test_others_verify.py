"""Certificates under somebody else's implementation: the verifier of Digital Bazaar, run by node."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cast import Cast

from shuren.certificates.models import Certificate
from shuren.certificates.rules import jsonld
from shuren.certificates.selectors.certificates import credential_of
from shuren.certificates.selectors.issuer import issuer_document
from shuren.certificates.services.present import record_of, status_list

FRONTEND = Path(__file__).resolve().parents[4] / "frontend"
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


def outcome(credential: dict[str, Any], issuer: dict[str, Any]) -> dict[str, Any]:
    contexts = {url: jsonld._context(name) for url, name in jsonld._FILES.items()}
    said = json.dumps({"credential": credential, "issuer": issuer, "contexts": contexts})
    run = subprocess.run(
        ["node", str(FRONTEND / "tests" / "verify-credential.mjs")],
        input=said,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    return dict(json.loads(run.stdout))


def test_others_find_our_certificates_good_and_changed_ones_bad(cast: Cast, certificate_id: int) -> None:
    row = Certificate.objects.select_related("version").get(pk=certificate_id)
    credential = credential_of(row)
    issuer = issuer_document(cast.orgs["school"].public_id)
    found = outcome(credential, issuer)
    assert found["verified"], found
    changed = {**credential, "credentialSubject": {**credential["credentialSubject"], "narrative": "特等奖"}}
    assert not outcome(changed, issuer)["verified"]
    root = issuer_document(cast.orgs["province"].public_id)
    for document in (status_list(row.status_list_id, now=cast.now), record_of([row], holder_name="张三", now=cast.now)):
        found = outcome(document, root)
        assert found["verified"], found
