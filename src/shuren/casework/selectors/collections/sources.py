"""What may be issued where: forms and collections in force, flows that review a form, branches an issuer looks after."""

from datetime import datetime

from shuren.casework.data import DefinitionKind, DefinitionStatus
from shuren.casework.models import Definition
from shuren.casework.rules.specs.work import CollectionSpec
from shuren.casework.selectors.collections.reach import issuing_orgs
from shuren.casework.selectors.definitions import definition_named, flow_of, spec_of
from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType
from shuren.kernel.data import Actor

_BRANCHES = (OrgType.PROVINCE, OrgType.CITY, OrgType.COUNTY, OrgType.GROUP, OrgType.AGENCY)


def issuable(kind: DefinitionKind, *, actor: Actor, now: datetime) -> list[Definition]:
    """Definitions in force of packs, and those built in or above the actor's branches, by title."""
    paths = [org.path for org in issuing_orgs(actor=actor, now=now)]
    rows = Definition.objects.filter(kind=kind.value, status=DefinitionStatus.IN_FORCE.value, current__isnull=False)
    return [
        row for row in rows.order_by("title_zh", "key") if not row.org_path or any(_meets(row.org_path, path) for path in paths)
    ]


def flows_of_form(form: str, *, actor: Actor, now: datetime) -> list[Definition]:
    """Flows that review this form."""
    flows = issuable(DefinitionKind.FLOW, actor=actor, now=now)
    return [row for row in flows if row.current_id and flow_of(row.current_id).form == form]


def collection_spec(key: str) -> CollectionSpec:
    """A collection that comes again, by its key."""
    spec = spec_of(definition_named(DefinitionKind.COLLECTION, key))
    assert isinstance(spec, CollectionSpec)
    return spec


def branches_to_issue(*, actor: Actor, now: datetime) -> list[OrgData]:
    """Orgs whose branch a collection may be issued to: the actor's own, and the offices below them."""
    found: dict[int, OrgData] = {}
    for org in issuing_orgs(actor=actor, now=now):
        found[org.id] = org
        found |= {below.id: below for below in directory.subtree(org.path, _BRANCHES)}
    return sorted(found.values(), key=lambda org: org.path)


def _meets(built_at: str, path: str) -> bool:
    return path.startswith(built_at) or built_at.startswith(path)
