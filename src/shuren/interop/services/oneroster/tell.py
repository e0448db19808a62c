"""Rows of the roster as objects of the standard, a page at a time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from shuren.directory import api as directory
from shuren.directory.data import AffiliationData, DisclosedPerson, EnrollmentRole, OrgType, RosterRow
from shuren.interop.rules.oneroster import words
from shuren.interop.services.oneroster.readers import Reader, Told, moment_text, named_ref, ref, told_people
from shuren.kernel import ids
from shuren.kernel.clock import day_of

NO_COURSE = "shuren-no-course"
NO_TERM = "shuren-no-term"
_NAMES = ("person.name", "person.family_name", "person.given_name")
_USER = (*_NAMES, "person.number", "person.username", "person.email", "person.phone", "person.grade")
_DEMOGRAPHICS = ("person.birth_date", "person.sex")
_UNTOLD = "*"
Row = RosterRow


def tell_sessions(reader: Reader, rows: Sequence[Row]) -> list[Told]:
    return [
        _base("session", row)
        | {
            "title": row.cells["title"],
            "startDate": _day(row.cells["begin_date"]),
            "endDate": _day(row.cells["end_date"]),
            "type": row.cells["type"],
        }
        | _optional(parent=_ref(reader, "academicSession", row.cells["parent"]))
        | {"schoolYear": str(row.cells["school_year"])}
        for row in rows
    ]


def tell_orgs(reader: Reader, rows: Sequence[Row]) -> list[Told]:
    told = []
    for row in rows:
        path = str(row.cells["path"])
        above = path[: path[:-1].rfind("/") + 1]
        parent = row.cells["parent"] if above and reader.covers(above) else None
        said = {
            "name": row.cells["name"],
            "type": words.ORG_TYPES.get(str(row.cells["type"]), "local"),
            "identifier": row.cells["code"],
        }
        told.append(_base("org", row) | said | _optional(parent=_ref(reader, "org", parent)))
    return told


def tell_courses(reader: Reader, rows: Sequence[Row]) -> list[Told]:
    orgs = directory.orgs_by_ids([_int(row.cells["org"]) for row in rows])
    told = []
    for row in rows:
        org = orgs.get(_int(row.cells["org"]))
        subjects = _list(row.cells["subject"])
        said = {"title": row.cells["title"], "courseCode": row.cells["code"]}
        more = _optional(
            schoolYear=_ref(reader, "academicSession", row.cells["session"]),
            grades=_list(row.cells["grades"]),
            subjects=subjects,
            org=ref(reader, "org", org.id) if org and reader.covers(org.path) else None,
        )
        told.append(_base("course", row) | said | more)
    return told


def tell_classes(reader: Reader, rows: Sequence[Row]) -> list[Told]:
    told = []
    for row in rows:
        terms = row.cells["terms"]
        assert isinstance(terms, list)
        course = _ref(reader, "course", row.cells["course"]) or named_ref(reader, "course", NO_COURSE)
        said = {"title": row.cells["name"], "classType": row.cells["class_type"] or "homeroom"}
        more = _optional(classCode=row.cells["class_code"], grades=_list(row.cells["grade"]))
        told.append(
            _base("org", row)
            | said
            | more
            | {
                "course": course,
                "school": ref(reader, "org", _int(row.cells["school"])),
                "terms": [ref(reader, "academicSession", id) for id in terms] or [named_ref(reader, "academicSession", NO_TERM)],
            }
        )
    return told


def tell_enrollments(reader: Reader, rows: Sequence[Row]) -> list[Told]:
    return [
        _base("enrollment", row)
        | {
            "user": ref(reader, "user", _int(row.cells["person"])),
            "class": ref(reader, "class", _int(row.cells["class"])),
            "school": ref(reader, "org", _int(row.cells["school"])),
            "role": row.cells["role"],
            "primary": _flag(row.cells["is_primary"] and row.cells["role"] == EnrollmentRole.TEACHER.value),
        }
        | _optional(beginDate=_day(row.cells["begin_date"]), endDate=_day(row.cells["end_date"]))
        for row in rows
    ]


def tell_demographics(reader: Reader, rows: Sequence[Row]) -> list[Told]:
    told = told_people(reader, [row.id for row in rows if not row.is_gone], _DEMOGRAPHICS)
    found = []
    for row in rows:
        values = _whole(told.get(row.id))
        sex = words.SEXES.get(values.get("person.sex", ""))
        found.append(_base("person", row) | _optional(birthDate=values.get("person.birth_date"), sex=sex))
    return found


def tell_users(reader: Reader, rows: Sequence[Row]) -> list[Told]:
    """Whoever is gone is told of by their id alone: others learn that they are to forget them, and nothing more."""
    here = [row.id for row in rows if not row.is_gone]
    told = told_people(reader, here, _USER)
    roles = _roles(reader, here)
    agents = _agents(reader, here)
    return [
        _gone_user(reader, row) if row.is_gone else _user(reader, row, told.get(row.id), roles.get(row.id), agents.get(row.id))
        for row in rows
    ]


def _user(reader: Reader, row: Row, told: DisclosedPerson | None, roles: list[Told] | None, agents: list[Told] | None) -> Told:
    values, whole = (told.values if told else {}), _whole(told)
    name = values.get("person.name", "")
    family = whole.get("person.family_name") or name[:1] or _UNTOLD
    given = whole.get("person.given_name") or name[1:] or _UNTOLD
    primary = next((role["org"] for role in roles or () if role["roleType"] == "primary"), None)
    public_id = ids.encode("person", row.id)
    said: Told = {
        "username": public_id if reader.recipient else whole.get("person.username") or public_id,
        "enabledUser": _flag(row.cells["is_active"]),
        "givenName": given,
        "familyName": family,
        "roles": roles or [_former(reader)],
    }
    more = _optional(
        userMasterIdentifier=whole.get("person.number"),
        primaryOrg=primary,
        identifier=whole.get("person.number"),
        email=whole.get("person.email"),
        sms=whole.get("person.phone"),
        phone=whole.get("person.phone"),
        agents=agents,
        grades=_list(whole.get("person.grade")),
    )
    return _base("person", row) | said | more


def _gone_user(reader: Reader, row: Row) -> Told:
    said: Told = {"enabledUser": "false", "givenName": _UNTOLD, "familyName": _UNTOLD, "roles": [_former(reader)]}
    return _base("person", row) | said


def _former(reader: Reader) -> Told:
    """The standard wants a role of everybody; this is that of those who hold none."""
    top = int(reader.paths[0].rstrip("/").rsplit("/", 1)[-1])
    return {"roleType": "primary", "role": "ext:former", "org": ref(reader, "org", top)}


def _roles(reader: Reader, person_ids: Sequence[int]) -> dict[int, list[Told]]:
    """Roles within reach, of a class at its school; one per person, role and org, the first of each org being primary."""
    day = day_of(reader.now)
    held = [row for row in directory.affiliations_of_people(person_ids, day=day) if reader.covers(row.org_path)]
    taught = [row for row in directory.enrollments_of_people(person_ids, day=day) if reader.covers(row.class_path)]
    orgs = directory.orgs_by_ids({row.org_id for row in held})
    schools = directory.school_ids_above(
        [row.class_path for row in taught] + [org.path for org in orgs.values() if org.type is OrgType.CLASS]
    )
    found: dict[int, dict[tuple[str, int], Told]] = {}
    for row in held:
        org = orgs.get(row.org_id)
        if org is None or row.role.value not in words.ROLES:
            continue
        org_id = schools[org.path] if org.type is OrgType.CLASS else org.id
        _add(reader, found, row.person_id, words.ROLES[row.role.value], org_id, row)
    for place in taught:
        _add(reader, found, place.person_id, place.role.value, schools[place.class_path], None)
    return {person_id: list(lines.values()) for person_id, lines in found.items()}


def _add(
    reader: Reader,
    found: dict[int, dict[tuple[str, int], Told]],
    person_id: int,
    role: str,
    org_id: int,
    row: AffiliationData | None,
) -> None:
    lines = found.setdefault(person_id, {})
    if (role, org_id) in lines:
        return
    kind = "secondary" if any(at == org_id for _role, at in lines) else "primary"
    dates = _optional(beginDate=_day(row.begin_date), endDate=_day(row.end_date)) if row else {}
    lines[(role, org_id)] = {"roleType": kind, "role": role, "org": ref(reader, "org", org_id)} | dates


def _agents(reader: Reader, person_ids: Sequence[int]) -> dict[int, list[Told]]:
    links = directory.guardians_of(person_ids, day=day_of(reader.now))
    reached = directory.people_within(actor=reader.actor, person_ids={link.guardian_id for link in links}, now=reader.now)
    found: dict[int, list[Told]] = {}
    for link in links:
        if link.guardian_id in reached:
            found.setdefault(link.ward_id, []).append(ref(reader, "user", link.guardian_id))
    return found


def no_course(reader: Reader) -> Told:
    """The course of classes that have none, for the standard wants one of each."""
    return _unkept(NO_COURSE) | {"title": "行政班", "courseCode": ""}


def no_term(reader: Reader) -> Told:
    """The term of classes that have none."""
    dates = {"startDate": "2000-09-01", "endDate": "2001-08-31"}
    return _unkept(NO_TERM) | {"title": "未定学期"} | dates | {"type": "term", "schoolYear": "2001"}


def _unkept(sourced_id: str) -> Told:
    return {"sourcedId": sourced_id, "status": "active", "dateLastModified": "2000-01-01T00:00:00.000Z"}


def _base(kind: str, row: Row) -> Told:
    return {
        "sourcedId": ids.encode(kind, row.id),
        "status": "tobedeleted" if row.is_gone else "active",
        "dateLastModified": moment_text(row.modified_at),
    }


def _whole(told: DisclosedPerson | None) -> Mapping[str, str]:
    """What is told unmasked; half an address is none."""
    return {code: value for code, value in told.values.items() if code not in told.masked} if told else {}


def _optional(**values: object) -> Told:
    return {name: value for name, value in values.items() if value}


def _ref(reader: Reader, kind: str, row_id: object) -> Told | None:
    return ref(reader, kind, row_id) if isinstance(row_id, int) else None


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


def _day(value: object) -> str | None:
    return value.isoformat() if isinstance(value, date) else None


def _flag(value: object) -> str:
    return "true" if value else "false"


def _list(value: object) -> list[str]:
    return _parts(str(value).split(",")) if value else []


def _parts(texts: Iterable[str]) -> list[str]:
    return [text.strip() for text in texts if text.strip()]
