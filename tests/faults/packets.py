"""A county reports to its city, two houses with a database, a folder and keys of their own, and again and again one of them
is struck: while a packet is made and sent, while it is held and landed, while its receipt is taken.

`serve` and worker of the city are one process, which ends after what came is landed. After every stroke both houses are looked
at from outside; then they go on, and what was struck comes to its end.
"""

import os
import select
import socket
from collections import Counter
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings

from shuren.conf.wsgi import application
from shuren.datahub import api as datahub
from shuren.datahub.data import Carriage, DatasetSpec
from shuren.datahub.models import ExchangeAgreement, ExchangeLetter, ExchangeNode
from shuren.datahub.services.exchange import call_node
from shuren.datahub.services.exchange.agree import accept_agreement, offer_agreement
from shuren.datahub.services.exchange.duty import set_report_duty
from shuren.datahub.services.exchange.exchange_with import exchange_with
from shuren.datahub.services.exchange.hold import TAKE_JOB
from shuren.datahub.services.exchange.introduce import introduce_node, invite_node
from shuren.datahub.services.exchange.keep_node import trust_node
from shuren.datahub.services.exchange.take_letter import take_letter
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.work import api as work
from shuren.work.models import Job
from tests.faults.houses import House
from tests.faults.installation import Installation
from tests.faults.moments import Child, Moment, Outcome, moments

NAME, LANDED = "faults.report", "received.faults_report"
YEARS, ROWS = (2025, 2026), 300
# A packet of some sixty thousand bytes goes in several parts.
PART = 12_000
PATIENCE = 12


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the one it replaces
        """The words of this process are its answers."""


def told_to_stop(child: Child, server: Any) -> bool:
    ready, _writing, _wrong = select.select([server, child.stop_reading], [], [])
    return server not in ready


class Node(House):
    """One of the two."""

    def __init__(self, installation: Installation, kind: OrgType, name: str, url: str) -> None:
        super().__init__(installation)
        self.kind, self.name, self.url = kind, name, url

    def enter(self) -> None:
        super().enter()
        settings.SHUREN_PUBLIC_URL, settings.SHUREN_PRIVATE_TARGETS = self.url, ["127.0.0.0/8"]
        call_node.CHUNK = PART

    def takes_its_turn(self, moment: Moment | None) -> Outcome:
        """With the node that it knows; the minutes between two turns pass at once."""

        def counted(child: Child) -> str:
            self.enter()
            ExchangeAgreement.objects.update(prepared_at=None)
            child.counting.begin()
            return exchange_with(ExchangeNode.objects.get().pk, now=clock.now())

        child = Child(counted, moment, self.folders)
        child.stop()
        return child.end()

    def opened(self, moment: Moment | None) -> Child:
        """The house answers calls until it is told to stop, and then lands what came."""

        def answer(child: Child) -> None:
            self.enter()
            # What else a house does in the background is struck elsewhere; here half a minute passes at once.
            Job.objects.exclude(name=TAKE_JOB).delete()
            Job.objects.update(lease_until=clock.now() - timedelta(seconds=1), run_after=clock.now())
            port = int(self.url.rpartition(":")[2])
            with make_server("127.0.0.1", port, application, handler_class=Quiet) as server:
                child.say("open")
                child.counting.begin()
                while not told_to_stop(child, server):
                    server.handle_request()
            work.run_pending(limit=1)

        child = Child(answer, moment, self.folders)
        assert child.hear() == "open"
        return child


def officer() -> Actor:
    (person,) = directory.people_by_ids([1]).values()
    return Actor(person_id=person.id, account_id=None, name="officer")


def founded(kind: str, name: str) -> None:
    now = clock.now()
    org = directory.add_org(actor=SYSTEM, org=NewOrg(parent_id=None, type=OrgType(kind), name=name), now=now).id
    person = directory.add_person(actor=SYSTEM, person=NewPerson(name="officer", is_synthetic=True), now=now).id
    role = Role.COUNTY_OFFICER if kind == OrgType.COUNTY else Role.CITY_OFFICER
    directory.affiliate(actor=SYSTEM, person_id=person, org_id=org, role=role, begin_date=clock.day_of(now), now=now)


