"""A process that anchors and takes up entries until it is killed; every acknowledged entry's id goes to stdout."""

import sys
from datetime import UTC, datetime

import django

django.setup()

from shuren.trust import api  # noqa: E402  # Django must know its settings first
from shuren.trust.data import Business  # noqa: E402

NOW = datetime(2026, 11, 28, 9, 0, tzinfo=UTC)


def main() -> None:
    number = 0
    while True:
        items = ((f"run:{place}", place.to_bytes(32, "big")) for place in range(number, number + 150))
        number += 150
        for entry in api.anchor_many(business=Business.SCORE, items=items, now=NOW):
            sys.stdout.write(f"{entry}\n")
        sys.stdout.flush()
        api.grow_log(now=NOW)
        head = api.tree_head()
        assert head is not None
        sys.stdout.write(f"head {head.size} {head.root.hex()}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
