"""Orgs and people over HTTP, read only; ids are the opaque ones, and what lies outside the caller's scope answers 404."""

from collections.abc import Sequence
from datetime import date

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Field, Query, Router, Schema

from shuren.directory.data import CountKind, DisclosedPerson, OrgData, OrgStatus, OrgType, Permission, PersonRow, Role, Sex
from shuren.directory.selectors.org_list import OrgQuery, org_page, page_of_orgs
from shuren.directory.selectors.orgs import access_org
from shuren.directory.selectors.people_list import NARROW, PeopleList, page_of_people, people_list
from shuren.directory.selectors.person_detail import Belonging, PersonDetail, person_detail
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.consents.disclose import DISCLOSABLE, disclose_people
from shuren.directory.services.reveal_person import note_emergency_read
from shuren.directory.views.asked import actor_in, now, org_id_in, person_id_in
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.kernel.paging import SIZES

router = Router(tags=["directory"])
_LISTED = ("person.number", "person.name", "person.sex")


class Paging(Schema):
    """Which page, from 1, and how long (at most 200)."""

    page: int = 1
    size: int = 50

    @property
    def bounded(self) -> tuple[int, int]:
        return max(1, self.page), min(max(1, self.size), SIZES[-1])


class OrgOut(Schema):
    """An org; `parent_id` is empty at the top, `counts` are the kept counters of it and everything below."""

    id: str
    sourced_id: str
    code: str
    name: str
    short_name: str
    type: OrgType
    status: OrgStatus
    depth: int
    parent_id: str
    division_code: str
    is_rural: bool | None
    counts: dict[str, int]


class OrgPage(Schema):
    """One page of orgs; `total` is a lower bound where `is_exact` is false."""

    rows: list[OrgOut]
    total: int
    is_exact: bool
    page: int


_PERSON_ID = Field(description="The same for every caller, in the REST API, over SCIM and in messages.")
_NUMBER = Field(
    description="The number for life. Empty for an app of others unless the person agreed to a notice that names `person.number`."
)
_NAME = Field(description="For an app of others whole with consent, masked while nobody answered, empty after a no.")
_SEX = Field(description="For an app of others only with consent, else `0` (unknown).")


class PersonOut(Schema):
    """A person as a list shows them: with the role and the org by which they stand in it."""

    id: str = _PERSON_ID
    number: str = _NUMBER
    name: str = _NAME
    sex: Sex = _SEX
    role: Role | None
    org_id: str
    org_name: str


class PersonPage(Schema):
    """One page of people; `total` is a lower bound where `is_exact` is false."""

    rows: list[PersonOut]
    total: int
    is_exact: bool
    page: int


class BelongingOut(Schema):
    """A role at an org, or a place in a class, for a half-open period."""

    org_id: str
    org_name: str
    role: Role
    is_primary: bool
    begin_date: date | None
    end_date: date | None
    is_current: bool


class PersonDetailOut(Schema):
    """One person; private facts are masked for those who need not know them, and the national id is never sent."""

    id: str = _PERSON_ID
    sourced_id: str = Field(description="The id in the system that the roster came from. Empty for apps of others.")
    number: str = _NUMBER
    name: str = _NAME
    sex: Sex = _SEX
    grade: str
    private: dict[str, str]
    is_masked: bool
    affiliations: list[BelongingOut]
    enrollments: list[BelongingOut]


@router.get("/orgs", response=OrgPage, summary="Orgs in scope")
def list_orgs(
    request: HttpRequest,
    paging: Query[Paging],
    search: str = "",
    org_type: OrgType | None = None,
    parent: str = "",
    with_ended: bool = False,
) -> OrgPage:
    """Orgs by name, type or parent; with nothing asked the tops of the caller's branches and their children."""
    scope = scope_of(actor=actor_in(request), permission=Permission.VIEW_ORGS, now=now())
    parent_id = org_id_in(parent) if parent else None
    query = OrgQuery(search=search, type=org_type, parent_id=parent_id, with_ended=with_ended)
    number, size = paging.bounded
    page = page_of_orgs(scope=scope, query=query, number=number, size=size)
    return OrgPage(
        rows=[_org(row.org, row.counts) for row in page.rows], total=page.total, is_exact=page.is_exact, page=page.number
    )


@router.get("/orgs/{org_id}", response=OrgOut, summary="One org")
def read_org(request: HttpRequest, org_id: str) -> OrgOut:
    facts, _scopes = org_page(actor=actor_in(request), id=org_id_in(org_id), permissions=(), now=now())
    return _org(facts.org, facts.counts)


@router.get("/orgs/{org_id}/people", response=PersonPage, summary="People of an org")
def list_org_people(
    request: HttpRequest, org_id: str, paging: Query[Paging], search: str = "", role: Role | None = None
) -> PersonPage:
    """People of the org and everything below it, as far as the caller may see them; `search` as among all people."""
    org = access_org(actor=actor_in(request), id=org_id_in(org_id), permission=Permission.VIEW_ORGS, now=now())
    return _people(request, paging, org, search, role)


@router.get("/people", response=PersonPage, summary="People in scope")
def list_people(request: HttpRequest, paging: Query[Paging], search: str = "", role: Role | None = None) -> PersonPage:
    """People by the beginning of a name or number, or by role.

    `search` finds for an app of others only what it is told: somebody whose name or number is masked or withheld is not
    found by it. More than 500 people with such a beginning answer 400.
    """
    return _people(request, paging, None, search, role)