def letter_written(kind: str) -> str:
    return ExchangeLetter.objects.filter(kind=kind).latest("pk").text


def invites() -> str:
    return invite_node(actor=officer(), now=clock.now())


def introduces(invitation: str) -> str:
    introduce_node(actor=officer(), text=invitation, now=clock.now())
    return letter_written("card")


def trusts(carriage: Carriage) -> None:
    node = ExchangeNode.objects.get()
    spoken = node.fingerprint[-8:]
    trust_node(actor=officer(), node_id=node.pk, spoken=spoken, org_id=None, carriage=carriage, now=clock.now())


def offers(card: str) -> list[str]:
    """The card is answered, the node trusted, and an agreement offered on a duty to report."""
    now = clock.now()
    take_letter(card, now=now)
    trusts(Carriage.CALL)
    root = directory.root_org()
    assert root is not None
    datahub.offer_dataset(DatasetSpec(NAME, ("year",), "上报样例", "L2", f"org:{root.id}"))
    writes(0)
    ends = clock.day_of(now) + timedelta(days=20)
    duty = set_report_duty(
        actor=officer(), dataset=NAME, ground="统计法", masks={"mark": "none", "word": "none"}, ends_on=ends, now=now
    )
    node = ExchangeNode.objects.get()
    offer_agreement(actor=officer(), node_id=node.pk, duty=duty, every_minutes=5, ends_on=ends, now=now)
    return [letter_written("card"), letter_written("offer")]


def accepts(card: str, offer: str) -> str:
    take_letter(card, now=clock.now())
    trusts(Carriage.WAIT)
    take_letter(offer, now=clock.now())
    accept_agreement(actor=officer(), agreement_id=ExchangeAgreement.objects.get().pk, now=clock.now())
    return letter_written("answer")


def takes(letter: str) -> None:
    take_letter(letter, now=clock.now())


def writes(version: int) -> None:
    for year in YEARS:
        words = [os.urandom(50).hex() for _row in range(ROWS)]
        rows = pa.table({"mark": pa.array([version] * ROWS, pa.int32()), "word": words})
        datahub.write_partition(NAME, {"year": year}, rows, actor=SYSTEM, now=clock.now())


_PACKETS = "SELECT number, digest, state, answer FROM datahub_exchangepacket ORDER BY id"
_CHAIN = "SELECT number, chain FROM datahub_exchangeagreement"
_SNAPSHOTS = "SELECT t.partition, t.file, t.sha256, t.is_current FROM datahub_storedsnapshot t JOIN datahub_dataset d"
_SNAPSHOTS += " ON d.id = t.dataset_id WHERE d.name = '{}'"
_AUDITED = "SELECT count(*) FROM kernel_auditentry WHERE action = 'datahub.packet_{}'"
_LOGGED = "SELECT count(*) FROM trust_logentry WHERE subject LIKE 'exchange_packet:%'"


