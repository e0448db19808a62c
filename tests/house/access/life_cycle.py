"""The life of data: the keepers of a dataset's owner set its rule, call it back, and decide about destruction in pairs."""

from datetime import timedelta

import pyarrow as pa

from shuren.datahub.api import offer_dataset, write_partition
from shuren.datahub.data import ArchiveState, DatasetSpec, DestructionState
from shuren.datahub.models import ArchivedPartition, Destruction
from shuren.datahub.services.life_cycle.certify import certify_destruction
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import MANAGERS, ROOT, Address, Area, act, call, form, page, roles

KEEPERS = MANAGERS | roles("head")
SIDES = ROOT | roles("county_officer")
NEAR, FAR = "casework.near_life", "casework.far_life"

ADDRESSES: dict[str, Address] = {
    "datahub:life_cycles": page(KEEPERS),
    "datahub:archives": page(KEEPERS),
    "datahub:destructions": page(KEEPERS),
    "datahub:check_certificate": form(KEEPERS),
    "datahub:life_cycle": page(SIDES, ROOT, dataset="living"),
    "datahub:life_cycle_rule": form(SIDES, ROOT, dataset="living"),
    "datahub:hold_life_cycle": form(SIDES, ROOT, dataset="living"),
    "datahub:release_life_cycle": act(SIDES, ROOT, dataset="living"),
    "datahub:follow_life_cycle": act(SIDES, ROOT, dataset="living"),
    "datahub:recall_archive": form(SIDES, ROOT, archive_id="archive"),
    "datahub:destruction": page(SIDES, ROOT, destruction_id="destruction"),
    "datahub:propose_destruction": form(SIDES, ROOT, destruction_id="destruction"),
    "datahub:approve_destruction": form(SIDES, ROOT, destruction_id="destruction"),
    "datahub:refuse_destruction": form(SIDES, ROOT, destruction_id="destruction"),
    "datahub:destruction_certificate": page(SIDES, ROOT, destruction_id="destroyed"),
    "datahub:destruction_pdf": page(SIDES, ROOT, destruction_id="destroyed"),
    "datahub:field_grades": page(KEEPERS),
    "api-v1:list_life_cycles": call(KEEPERS),
    "api-v1:list_destructions": call(KEEPERS),
    "api-v1:read_destruction_certificate": call(SIDES, ROOT, destruction_id="destroyed"),
    "api-v1:list_field_grades": call(KEEPERS),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A dataset of the near county and one of the far county, each with an archive, a plan and a certificate."""
    archives, plans, done = [], [], []
    for name, owner in ((NEAR, "county"), (FAR, "far_county")):
        org = cast.orgs[owner]
        offer_dataset(DatasetSpec(name, ("year",), name, "L2", f"org:{org.id}", scope_column="org_path"))
        rows = pa.table({"org_path": [org.path], "mark": [71]})
        write_partition(name, {"year": 2026}, rows, actor=SYSTEM, now=cast.now - timedelta(days=1))
        archive = ArchivedPartition.objects.create(
            dataset=name,
            partition="year=2001",
            partition_values={"year": "2001"},
            state=ArchiveState.ARCHIVED,
            rows=1,
            bytes=1,
            written_at=cast.now,
            archived_at=cast.now,
        )
        told = {"dataset": name, "owner_org_id": org.id, "rows": 0, "bytes": 0, "planned_at": cast.now}
        policy = {"life_cycle": {"law": "", "ground": ""}}
        destroyed = Destruction.objects.create(**told, policy=policy, state=DestructionState.RUNNING, began_at=cast.now)
        done.append(certify_destruction(destroyed, actor=SYSTEM, now=cast.now).pk)
        plans.append(Destruction.objects.create(**told, state=DestructionState.PLANNED).pk)
        archives.append(archive.pk)
    return {
        "living": (NEAR, FAR),
        "archive": (ids.encode("archive", archives[0]), ids.encode("archive", archives[1])),
        "destruction": (ids.encode("destruction", plans[0]), ids.encode("destruction", plans[1])),
        "destroyed": (ids.encode("destruction", done[0]), ids.encode("destruction", done[1])),
    }


AREA = Area(ADDRESSES, places)
