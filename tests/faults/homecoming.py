"""A house is backed up, and brought back into empty places, with strokes on the way.

A home is struck again and again while it is restored; in between nobody may begin to serve there. In the end it is what was
backed up.
"""

from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from django.conf import settings

from shuren.backups import api as backups
from shuren.datahub import api as datahub
from shuren.datahub.data import DatasetSpec
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict
from shuren.kernel.models import AuditEntry
from shuren.trust import api as trust
from shuren.trust.data import Business, DigestAlgorithm
from tests.faults.houses import House, bare_house
from tests.faults.moments import Moment, moments

IN_A_ROW = 2
SPEC = DatasetSpec("faults.kept", ("year",), "", "L1", "faults")


class Home(House):
    """Its backups go to a place beside it."""

    def __init__(self, house: House, place: Path) -> None:
        super().__init__(house.installation)
        self.place = place

    def enter(self) -> None:
        super().enter()
        settings.SHUREN_BACKUP_TARGETS, settings.SHUREN_BACKUP_PASSPHRASE = [str(self.place)], "a passphrase for tests"


def lives() -> str:
    """Rows, files, a lake with a past, an evidence log; returns the backup of all that."""
    now = clock.now()
    org = directory.add_org(actor=SYSTEM, org=NewOrg(parent_id=None, type=OrgType.SCHOOL, name="学校"), now=now)
    for number in range(20):
        person = directory.add_person(actor=SYSTEM, person=NewPerson(name=f"人{number}", is_synthetic=True), now=now)
        trust.anchor(
            business=Business.AUDIT, subject=f"person:{person.id}", digest=trust.digest(b"x", DigestAlgorithm.SHA256), now=now
        )
    trust.grow_log(now=now)
    datahub.offer_dataset(SPEC)
    for year in (2024, 2025):
        for marks in ([1] * 50, [2] * 50):
            table = pa.table({"mark": marks, "org": [org.id] * 50})
            datahub.write_partition(SPEC.name, {"year": year}, table, actor=SYSTEM, now=now)
    imports = Path(settings.DATA_DIR) / "imports"
    imports.mkdir(exist_ok=True)
    for number in range(6):
        (imports / f"{number}.xlsx").write_text(str(number) * 1000)
    return backups.back_up(actor=SYSTEM, now=now).manifest


def comes_home() -> str:
    return backups.restore(actor=SYSTEM, now=clock.now() + timedelta(seconds=1)).manifest


def is_refused() -> bool:
    """Whether nobody may serve here."""
    try:
        backups.refuse_half_restored()
    except Conflict:
        return True
    return False


def comes_home_whole() -> list[str]:
    """The restore that nobody disturbs, and what is wrong with what came back."""
    manifest = backups.restore(actor=SYSTEM, now=clock.now(), is_recorded=False).manifest
    return list(backups.proof_of(backups.read_manifest(manifest), is_migrated=False)["faults"])


def told() -> int:
    return AuditEntry.objects.filter(action="backups.restored").count()


def strike(empty: House, folder: Path, count: int) -> dict[str, object]:
    """So many moments of restores, some in a row; what was struck and what was wrong."""
    place = folder / "place"
    source = Home(House(empty.installation.copy(folder / "source")), place)
    manifest = source.does(lives).answer
    homes = [source, Home(bare_house(folder / "home"), place)]
    calm, wrong = homes[1].does(comes_home), list[str]()
    if calm.answer != manifest or homes[1].does(told).answer != 1 or homes[1].does(is_refused).answer:
        wrong.append(f"not even undisturbed: {calm}")
    plan, struck = moments(count, last=calm.steps), 0
    for start in range(0, len(plan), IN_A_ROW):
        home = Home(bare_house(folder / f"home{start}"), place)
        homes.append(home)
        hits, faults = struck_and_brought_home(home, plan[start : start + IN_A_ROW])
        struck += hits
        wrong += faults
    for home in homes:
        home.installation.remove()
    return {"steps": calm.steps, "struck": struck, "faults": wrong}


def struck_and_brought_home(home: Home, plan: list[Moment]) -> tuple[int, list[str]]:
    """How often it was struck, and what was wrong then and in the end."""
    wrong, struck, is_home = list[str](), 0, False
    for moment in plan:
        outcome = home.does(comes_home, moment=moment)
        struck += outcome.is_struck
        is_home = outcome.answer is not None
        if is_home:
            break
        if any("lake" in path.parts for path in home.files()) and not home.does(is_refused).answer:
            wrong.append(f"{moment}: it looks whole")
    if not is_home:
        wrong += [f"{plan}: {fault}" for fault in home.does(comes_home_whole).answer]
    left = [path.name for path in home.files() if "restoring" in path.name]
    if left or home.does(is_refused).answer:
        wrong.append(f"{plan}: left over: {left}")
    return struck, wrong
