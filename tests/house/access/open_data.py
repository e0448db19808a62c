"""Open data: officers prepare it in their branches, everybody reads what is open."""

from dataclasses import replace

import pyarrow as pa

from shuren.datahub.api import declare_dataset, write_partition
from shuren.datahub.data import DatasetSpec, OpenColumn, OpenDeclaration, OpenShape, OpenTreatment, OpenWords
from shuren.datahub.services.open_data.decide import approve_opening
from shuren.datahub.services.open_data.draft import ask_opening, draft_opening
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, OFFICERS, ROOT, Address, Area, act, form, page, public

SPEC = DatasetSpec("probe.open_access", ("year",), "学校名录", "L1", "tests")
_NUMBER = {"number": "open_number"}
_VERSION = {"number": "open_number", "version": "open_version"}


def everybodys(**objects: str) -> Address:
    return replace(public("GET"), far=EVERYBODY, objects=objects)


ADDRESSES: dict[str, Address] = {
    "datahub:openings": page(OFFICERS),
    "datahub:choose_open_dataset": page(OFFICERS),
    "datahub:new_opening": form(OFFICERS, OFFICERS, dataset="open_source"),
    "datahub:opening": page(OFFICERS, ROOT, opening_id="opening"),
    "datahub:change_opening": form(OFFICERS, ROOT, opening_id="opening"),
    "datahub:check_opening": act(OFFICERS, ROOT, opening_id="opening"),
    "datahub:ask_opening": act(OFFICERS, ROOT, opening_id="opening"),
    "datahub:approve_opening": act(OFFICERS, ROOT, opening_id="opening"),
    "datahub:refuse_opening": form(OFFICERS, ROOT, opening_id="opening"),
    "datahub:withdraw_open_data": form(OFFICERS, ROOT, opening_id="opening"),
    "open:catalogue": public("GET"),
    "open:datasets_json": public("GET"),
    "open:catalogue_rdf": everybodys(form="open_form"),
    "open:dataset": everybodys(**_NUMBER),
    "open:rows_json": everybodys(**_NUMBER),
    "open:csv_file": everybodys(**_VERSION),
    "open:parquet_file": everybodys(**_VERSION),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """One that is open in the near county, one that is in another city."""
    declare_dataset(SPEC)
    write_partition(SPEC.name, {"year": 2026}, pa.table({"code": ["a"], "name": ["甲"]}), actor=SYSTEM, now=cast.now)
    told = OpenDeclaration(dataset=SPEC.name, columns=(OpenColumn("name", OpenTreatment.EXACT),), shape=OpenShape.RECORDS)
    words = OpenWords(title_zh="学校名录", title_en="Schools", description="", licence="CC0-1.0")
    found = []
    for org in ("county", "far_county"):
        asker = cast.actor("province_officer")
        row = draft_opening(actor=SYSTEM, org_id=cast.orgs[org].id, declaration=told, words=words, now=cast.now)
        ask_opening(actor=SYSTEM, id=row.pk, now=cast.now)
        found.append(approve_opening(actor=asker, id=row.pk, now=cast.now))
    near, far = found
    return {
        "open_source": (SPEC.name, SPEC.name),
        "opening": (ids.encode("opening", near.pk), ids.encode("opening", far.pk)),
        "open_number": (str(near.dataset.number), str(far.dataset.number)),
        "open_version": ("1", "1"),
        "open_form": ("ttl", "jsonld"),
    }


AREA = Area(ADDRESSES, places)
