"""Ids of runs: UUIDs of version 7, which sort by the moment (RFC 9562)."""

import os
from datetime import datetime
from uuid import UUID


def run_id_at(moment: datetime) -> UUID:
    stamp = int(moment.timestamp() * 1000) & ((1 << 48) - 1)
    chance = int.from_bytes(os.urandom(10), "big")
    high = (stamp << 16) | 0x7000 | (chance >> 62 & 0x0FFF)
    low = (0b10 << 62) | (chance & ((1 << 62) - 1))
    return UUID(int=high << 64 | low)
