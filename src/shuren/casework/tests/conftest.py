"""The cast of casework's tests: the portal's cast, and `define`, which puts a definition into force."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from json import dumps
from typing import Any

import pytest
from tests.cast import Cast, build_cast, forget_news

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Definition, DefinitionVersion
from shuren.casework.selectors.definitions import read_spec

Define = Callable[..., Definition]


@pytest.fixture
def cast(db: None) -> Cast:
    found = build_cast()
    forget_news()
    return found


@pytest.fixture
def define(db: None) -> Define:
    """`define(kind, body)`: the definition in force, a new version where there was one, with everything it says checked."""

    def put(kind: str, body: dict[str, Any]) -> Definition:
        read_spec(DefinitionKind(kind), body)
        title = body["title"] if isinstance(body["title"], dict) else {"zh": body["title"]}
        words = {"title_zh": title["zh"], "title_en": title.get("en", ""), "status": DefinitionStatus.IN_FORCE.value}
        definition, _ = Definition.objects.update_or_create(kind=kind, key=body["key"], defaults=words)
        definition.current = DefinitionVersion.objects.create(
            definition=definition,
            number=definition.versions.count() + 1,
            body=body,
            digest=sha256(dumps(body, sort_keys=True, ensure_ascii=False, default=str).encode()).hexdigest(),
            made_at=datetime(2026, 9, 1, tzinfo=UTC),
        )
        definition.save()
        return definition

    return put
