"""The orgs of a collection with what they filled in, one after the other: never more than some hundred in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import pyarrow as pa
from django.db.models import QuerySet

from shuren.casework.models import Case, CollectionTarget
from shuren.directory import api as directory
from shuren.directory.data import OrgData

AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Filled:
    """One org and its answer; `data` is empty where there is none."""

    org: OrgData | None
    org_id: int
    org_path: str
    state: str
    number: str
    submitted_at: datetime | None
    accepted_at: datetime | None
    data: dict[str, Any]

    @property
    def head(self) -> list[Any]:
        """The values of `HEAD`."""
        org = self.org
        return [
            org.public_id if org else "",
            org.code if org else "",
            org.name if org else "",
            self.org_path,
            self.state,
            self.number,
            self.submitted_at,
            self.accepted_at,
        ]


# No key of a form begins with an underscore, so these never meet a field's name.
_AT = pa.timestamp("us", tz="UTC")
HEAD_TITLES = {
    "_org": ("机构标识", "Id of the organisation"),
    "_org_code": ("机构代码", "Code of the organisation"),
    "_org_name": ("机构名称", "Name of the organisation"),
    "_org_path": ("机构路径", "Path of the organisation"),
    "_state": ("填报状态", "State of the answer"),
    "_case": ("办件编号", "Number of the case"),
    "_submitted_at": ("提交时间", "Handed in at"),
    "_accepted_at": ("通过时间", "Accepted at"),
    "_row": ("行号", "Number of the row"),
    "collection": ("采集", "Collection"),
}
HEAD = [
    pa.field("_org", pa.string()),
    pa.field("_org_code", pa.string()),
    pa.field("_org_name", pa.string()),
    pa.field("_org_path", pa.string()),
    pa.field("_state", pa.string()),
    pa.field("_case", pa.string()),
    pa.field("_submitted_at", _AT),
    pa.field("_accepted_at", _AT),
]


def filled_rows(rows: QuerySet[CollectionTarget], *, at_once: int = AT_ONCE) -> Iterator[list[Filled]]:
    """The orgs in order of path, some at a time; what they answered is read when it is their turn.

    Nothing but short lines is ever sorted: a database that orders whole answers holds them all, and one that cuts the next
    few out of a million orders the rest again each time, as soon as it guesses wrong how many there are.
    """
    columns = ("org_id", "org_path", "state", "submitted_at", "accepted_at", "case_id")
    lines = rows.order_by("org_path").values_list(*columns).iterator(chunk_size=2_000)
    while some := list(islice(lines, at_once)):
        orgs = directory.orgs_by_ids([org_id for org_id, *_rest in some])
        cases = Case.objects.filter(pk__in=[line[-1] for line in some if line[-1]])
        answers = {pk: (number, data) for pk, number, data in cases.values_list("pk", "number", "data")}
        yield [
            Filled(orgs.get(org_id), org_id, path, state, number, submitted_at, accepted_at, data)
            for org_id, path, state, submitted_at, accepted_at, case_id in some
            for number, data in [answers.get(case_id, ("", {}))]
        ]
