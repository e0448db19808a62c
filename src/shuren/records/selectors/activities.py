"""Reads of activities."""

import json
from typing import Any

from shuren.records.models import ActivityDefinition
from shuren.records.rules.definitions import key_of


def activity_object(iri: str) -> dict[str, Any]:
    """The Activity Object with all that is known of it; of one never heard of, its id alone (1.0.3 Communication 2.5)."""
    row = ActivityDefinition.objects.filter(key=key_of(iri)).values_list("definition", flat=True).first()
    return {"objectType": "Activity", "id": iri} | ({"definition": json.loads(row)} if row else {})


def definitions_of(iris: list[str]) -> dict[str, dict[str, Any]]:
    """The known definitions by IRI."""
    rows = ActivityDefinition.objects.filter(key__in=[key_of(iri) for iri in iris])
    return {iri: json.loads(text) for iri, text in rows.values_list("iri", "definition")}
