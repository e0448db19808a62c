"""A client of the learning record service as its developer would write it."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.test import Client as Browser

from shuren.identity import api as identity
from shuren.identity.data import GrantType, NewClient
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM

OLD, NEW = "1.0.3", "2.0.0"
ACTIVITY = "https://example.org/activities/fractions"
AGENT = {"objectType": "Agent", "mbox": "mailto:pupil@example.org"}


@dataclass
class LrsClient:
    """`call` sends one request by HTTP Basic in one version; None leaves a header out."""

    client_id: str
    secret: str
    version: str | None = NEW
    base: str = "/xapi/"
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()

    def call(
        self,
        method: str,
        path: str,
        params: dict[str, Any] | None = None,
        body: Any = b"",
        content_type: str = "application/json",
        **headers: str | None,
    ) -> Any:
        query = {key: json.dumps(value) if isinstance(value, dict) else value for key, value in (params or {}).items()}
        sent: dict[str, str | None] = {"authorization": self.basic, "x-experience-api-version": self.version, **self.headers}
        sent |= {key.replace("_", "-"): value for key, value in headers.items()}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Browser().generic(
            method,
            self.base + path + ("?" + urlencode(query) if query else ""),
            content,
            content_type=content_type,
            headers={key: value for key, value in sent.items() if value is not None},
        )


def new_client(*scopes: str, version: str | None = NEW, **changed: Any) -> LrsClient:
    """A client of the house in its own name, with these scopes."""
    facts = {"is_first_party": True, **changed}
    client = NewClient(
        name="练习",
        grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
        scopes=frozenset(scopes or {"all"}),
        **facts,
    )
    found = identity.register_client(actor=SYSTEM, client=client, now=clock.now())
    return LrsClient(found.client_id, found.client_secret, version)
