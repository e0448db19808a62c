"""Partitions are archived, called back and destroyed one after another, and again and again whoever does it is struck.

After every stroke a partition is where it was, or where it was to go to: in the lake, in the archive, or destroyed with a
certificate; never in neither, never half.
"""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pyarrow as pa

from shuren.datahub import api as datahub
from shuren.datahub.data import DatasetSpec, LifeCycle, LifeCycleEnd, LifeCycleStart
from shuren.datahub.models import ArchivedPartition, Destruction
from shuren.datahub.selectors.destruction_certificates import verdict_of_destruction
from shuren.datahub.services.life_cycle.archive import archive_partition
from shuren.datahub.services.life_cycle.decide import approve_destruction, propose_destruction
from shuren.datahub.services.life_cycle.destroy import carry_out_destruction
from shuren.datahub.services.life_cycle.plan import follow_life_cycles
from shuren.datahub.services.life_cycle.recall import put_back, recall_archive
from shuren.datahub.services.life_cycle.set_rule import set_life_cycle
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from tests.faults.houses import House
from tests.faults.moments import Moment, moments

NAME, ROWS = "faults.living", 40
RULE = LifeCycle(
    basis="shortest", counted_from=LifeCycleStart.PARTITION, in_use_days=200, then=LifeCycleEnd.DESTROY, archived_days=None
)
_LAKE = "SELECT file, sha256, is_current FROM datahub_storedsnapshot WHERE partition = 'year={year}'"
_ARCHIVE = "SELECT f.file, f.stored_sha256, p.state FROM datahub_archivedfile f JOIN datahub_archivedpartition p"
_ARCHIVE += " ON p.id = f.archive_id WHERE p.partition = 'year={year}' AND p.destroyed_at IS NULL"
_ENDED = "SELECT state, number FROM datahub_destruction ORDER BY id DESC LIMIT 1"
_TOLD = "SELECT count(*) FROM kernel_auditentry WHERE action = 'datahub.{act}'"


def officers() -> list[Actor]:
    return [Actor(person_id=id, account_id=None, name="officer") for id in (1, 2)]


def founded() -> None:
    now = clock.now()
    org = directory.add_org(actor=SYSTEM, org=NewOrg(parent_id=None, type=OrgType.COUNTY, name="东湖区"), now=now).id
    for name in ("甲", "乙"):
        person = directory.add_person(actor=SYSTEM, person=NewPerson(name=name, is_synthetic=True), now=now).id
        begun = clock.day_of(now)
        directory.affiliate(actor=SYSTEM, person_id=person, org_id=org, role=Role.COUNTY_OFFICER, begin_date=begun, now=now)
    datahub.offer_dataset(DatasetSpec(NAME, ("year",), "到期样例", "L3", f"org:{org}"))
    set_life_cycle(actor=officers()[0], dataset=NAME, told=RULE, now=now)


def writes(year: int) -> None:
    """Twice, so that there is a past that the archive does not take and a destruction does."""
    for mark in (1, 2):
        rows = pa.table({"mark": pa.array([mark] * ROWS, pa.int16())})
        datahub.write_partition(NAME, {"year": year}, rows, actor=SYSTEM, now=clock.now())


def archives(year: int) -> bool:
    return archive_partition(NAME, f"year={year}", now=clock.now()) is not None


def calls_back(year: int) -> None:
    row = ArchivedPartition.objects.get(partition=f"year={year}")
    now = clock.now()
    recall_archive(actor=officers()[0], archive_id=row.pk, reason="核对", until=clock.day_of(now) + timedelta(days=9), now=now)


def puts_back(year: int) -> bool:
    return put_back(archive_id=ArchivedPartition.objects.get(partition=f"year={year}").pk, now=clock.now())


def decides(_year: int) -> None:
    # Nobody still uses what was called back: its day has passed.
    now = clock.now() + timedelta(days=20)
    follow_life_cycles(now=now)
    row = Destruction.objects.latest("pk")
    first, second = officers()
    propose_destruction(actor=first, destruction_id=row.pk, ground="到期", now=now)
    approve_destruction(actor=second, destruction_id=row.pk, now=now)


def destroys(_year: int) -> bool:
    # Later than a file that a kill left could still be one that is being written.
    row = Destruction.objects.latest("pk")
    return carry_out_destruction(destruction_id=row.pk, now=clock.now() + timedelta(days=20)) == "done"


def is_certified() -> bool:
    return verdict_of_destruction(Destruction.objects.latest("pk")).is_good


class Keeper:
    """The lake and its archive, seen from outside."""

    def __init__(self, house: House) -> None:
        self.house, self.wrong, self.struck = house, list[str](), 0

    def where(self, year: int) -> str:
        """In the `lake`, in the `archive`, `gone`, or `nowhere`."""
        current = [row for row in self.house.rows(_LAKE.format(year=year)) if row[2]]
        archived = self.house.rows(_ARCHIVE.format(year=year))
        for file, digest, _told in [*current, *archived]:
            path = self.house.installation.folder / "lake" / file
            if not path.is_file() or sha256(path.read_bytes()).hexdigest() != digest:
                self.wrong.append(f"{year}: {file} is missing or torn")
        if current:
            return "lake"
        if archived:
            return "archive" if {state for *_file, state in archived} <= {"archived", "called"} else "nowhere"
        ((state, number),) = self.house.rows(_ENDED) or [("", "")]
        left = [path for path in self.house.files() if f"/year={year}/" in path.as_posix()]
        if (state == "done") != (number is not None) or (state == "done" and left):
            self.wrong.append(f"{year}: {state} {number} beside {left}")
        return "gone" if state in ("running", "done") else "nowhere"

    def step(self, year: int, act: Callable[[int], bool], moment: Moment | None, *, before: str, after: str, told: str) -> int:
        """Struck, looked at, brought to its end, looked at again; returns how many steps it came to."""
        ((count,),) = self.house.rows(_TOLD.format(act=told))
        outcome = self.house.does(act, year, moment=moment)
        if self.where(year) not in (before, after):
            self.wrong.append(f"{year}: {moment}: {self.where(year)} between {before} and {after}")
        if self.where(year) == before or act is destroys:
            self.house.does(act, year)
        if self.where(year) != after or self.house.rows(_TOLD.format(act=told)) != [(count + 1,)]:
            self.wrong.append(f"{year}: {moment}: {self.where(year)} and not {after}")
        self.struck += outcome.is_struck
        return outcome.steps

    def life(self, year: int, archiving: Moment | None, returning: Moment | None, ending: Moment | None) -> list[int]:
        self.house.does(writes, year)
        steps = [self.step(year, archives, archiving, before="lake", after="archive", told="partition_archived")]
        self.house.does(calls_back, year)
        steps.append(self.step(year, puts_back, returning, before="archive", after="lake", told="partition_recalled"))
        self.house.does(decides, year)
        steps.append(self.step(year, destroys, ending, before="lake", after="gone", told="data_destroyed"))
        if not self.house.does(is_certified).answer:
            self.wrong.append(f"{year}: no good certificate")
        return steps


def strike(empty: House, folder: Path, count: int) -> dict[str, object]:
    """So many moments of all three; what was struck and what was wrong."""
    house = House(empty.installation.copy(folder / "keeper"))
    house.does(founded)
    keeper = Keeper(house)
    steps = keeper.life(2000, None, None, None)
    for number, plan in enumerate(zip(*(moments(count // 3, last=last) for last in steps), strict=True)):
        keeper.life(2001 + number, *plan)
    house.installation.remove()
    return {"steps": steps, "struck": keeper.struck, "faults": keeper.wrong}
