"""A process of its own for the tests that kill workers: `python -m shuren.work.tests.worker_process <command>`."""

import json
import sys
import threading
from datetime import timedelta

import django
from django.core.management import call_command


def main(command: str) -> None:
    django.setup()
    from shuren.kernel import events  # noqa: PLC0415  # models exist only after setup
    from shuren.kernel.models import AuditEntry, Event  # noqa: PLC0415
    from shuren.work import api  # noqa: PLC0415
    from shuren.work.models import Job  # noqa: PLC0415
    from shuren.work.services import lease, loop  # noqa: PLC0415

    lease.LEASE = timedelta(seconds=2)
    loop._periodic.clear()
    events.subscribe("work.test_happened", job="shuren.work.tests.sample_jobs.hear")
    events.subscribe("work.test_happened", job="shuren.work.tests.sample_jobs.hear_too")
    if command == "setup":
        for app in ("kernel", "work"):
            call_command("migrate", app, verbosity=0)
        for order in json.load(sys.stdin):
            if "event" in order:
                events.publish(order["event"], order["payload"])
            else:
                api.enqueue(f"shuren.work.tests.sample_jobs.{order['job']}", order["args"])
    elif command == "work":
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        api.work_forever(poll_seconds=0.05)
    elif command == "finish":
        idle = threading.Event()
        worker = threading.Thread(target=api.work_forever, kwargs={"stop": idle.is_set, "poll_seconds": 0.05})
        worker.start()
        while Event.objects.filter(dispatched_at__isnull=True).exists() or api.count_live():
            idle.wait(0.2)
        idle.set()
        worker.join()
        report = {
            "jobs": list(Job.objects.values("status", "attempt", "result", "key")),
            "audited": list(AuditEntry.objects.filter(action="work.counted").order_by("id").values_list("target", flat=True)),
        }
        sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(sys.argv[1])
