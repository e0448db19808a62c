"""Run as a program: `python -m tests.faults.writers THREADS WRITES` writes from many threads at once and counts the failures."""

import json
import os
import sys
import threading

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
django.setup()

from django.db import DatabaseError, connection, transaction  # noqa: E402  # after django.setup

from shuren.kernel import audit, events  # noqa: E402
from shuren.kernel.data import SYSTEM  # noqa: E402
from shuren.kernel.models import AuditEntry, Event  # noqa: E402


def write(number: int, writes: int, gate: threading.Barrier, faults: list[str]) -> None:
    gate.wait()
    for turn in range(writes):
        try:
            with transaction.atomic():
                # A read before the write is what makes a deferred transaction fail to upgrade its lock.
                AuditEntry.objects.count()
                audit.record(actor=SYSTEM, action="kernel.tried", target=f"writer:{number}", details={"turn": turn})
                events.publish("kernel.tried", {"writer": number, "turn": turn})
        except DatabaseError as error:
            faults.append(str(error))
    connection.close()


def main(threads: int, writes: int) -> None:
    gate, faults = threading.Barrier(threads), []
    crowd = [threading.Thread(target=write, args=(number, writes, gate, faults)) for number in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    found = {"faults": faults, "entries": AuditEntry.objects.count(), "events": Event.objects.filter(name="kernel.tried").count()}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