@router.get("/people/{person_id}", response=PersonDetailOut, summary="One person")
def read_person(request: HttpRequest, person_id: str) -> PersonDetailOut:
    """An app of others is told what grade, purpose and consent allow; the rest is masked or empty."""
    actor = actor_in(request)
    detail = person_detail(actor=actor, id=person_id_in(person_id), now=now())
    person = detail.person
    if actor.app is not None and actor.app.recipient:
        return _told_person(actor, detail)
    note_emergency_read(actor=actor, person_id=person.id, page="rest", now=now())
    return PersonDetailOut(
        id=person.public_id,
        sourced_id=person.sourced_id,
        number=person.number,
        name=person.name,
        sex=person.sex,
        grade=detail.grade,
        private={key: told.text for key, told in detail.private.items() if told.text},
        is_masked=detail.is_masked,
        affiliations=[_belonging(line) for line in detail.affiliations],
        enrollments=[_belonging(line) for line in detail.enrollments],
    )


def _people(request: HttpRequest, paging: Paging, org: OrgData | None, search: str, role: Role | None) -> PersonPage:
    actor = actor_in(request)
    found = people_list(actor=actor, now=now(), org=org, role=role, search=search)
    number, size = paging.bounded
    if search.strip() and actor.app is not None and actor.app.recipient:
        return _found_by_told(actor, found, search.strip(), number, size)
    page = page_of_people(found, number=number, size=size)
    return PersonPage(rows=_told_rows(actor, page.rows), total=page.total, is_exact=page.is_exact, page=page.number)


def _found_by_told(actor: Actor, people: PeopleList, search: str, number: int, size: int) -> PersonPage:
    """Only those in whose row what was looked for stands: finding somebody by a name that is withheld would tell it."""
    near = page_of_people(people, number=1, size=NARROW + 1).rows
    if len(near) > NARROW:
        raise Invalid(_("这样开头的人太多。"), remedy=_("请多写几个字。"))
    rows = [row for row in _told_rows(actor, near) if row.name.startswith(search) or row.number.startswith(search.upper())]
    number = min(number, max(1, -(-len(rows) // size)))
    return PersonPage(rows=rows[(number - 1) * size : number * size], total=len(rows), is_exact=True, page=number)


def _told(actor: Actor, person_ids: list[int], elements: Sequence[str]) -> dict[int, DisclosedPerson]:
    assert actor.app is not None
    return disclose_people(
        person_ids=person_ids,
        elements=elements,
        purpose=actor.app.purpose,
        recipient=actor.app.recipient,
        now=now(),
        actor=actor,
        by_notice=("person.number",),
    )


def _told_rows(actor: Actor, people: Sequence[PersonRow]) -> list[PersonOut]:
    """What an app of others is told of a list, as consent allows. Readers in the house get the rows as they are."""
    rows = [_person(row) for row in people]
    if actor.app is None or not actor.app.recipient:
        return rows
    told = _told(actor, [row.id for row in people], _LISTED)
    for row, person in zip(rows, people, strict=True):
        values = told[person.id].values if person.id in told else {}
        row.number, row.name = values.get("person.number", ""), values.get("person.name", "")
        row.sex = Sex(values.get("person.sex") or Sex.UNKNOWN)
    return rows


def _told_person(actor: Actor, detail: PersonDetail) -> PersonDetailOut:
    person = detail.person
    private = tuple(key for key, fact in detail.private.items() if fact.text and f"person.{key}" in DISCLOSABLE)
    asked = (*_LISTED, *(f"person.{key}" for key in private))
    found = _told(actor, [person.id], asked).get(person.id)
    values = found.values if found else {}
    return PersonDetailOut(
        id=person.public_id,
        sourced_id="",
        number=values.get("person.number", ""),
        name=values.get("person.name", ""),
        sex=Sex(values.get("person.sex") or Sex.UNKNOWN),
        grade=detail.grade,
        private={key: values[f"person.{key}"] for key in private if f"person.{key}" in values},
        is_masked=found is None or bool(found.withheld),
        affiliations=[_belonging(line) for line in detail.affiliations],
        enrollments=[_belonging(line) for line in detail.enrollments],
    )


def _person(row: PersonRow) -> PersonOut:
    return PersonOut(
        id=row.public_id,
        number=row.number,
        name=row.name,
        sex=row.sex,
        role=row.role,
        org_id=row.org_public_id,
        org_name=row.org_name,
    )


def _org(org: OrgData, counts: dict[CountKind, int]) -> OrgOut:
    return OrgOut(
        id=org.public_id,
        sourced_id=org.sourced_id,
        code=org.code,
        name=org.name,
        short_name=org.short_name,
        type=org.type,
        status=org.status,
        depth=org.depth,
        parent_id=ids.encode("org", org.parent_id) if org.parent_id is not None else "",
        division_code=org.division_code,
        is_rural=org.is_rural,
        counts={kind.value: value for kind, value in counts.items()},
    )


def _belonging(line: Belonging) -> BelongingOut:
    return BelongingOut(
        org_id=line.org_public_id,
        org_name=line.org_name,
        role=line.role,
        is_primary=line.is_primary,
        begin_date=line.begin_date,
        end_date=line.end_date,
        is_current=line.is_current,
    )
