"""Collections: issued and watched by offices over the branch, filled in by the school, opened to nobody else."""

from datetime import datetime, timedelta

from shuren.casework.data import DefinitionStatus
from shuren.casework.models import CollectionTarget, Definition, DefinitionVersion
from shuren.casework.rules.collections import NewCollection
from shuren.casework.services.collections.issue import issue_collection, issue_targets
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, NOBODY, OFFICERS, ROOT, Address, Area, form, page, roles

FILLERS = roles("head school_admin")
ISSUERS = OFFICERS | FILLERS

COLLECTIONS: dict[str, Address] = {
    "casework:collections": page(EVERYBODY),
    "casework:own_collections": page(EVERYBODY),
    "casework:new_collection": form(ISSUERS, NOBODY, 403),
    "casework:collection_preview": page(ISSUERS, denied=403),
    "casework:collection": page(ISSUERS, ROOT, collection_id="collection"),
    "casework:collection_orgs": page(ISSUERS, ROOT, collection_id="collection"),
    "casework:collection_compare": page(ISSUERS, ROOT, collection_id="collection"),
    "casework:collection_data": page(ISSUERS, ROOT, collection_id="collection"),
    "casework:collection_csv": page(ISSUERS, ROOT, collection_id="collection"),
    "casework:collection_parquet": page(ISSUERS, ROOT, collection_id="collection"),
    "casework:collection_workbook": page(ISSUERS, ROOT, collection_id="collection"),
    "casework:bring_back_collection": form(ISSUERS, ROOT, collection_id="collection"),
    "casework:brought_back": page(roles("county_officer"), ROOT, collection_id="collection", job_id="job"),
    "casework:urge_collection": form(ISSUERS, ROOT, collection_id="collection"),
    "casework:extend_collection": form(OFFICERS, ROOT, collection_id="collection"),
    "casework:freeze_collection": form(OFFICERS, ROOT, collection_id="collection"),
    "casework:cancel_collection": form(OFFICERS, ROOT, collection_id="collection"),
    "casework:stop_repeating": form(OFFICERS, ROOT, collection_id="collection"),
    "casework:collection_target": page(ISSUERS, ROOT, target_id="target"),
    "casework:extend_target": form(OFFICERS, ROOT, target_id="target"),
    "casework:exempt_target": form(OFFICERS, ROOT, target_id="target"),
    "casework:ask_target_again": form(OFFICERS, ROOT, target_id="target"),
    "casework:fill_target": form(FILLERS, target_id="target"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A collection in the school's county, and one in a far county."""
    field = {"key": "pupils", "title": "学生数", "type": "integer"}
    sections = [{"key": "main", "title": "基本", "fields": [field]}]
    _define({"key": "x.form", "title": "一张表", "sections": sections})
    near, far = _issued(cast, "county", "county_officer", "school"), _issued(cast, "far_county", "province_officer", "far_school")
    return {kind: (one, other) for kind, one, other in zip(("collection", "target", "job"), near, far, strict=True)}


def _issued(cast: Cast, branch: str, issuer: str, school: str) -> tuple[str, str, str]:
    due_at = cast.now + timedelta(days=3)
    new = NewCollection(title="采集", form="x.form", org_id=cast.orgs[branch].id, due_at=due_at)
    row = issue_collection(actor=cast.actor(issuer), new=new, now=cast.now)
    issue_targets(collection_id=row.pk, on_progress=lambda _done, _total: None, now=cast.now)
    target = CollectionTarget.objects.get(collection=row, org_id=cast.orgs[school].id)
    return ids.encode("collection", row.pk), ids.encode("target", target.pk), ids.encode("job", row.issue_job_id or 0)


def _define(body: dict[str, object]) -> None:
    key, title = str(body["key"]), str(body["title"])
    definition = Definition.objects.create(kind="form", key=key, title_zh=title, status=DefinitionStatus.IN_FORCE.value)
    made = datetime.fromisoformat("2026-09-01T00:00:00+00:00")
    definition.current = DefinitionVersion.objects.create(definition=definition, number=1, body=body, digest="", made_at=made)
    definition.save()


AREA = Area(addresses=COLLECTIONS, places=places)
