"""10,000 messages to twenty apps, of which one is dead and one answers by drops: do the good ones wait for them?

The receivers are processes of their own on loopback; the messages go the whole way, through the queue of jobs and two
lanes of one worker. Measured is until everything for the good apps is delivered: once with twenty good apps, once with two
of them gone bad.
"""

import argparse
import subprocess
import sys
import threading
import time
from datetime import datetime

from django.core.management import call_command
from django.test import override_settings

from shuren.directory import api as directory
from shuren.directory.data import NewOrg, OrgType
from shuren.interop.data import AppCategory, AppStatus, DeliveryStatus, EventType, LaunchKind, VersionStatus
from shuren.interop.models import App, AppVersion, Delivery, Vendor
from shuren.interop.services.emit import emit
from shuren.interop.services.webhook_keys import make_key
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work.api import work_forever

APPS = 20
RECEIVER = """
import socketserver, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        if self.path.startswith("/slow"):
            try:
                for _ in range(600):
                    self.send_header("X-More", "1"); self.flush_headers(); time.sleep(0.5)
            except OSError:
                return
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
"""


def main(options: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench webhooks")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seconds", type=int, default=900, help="when to give up")
    given = parser.parse_args(options)
    call_command("migrate", verbosity=0)
    receiver = subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True)
    assert receiver.stdout is not None
    port = int(receiver.stdout.readline())
    try:
        with override_settings(SHUREN_PRIVATE_TARGETS=["127.0.0.1/32"]):
            app_ids = _apps(port)
            for bad, label in ((0, "all apps answer"), (2, "one is dead, one answers by drops")):
                if bad:
                    AppVersion.objects.filter(app_id=app_ids[0]).update(webhook_url="http://127.0.0.1:1/hook")
                    AppVersion.objects.filter(app_id=app_ids[1]).update(webhook_url=f"http://127.0.0.1:{port}/slow")
                _round(app_ids, app_ids[bad:], given.messages, given.seconds, label)
    finally:
        receiver.terminate()


def _apps(port: int) -> list[int]:
    now = clock.now()
    directory.add_org(actor=SYSTEM, org=NewOrg(parent_id=None, type=OrgType.CITY, name="台架市"), now=now)
    org = directory.root_org()
    assert org is not None
    vendor = Vendor.objects.create(name="台架", org_id=org.id, org_path=org.path, registered_at=now)
    return [_app(vendor, f"http://127.0.0.1:{port}/hook", now) for _turn in range(APPS)]


def _app(vendor: Vendor, url: str, now: datetime) -> int:
    app = App.objects.create(vendor=vendor, name="台架应用", status=AppStatus.ACTIVE, created_at=now)
    app.current = AppVersion.objects.create(
        app=app,
        number=1,
        status=VersionStatus.APPROVED,
        name=app.name,
        name_en="Bench",
        category=AppCategory.HOMEWORK_ASSESSMENT,
        kind=LaunchKind.OIDC,
        launch_url=url,
        webhook_url=url,
        events=[EventType.PERSON_CHANGED.value],
        content_hash="0" * 64,
        changed_at=now,
    )
    app.save(update_fields=["current"])
    make_key(app=app, actor=SYSTEM, now=now)
    return app.pk


def _round(app_ids: list[int], good: list[int], messages: int, seconds: int, label: str) -> None:
    began = time.perf_counter()
    for number in range(messages):
        emit(
            app_id=app_ids[number % len(app_ids)],
            event=EventType.PERSON_CHANGED,
            subject=f"person:{number}",
            data={"person_id": str(number)},
            key=f"{label}:{number}",
            now=clock.now(),
        )
    emitted = time.perf_counter() - began
    is_over = threading.Event()
    worker = threading.Thread(target=work_forever, kwargs={"stop": is_over.is_set})
    began = time.perf_counter()
    worker.start()
    waiting = Delivery.objects.filter(app_id__in=good, status=DeliveryStatus.WAITING)
    while waiting.exists() and time.perf_counter() - began < seconds:
        time.sleep(0.2)
    took, left = time.perf_counter() - began, waiting.count()
    is_over.set()
    worker.join()
    share = messages * len(good) // len(app_ids) - left
    print(f"{label:<40} {share:7,} delivered in {took:6.1f} s  {share / took:6.0f} /s  (put in: {emitted:.1f} s)", flush=True)
    if left:
        sys.exit(f"{left} messages for good apps were still waiting")
