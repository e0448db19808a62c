"""The cast of interop's tests: the portal's cast, one vendor with its account, and the vendor's app as a process."""

import json
import struct
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.cast import Cast, build_cast, forget_news

from shuren.identity import api as identity
from shuren.interop.data import AppCategory, Applicant, DataPurpose, DataWish, Entry, EventType, LaunchKind
from shuren.interop.models import Vendor
from shuren.interop.selectors.vendors import vendor_row_of_token
from shuren.interop.services import count_calls
from shuren.interop.services.register_vendor import decide_vendor, register_vendor
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.standards.api import load_registry
from shuren.standards.data import Grade

ISSUER = "https://region.example.cn"


def png(side: int = 128, height: int | None = None) -> bytes:
    """A plain square picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    height = height or side
    header = struct.pack(">IIBBBBB", side, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * (side + 1) * height))
        + chunk(b"IEND", b"")
    )


@dataclass(frozen=True)
class VendorServer:
    """The vendor's app as it runs."""

    url: str

    def control(self, **state: object) -> None:
        urllib.request.urlopen(f"{self.url}/control?{urlencode(state)}", timeout=5).read()

    def seen(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/seen", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found


@pytest.fixture
def server(settings: Any) -> Iterator[VendorServer]:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("vendor_app.py"))], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    yield VendorServer(f"http://127.0.0.1:{process.stdout.readline().strip()}")
    process.terminate()
    process.wait(10)


def entry_at(url: str, **changes: Any) -> Entry:
    entry = Entry(
        name="作业小助手",
        name_en="Homework helper",
        category=AppCategory.HOMEWORK_ASSESSMENT,
        description="布置、提交和批改作业。",
        description_en="Sets, collects and marks homework.",
        kind=LaunchKind.OIDC,
        launch_url=f"{url}/start",
        redirect_uris=(f"{url}/callback",),
        logout_url=f"{url}/logout",
        webhook_url=f"{url}/hook",
        privacy_url=f"{url}/privacy",
        privacy_text="只用来布置和批改作业，不给别人，学期结束后三十天内删除。",
        events=(EventType.PERSON_CHANGED, EventType.APP_INSTALLED),
        wishes=(
            DataWish("person.name", DataPurpose.TEACHING, "在作业本上显示姓名", Grade.PUBLIC),
            DataWish("person.grade", DataPurpose.TEACHING, "按年级选作业", Grade.PUBLIC),
        ),
        icon=png(),
    )
    return replace(entry, **changes)


@dataclass
class Stage:
    """The cast, and two vendors that were approved by the city."""

    cast: Cast
    vendor: Actor
    rival: Actor

    def actor(self, key: str) -> Actor:
        return self.cast.actor(key)


def open_vendor(cast: Cast, name: str, code: str) -> Actor:
    applicant = Applicant(name=name, credit_code=code, contact_name="褚云", email="dev@example.cn")
    token = register_vendor(applicant=applicant, org_id=cast.orgs["city"].id, now=clock.now())
    row = vendor_row_of_token(token)
    Vendor.objects.filter(pk=row.pk).update(email_checked_at=clock.now())
    decide_vendor(actor=cast.actor("city_officer"), vendor_id=row.pk, is_approved=True, reason="", now=clock.now())
    return vendor_actor(Vendor.objects.get(pk=row.pk))


def vendor_actor(row: Vendor) -> Actor:
    person_id = row.members.values_list("person_id", flat=True)[0]
    account = identity.accounts_of_people([person_id])[person_id]
    return Actor(person_id=person_id, account_id=account.id, name=row.contact_name)


@pytest.fixture
def stage(db: None) -> Iterator[Stage]:
    load_registry()
    cast = build_cast()
    forget_news()
    count_calls.forget_blocks()
    yield Stage(
        cast=cast,
        vendor=open_vendor(cast, "临江智学科技有限公司", "91440101MA5CUXKJ8X"),
        rival=open_vendor(cast, "海州云课有限公司", "91440101MA5CUXKJ9Y"),
    )
    count_calls.write_counts()
    count_calls.forget_blocks()
