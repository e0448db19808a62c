"""What a form offers to choose from: orgs, classes and people an actor looks after, a few at a time."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Generic, TypeVar

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from shuren.directory.data import ClassType, EnrollmentRole, OrgData, OrgStatus, OrgType, Permission, PersonRow, Role
from shuren.directory.models import Affiliation, Enrollment, Org, RosterQuerySet
from shuren.directory.rules.tree import ids_of
from shuren.directory.selectors.orgs import org_data, orgs_above
from shuren.directory.selectors.people import access_person, affiliations_of, people_by_ids, people_within, wards_of
from shuren.directory.selectors.people_list import page_of_people, people_list, prefix_q, searched_columns
from shuren.directory.selectors.placement import SITES, open_q
from shuren.directory.selectors.scope import scope_of
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import Scope, path_q

Choice = TypeVar("Choice")
OFFERED = 20
# A class is filled from a list, not name by name.
UNPLACED = 100
_WORDS = 4
_BRACKETS = str.maketrans("()", "（）")
_PLAIN_BRACKETS = str.maketrans("（）", "()")


@dataclass(frozen=True, slots=True)
class Choices(Generic[Choice]):
    """The first few that fit; `has_more` asks for a narrower search."""

    rows: tuple[Choice, ...] = ()
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class OrgChoice:
    """An org, and the names of the orgs around it that tell it from others of its name."""

    org: OrgData
    place: str


@dataclass(frozen=True, slots=True)
class PersonChoice:
    """A person with what tells namesakes apart: roles with their orgs, and wards."""

    id: int
    public_id: str
    number: str
    name: str
    roles: tuple[tuple[Role, str], ...]
    wards: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PupilChoice:
    """A pupil and where they learn now: `home` is empty without a home class."""

    id: int
    public_id: str
    number: str
    name: str
    school: str
    home: str = ""


def orgs_to_choose(
    *,
    scope: Scope,
    types: Collection[OrgType],
    search: str = "",
    near: Sequence[str] = (),
    taught: bool | None = False,
) -> Choices[OrgChoice]:
    """Active orgs of these levels in the scope: around `near` at first, anywhere in the scope once words are given.

    Every word is part of the name of the org or of its school, or the beginning of its code. Classes of taught courses
    are left out; with `taught` they alone are offered, with None both kinds.
    """
    words = search.split()[:_WORDS]
    close = [path for path in near if scope.covers(path)]
    rows = Org.objects.visible().filter(type__in=[kind.value for kind in types], status=OrgStatus.ACTIVE)
    rows = rows.filter(path_q("path", scope.paths if words or not close else close))
    if taught is not None:
        course = Q(class_detail__class_type=ClassType.SCHEDULED)
        rows = rows.filter(course) if taught else rows.exclude(course)
    for word in words:
        rows = rows.filter(_named_q(word) | Q(code__startswith=word) | path_q("path", _sites_named(scope, word)))
    order = ("path",) if words else ("parent__position", "parent_id", "position", "pk")
    found = [org_data(org) for org in rows.order_by(*order).defer("geometry")[: OFFERED + 1]]
    return Choices(tuple(_placed(found[:OFFERED])), len(found) > OFFERED)


def org_choice(org: OrgData) -> OrgChoice:
    return _placed([org])[0]


def _placed(orgs: Sequence[OrgData]) -> list[OrgChoice]:
    above = orgs_above([org.path for org in orgs])
    return [OrgChoice(org, " ".join(_around(org, above))) for org in orgs]


def _around(org: OrgData, above: Mapping[int, OrgData]) -> list[str]:
    """Inside a school the way from the school down, elsewhere the org above."""
    chain = [above[id] for id in ids_of(org.path)[:-1] if id in above]
    inside = next((place for place, other in enumerate(chain) if other.type in SITES), len(chain) - 1)
    return [other.short_name or other.name for other in chain[max(0, inside) :]]


def _named_q(word: str) -> Q:
    """Classes are written with either kind of brackets; people type what the keyboard gives."""
    spellings = {word, word.translate(_BRACKETS), word.translate(_PLAIN_BRACKETS)}
    condition = Q(pk__in=())
    for spelling in spellings:
        condition |= Q(name__contains=spelling) | Q(short_name__contains=spelling)
    return condition


def _sites_named(scope: Scope, word: str) -> list[str]:
    rows = Org.objects.visible().filter(path_q("path", scope.paths), _named_q(word), type__in=SITES, status=OrgStatus.ACTIVE)
    return list(rows.order_by("path").values_list("path", flat=True)[:OFFERED])


def guardians_to_choose(*, actor: Actor, search: str, now: datetime, without: Collection[int] = ()) -> Choices[PersonChoice]:
    """People `actor` may see, by the beginning of a name or number, who are more than pupils; `without` leaves some out."""
    if not search.strip():
        return Choices()
    page = page_of_people(people_list(actor=actor, now=now, search=search), number=1, size=2 * OFFERED)
    rows = [row for row in page.rows if row.id not in without and row.role is not Role.PUPIL]
    wanted = list(dict.fromkeys(row.id for row in rows))
    return Choices(_people(rows, wanted[:OFFERED], actor, now), page.has_next or len(wanted) > OFFERED)


def guardian_choice(*, actor: Actor, id: int, now: datetime) -> PersonChoice:
    """One such person by row id, if `actor` may see them; otherwise `NotFound`."""
    person = access_person(actor=actor, id=id, permission=Permission.VIEW_PEOPLE, now=now)
    roles = {line.role for line in affiliations_of([id], day=day_of(now))}
    if roles == {Role.PUPIL}:
        raise NotFound(_("没有找到这个人。"))
    return PersonChoice(person.id, person.public_id, person.number, person.name, roles=())


def _people(rows: Sequence[PersonRow], offered: Sequence[int], actor: Actor, now: datetime) -> tuple[PersonChoice, ...]:
    by_id: defaultdict[int, list[PersonRow]] = defaultdict(list)
    for row in rows:
        by_id[row.id].append(row)
    wards = _names_of_wards(offered, actor, now)
    return tuple(
        PersonChoice(
            id=id,
            public_id=by_id[id][0].public_id,
            number=by_id[id][0].number,
            name=by_id[id][0].name,
            roles=tuple((row.role, row.org_name) for row in by_id[id] if row.role is not None),
            wards=wards.get(id, ()),
        )
        for id in offered
    )


def _names_of_wards(guardian_ids: Collection[int], actor: Actor, now: datetime) -> dict[int, tuple[str, ...]]:
    """Wards by guardian, those only whom `actor` may see."""
    day = day_of(now)
    links = wards_of(guardian_ids, day=day) if guardian_ids else []
    if not links:
        return {}
    scope = scope_of(actor=actor, permission=Permission.VIEW_PEOPLE, now=now)
    names = {
        id: person.name for id, person in people_by_ids(people_within(scope, {link.ward_id for link in links}, day=day)).items()
    }
    found: defaultdict[int, tuple[str, ...]] = defaultdict(tuple)
    for link in links:
        if link.ward_id in names:
            found[link.guardian_id] += (names[link.ward_id],)
    return found


def pupils_without_class(
    *, site: OrgData, day: date, search: str = "", only: Collection[int] | None = None
) -> Choices[PupilChoice]:
    """Pupils of a school who have no home class on `day`, in order of name; `only` looks at some people."""
    home = _homes(day).filter(person_id=OuterRef("person_id"))
    rows = Affiliation.objects.visible().filter(path_q("org_path", [site.path]), open_q(day), ~Exists(home), role=Role.PUPIL)
    if only is not None:
        rows = rows.filter(person_id__in=only)
    if text := search.strip():
        conditions = [prefix_q(column, text, of="person__") for column in searched_columns(text)]
        rows = rows.filter(reduce(or_, conditions))
    columns = ("person_id", "person__number", "person__name")
    found = [*dict.fromkeys(rows.order_by("person__sort_key", "person_id").values_list(*columns)[: UNPLACED + 1])]
    offered = [PupilChoice(id, ids.encode("person", id), number, name, site.name) for id, number, name in found[:UNPLACED]]
    return Choices(tuple(offered), len(found) > UNPLACED)


def pupils_elsewhere(*, actor: Actor, class_org: OrgData, search: str, now: datetime) -> Choices[PupilChoice]:
    """Pupils whom `actor` manages in other classes and schools, by the beginning of a name or number."""
    if not search.strip():
        return Choices()
    day = day_of(now)
    page = page_of_people(people_list(actor=actor, now=now, search=search, role=Role.PUPIL), number=1, size=2 * OFFERED)
    scope = scope_of(actor=actor, permission=Permission.MANAGE_PEOPLE, now=now)
    managed = people_within(scope, {row.id for row in page.rows}, day=day)
    rows = {row.id: row for row in page.rows if row.id in managed}
    homes = {
        person_id: (class_id, name)
        for person_id, class_id, name in _homes(day)
        .filter(person_id__in=rows)
        .values_list("person_id", "class_org_id", "class_org__name")
    }
    around = ids_of(class_org.path)
    offered = []
    for row in rows.values():
        class_id, name = homes.get(row.id, (None, ""))
        if class_id != class_org.id and (class_id is not None or row.org_id not in around):
            offered.append(PupilChoice(row.id, row.public_id, row.number, row.name, row.org_name, name))
    return Choices(tuple(offered[:OFFERED]), page.has_next or len(offered) > OFFERED)


def _homes(day: date) -> RosterQuerySet[Enrollment]:
    return Enrollment.objects.visible().filter(open_q(day), role=EnrollmentRole.STUDENT, is_primary=True)
