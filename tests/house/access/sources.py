"""Who produces what: the keepers of data read it; the keepers of an element's owner and the region's officers decide."""

from datetime import timedelta

from shuren.datahub.api import converge_subjects, put_candidates, set_precedence
from shuren.datahub.data import NewCandidate, SourceRank, SubjectKind, TieRule
from shuren.datahub.models import Golden
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.standards import api as standards
from tests.cast import Cast
from tests.house.access.frame import ROOT, Address, Area, form, page, roles

KEEPERS = roles("head school_admin county_officer city_officer province_officer")
OWNERS = ROOT | roles("county_officer")
FAR = "org.division_code"

ADDRESSES: dict[str, Address] = {
    "datahub:sources": page(KEEPERS),
    # The near element is the county's own; the far one is nobody's, and so the region's.
    "datahub:producer": form(OWNERS, ROOT, element_code="owned_element"),
    "datahub:refusals": page(OWNERS, ROOT, element_code="owned_element"),
    "datahub:precedence": form(OWNERS, ROOT, element_code="owned_element"),
    "datahub:goldens": page(OWNERS, ROOT, element_code="owned_element"),
    "datahub:accept_goldens": form(OWNERS, ROOT, element_code="owned_element"),
    "datahub:golden": form(OWNERS, ROOT, golden_id="golden"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    standards.load_registry()
    standards.set_owner(actor=SYSTEM, element_code="org.code", org_id=cast.orgs["county"].id, now=cast.now)
    found = []
    for code, org in (("org.code", "school"), (FAR, "far_school")):
        set_precedence(actor=SYSTEM, element_code=code, sources=[SourceRank("roster")], tie=TieRule.FIRST, now=cast.now)
        told = [NewCandidate(cast.orgs[org].id, value, cast.now - timedelta(days=day)) for day, value in enumerate("12")]
        put_candidates(actor=SYSTEM, element_code=code, kind=SubjectKind.ORG, source="roster", told=told, now=cast.now)
        converge_subjects(element_code=code, kind=SubjectKind.ORG, subject_ids=[cast.orgs[org].id], now=cast.now)
        found.append(ids.encode("golden", Golden.objects.get(element_code=code).pk))
    return {"owned_element": ("org.code", FAR), "golden": (found[0], found[1])}


AREA = Area(ADDRESSES, places)
