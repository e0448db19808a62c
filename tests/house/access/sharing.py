"""Sharing data between units: the keepers of units apply and decide; a grant is used by those who have it alone."""

from dataclasses import replace
from datetime import timedelta

import pyarrow as pa

from shuren.datahub.api import offer_dataset, write_partition
from shuren.datahub.data import DatasetSpec, SharingWay
from shuren.datahub.models import SharingApplication, SharingGrant
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import MANAGERS, NOBODY, ROOT, Address, Area, act, call, form, page, roles

KEEPERS = MANAGERS | roles("head")
COUNTY = roles("county_officer")
SIDES = ROOT | COUNTY
NEAR, FAR = "casework.near_form", "casework.far_form"

ADDRESSES: dict[str, Address] = {
    "datahub:sharing": page(KEEPERS),
    "datahub:sharing_applications": page(KEEPERS),
    "datahub:sharing_to_decide": page(KEEPERS),
    "datahub:sharing_grants": page(KEEPERS),
    "datahub:apply_for_sharing": form(KEEPERS, KEEPERS, dataset="shared"),
    # The near dataset is the county's own, the far one the far county's: whoever is over the region decides for both.
    "datahub:sharing_terms": form(SIDES, ROOT, dataset="shared"),
    # The far application is one of the far county to the city.
    "datahub:sharing_application": page(SIDES | roles("city_officer"), ROOT, application_id="application"),
    "datahub:approve_sharing": form(SIDES, ROOT, application_id="application"),
    "datahub:refuse_sharing": form(SIDES, ROOT, application_id="application"),
    "datahub:withdraw_sharing": act(roles("city_officer"), NOBODY, application_id="application"),
    "datahub:sharing_grant": page(SIDES | roles("city_officer"), ROOT, grant_id="grant"),
    "datahub:shared_file": page(roles("city_officer"), NOBODY, grant_id="grant"),
    "datahub:ask_shared": form(roles("city_officer"), NOBODY, grant_id="grant"),
    "datahub:revoke_sharing": form(SIDES, ROOT, grant_id="grant"),
    "api-v1:list_shared_datasets": call(KEEPERS),
    "api-v1:list_sharing_grants": call(KEEPERS),
    "api-v1:read_shared_rows": call(roles("city_officer"), NOBODY, grant_id="grant"),
    # Without a question nobody gets further.
    "api-v1:query_shared": replace(
        call(NOBODY, grant_id="grant"), methods=("POST",), granted=frozenset({422}), denied=frozenset({422})
    ),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """The city asks the near county and has a grant of it; two far units have the same between them."""
    owners = {NEAR: ("county", "city"), FAR: ("far_county", "far_school")}
    applications, grants = [], []
    for name, (owner, applicant) in owners.items():
        owner_id, applicant_id = cast.orgs[owner].id, cast.orgs[applicant].id
        offer_dataset(DatasetSpec(name, ("year",), name, "L2", f"org:{owner_id}", scope_column="org_path"))
        rows = pa.table({"org_path": [cast.orgs[owner].path], "mark": [71]})
        write_partition(name, {"year": 2026}, rows, actor=SYSTEM, now=cast.now)
        told = {"dataset": name, "owner_org_id": owner_id, "applicant_org_id": applicant_id}
        asked = {"purpose": "核对", "columns": ["mark"], "org_ids": [owner_id], "ends_on": day_of(cast.now) + timedelta(days=9)}
        made = [
            SharingApplication.objects.create(**told, **asked, state=one, applied_at=cast.now) for one in ("open", "approved")
        ]
        ways = [way.value for way in SharingWay]
        end = cast.now + timedelta(days=9)
        grant = SharingGrant.objects.create(
            **told,
            application=made[1],
            masks={"mark": "none"},
            org_ids=[owner_id],
            ways=ways,
            begins_at=cast.now,
            ends_at=end,
        )
        applications.append(ids.encode("sharing_application", made[0].pk))
        grants.append(ids.encode("sharing_grant", grant.pk))
    return {"shared": (NEAR, FAR), "application": (applications[0], applications[1]), "grant": (grants[0], grants[1])}


AREA = Area(ADDRESSES, places)