class Region:
    """Both houses, and what was seen of them."""

    def __init__(self, county: Node, city: Node) -> None:
        self.county, self.city = county, city
        self.version, self.acknowledged = 0, -1
        self.wrong: list[str] = []

    def introduce(self) -> None:
        for house in (self.county, self.city):
            house.does(founded, house.kind.value, house.name)
        card = self.city.does(introduces, self.county.does(invites).answer).answer
        self.county.does(takes, self.city.does(accepts, *self.county.does(offers, card).answer).answer)

    def is_settled(self) -> bool:
        return not [row for row in self.county.rows(_PACKETS) if row[2] == "ready"] and self.acknowledged == self.version

    def turn(self, sending: Moment | None = None, landing: Moment | None = None) -> tuple[Outcome, Outcome]:
        """The county's turn beside the open city, which then lands what it was given."""
        city = self.city.opened(landing)
        sent = self.county.takes_its_turn(sending)
        city.stop()
        landed = city.end()
        self.look()
        return sent, landed

    def write(self) -> None:
        self.version += 1
        self.county.does(writes, self.version)

    def settle(self) -> None:
        """As many turns as it takes; more than PATIENCE are wrong."""
        for _turn in range(PATIENCE):
            if self.is_settled():
                return
            self.turn()
        self.wrong.append(f"version {self.version} never came to its end: {self.county.rows(_PACKETS)[-2:]}")

    def look(self) -> None:
        """Whatever does not agree between the two, or would be seen by half."""
        packets, landed = self.county.rows(_PACKETS), [row for row in self.city.rows(_PACKETS) if row[2] == "landed"]
        answers = {digest: answer for _number, digest, _state, answer in landed}
        receipts = {digest: answer for _number, digest, state, answer in packets if state == "acknowledged"}
        if not receipts.items() <= answers.items():
            self.wrong.append("a receipt here is of a packet that is not there")
        if len(self.city.rows(_PACKETS)) != len(landed) or {state for *_told, state, _answer in packets} & {"refused"}:
            self.wrong.append("a packet was refused")
        last = landed[-1][:2] if landed else (0, "")
        if self.city.rows(_CHAIN) != [last] or [number for number, *_rest in landed] != list(range(1, len(landed) + 1)):
            self.wrong.append(f"the chain is {self.city.rows(_CHAIN)} behind {[row[:2] for row in landed]}")
        for house, act, count in ((self.city, "landed", len(landed)), (self.county, "acknowledged", len(receipts))):
            told = [house.rows(_AUDITED.format(act)), house.rows(_LOGGED)]
            if told != [[(count,)]] * 2:
                self.wrong.append(f"{act}: {count} packets, told {told}")
        self.acknowledged = (
            max((self.seen(len(landed)), self.acknowledged)) if len(receipts) == len(landed) else self.acknowledged
        )

    def seen(self, landed: int) -> int:
        """The version that a reader in the city sees, of which every partition must be."""
        marks, times = Counter[int](), Counter[str]()
        for partition, file, digest, is_current in self.city.rows(_SNAPSHOTS.format(LANDED)):
            data = (self.city.installation.folder / "lake" / file).read_bytes()
            times[partition] += 1
            if sha256(data).hexdigest() != digest:
                self.wrong.append(f"{file} is torn")
            elif is_current:
                marks.update(pq.ParquetFile(pa.BufferReader(data)).read(columns=["mark"], use_threads=False)["mark"].to_pylist())
        version, count = next(iter(marks.items()), (-1, 0))
        if len(marks) > 1 or (count != ROWS * len(YEARS) and landed) or version < self.acknowledged:
            self.wrong.append(f"a reader sees {dict(marks)} where {self.acknowledged} was acknowledged")
        if set(times.values()) - {landed}:
            self.wrong.append(f"{landed} packets landed {dict(times)} times")
        return version

    def left_over(self) -> list[str]:
        return [str(path) for house in (self.county, self.city) for path in house.files() if "exchange" in path.parts]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def strike(empty: House, folder: Path, count: int) -> dict[str, object]:
    """So many moments on both sides; what was struck and what was wrong."""
    here, there = (empty.installation.copy(folder / name) for name in ("county", "city"))
    county = Node(here, OrgType.COUNTY, "东湖区", "http://127.0.0.1:1")
    region = Region(county, Node(there, OrgType.CITY, "临江市", f"http://127.0.0.1:{free_port()}"))
    region.introduce()
    region.settle()
    # Undisturbed once more, to know how many steps there are.
    region.write()
    (sent, landed), (receipt, _again) = region.turn(), region.turn()
    each, struck = count // 3, 0
    plan = [moments(each, last=one.steps) for one in (sent, landed, receipt)]
    for sending, landing, taking in zip(*plan, strict=True):
        region.write()
        for strokes in ((sending, None), (None, landing), (taking, None)):
            struck += sum(one.is_struck for one in region.turn(*strokes))
        region.settle()
    if not region.is_settled() or region.version != each + 1 or region.left_over():
        region.wrong.append(f"not settled: {region.left_over()}")
    for house in (region.county, region.city):
        house.installation.remove()
    return {"steps": [sent.steps, landed.steps, receipt.steps], "struck": struck, "faults": region.wrong}
