"""Ids of rows that were not read from a roster."""

import uuid


def fresh_sourced_id() -> str:
    """An id no outside roster will bring: OneRoster recommends GUIDs."""
    return str(uuid.uuid4())
