"""What must be mended, by the organisation that holds the rows."""

from collections.abc import Iterator
from itertools import groupby

from shuren.datahub.data import QualityFinding, QualityTally
from shuren.datahub.models import QualityScore
from shuren.datahub.selectors.quality import TALLIES, current_run
from shuren.datahub.selectors.sql import query
from shuren.directory.data import OrgType

# Faults of a class, a grade or a department are the school's to mend.
_HOLDERS = (OrgType.SCHOOL, OrgType.AGENCY, OrgType.GROUP, OrgType.COUNTY, OrgType.CITY, OrgType.PROVINCE)


def quality_findings(dataset: str) -> Iterator[QualityFinding]:
    """Organisations with rows that failed a rule of weight 1 or more in the current run, in the order of their paths."""
    run = current_run(dataset)
    if run is None:
        return
    held = QualityScore.objects.filter(run=run, org_type__in=[kind.value for kind in _HOLDERS])
    holders = dict(held.values_list("org_path", "org_id"))
    rows = query(
        "SELECT org_path, rule, checked, failed FROM datahub_quality WHERE failed > 0 AND weight >= 1 ORDER BY org_path, rule",
        datasets=[TALLIES],
        partitions={"measured": dataset},
    ).to_pylist()
    placed = [(_holder(row["org_path"], holders), row) for row in rows]
    placed.sort(key=lambda pair: pair[0])
    for path, group in groupby(placed, key=lambda pair: pair[0]):
        if path:
            yield QualityFinding(holders[path], _summed(row for _path, row in group))


def _holder(unit: str, holders: dict[str, int]) -> str:
    """The nearest organisation on the way up that keeps records; empty where there is none."""
    path = unit
    while path and path not in holders:
        path = path.rstrip("/").rpartition("/")[0]
        path = f"{path}/" if path else ""
    return path


def _summed(rows: Iterator[dict[str, object]]) -> tuple[QualityTally, ...]:
    sums: dict[str, tuple[int, int]] = {}
    for row in rows:
        checked, failed = sums.get(str(row["rule"]), (0, 0))
        sums[str(row["rule"])] = (checked + int(str(row["checked"])), failed + int(str(row["failed"])))
    found = [QualityTally(rule, checked, failed) for rule, (checked, failed) in sums.items()]
    return tuple(sorted(found, key=lambda tally: (-tally.failed, tally.rule)))
