"""A program: many threads write at once, and the failures are counted."""

import json
import sys
import threading

from django.db import DatabaseError, connection, transaction

from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM
from shuren.kernel.models import AuditEntry, Event


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


def main(threads: str, writes: str) -> None:
    gate, faults = threading.Barrier(int(threads)), []
    crowd = [threading.Thread(target=write, args=(number, int(writes), gate, faults)) for number in range(int(threads))]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    found = {"faults": faults, "entries": AuditEntry.objects.count(), "events": Event.objects.filter(name="kernel.tried").count()}
    json.dump(found, sys.stdout)
