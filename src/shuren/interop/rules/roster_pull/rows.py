"""Objects of OneRoster REST as rows of OneRoster CSV: what the house's roster import reads."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from shuren.directory.data import RosterTie
from shuren.interop.data import Resource
from shuren.interop.rules.oneroster.words import ROLES
from shuren.interop.rules.roster_pull.cells import Cells, Malformed, Reason

NO_COURSE = "shuren-no-course"
NO_TERM = "shuren-no-term"
GONE = "tobedeleted"
_UNTOLD = "*"
_ID_LENGTH = 64
Row = dict[str, str]
# Names of the CSV file and one of its rows.
Line = tuple[str, Row]
# Beyond the standard's columns: what a blank would otherwise be taken for.
EXTRA_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "users": ("metadata.username",),
    "roles": ("metadata.role",),
    "courses": ("metadata.isPlaceholder",),
    "academicSessions": ("metadata.isPlaceholder",),
}
# Roles that a file never hands out: a person grants them.
_GRANTED = "systemAdministrator"
_KNOWN_ROLES = frozenset({*ROLES.values(), "guardian", "relative", "counselor", "proctor"}) - {_GRANTED}
_PLACES = frozenset(("student", "teacher", "administrator", "proctor"))


@dataclass(slots=True)
class Frame:
    """What decides how objects are written: whether ends are told, what is taken, and what is held already.

    `top_id` is the org there that stands for `org_id` here; `ties` are the roles held of the page's people in this branch.
    """

    is_delta: bool
    org_id: str
    top_id: str = ""
    has_courses: bool = True
    has_terms: bool = True
    ties: Mapping[str, list[RosterTie]] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def org(self, sourced_id: str) -> str:
        return self.org_id if sourced_id and sourced_id == self.top_id else sourced_id

    def leave_out(self, what: str) -> None:
        self.left_out[what] = self.left_out.get(what, 0) + 1


def lines_of(resource: Resource, sent: Cells, frame: Frame) -> list[Line]:
    """The rows that one object becomes; raises `Malformed`."""
    base = _base(sent, frame)
    if base["status"] == GONE and resource in (Resource.SESSIONS, Resource.COURSES):
        # They have no end of their own.
        return []
    return _WRITERS[resource](sent, base, frame)


def is_gone(sent: Cells) -> bool:
    return sent.sent.get("status") == GONE


def _base(sent: Cells, frame: Frame) -> Row:
    sourced_id = sent.id()
    status = sent.text("status") or "active"
    # Services of 1.1 say `inactive` of what still holds.
    if status not in ("active", "inactive", GONE):
        raise Malformed("status", Reason.WORD, status)
    changed = sent.moment("dateLastModified")
    row = {"sourcedId": sourced_id, "status": "", "dateLastModified": ""}
    if frame.is_delta:
        row["dateLastModified"] = changed.isoformat(timespec="milliseconds")
        row["status"] = GONE if status == GONE else "active"
    return row


def _org(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    parent = sent.ref("parent")
    told = {"name": sent.text("name", is_required=True), "type": sent.text("type", is_required=True)}
    return [("orgs", base | told | {"identifier": sent.text("identifier"), "parentSourcedId": parent})]


def _session(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    row = base | {
        "title": sent.text("title", is_required=True),
        "type": sent.text("type", is_required=True),
        "startDate": sent.day("startDate", is_required=True),
        "endDate": sent.day("endDate", is_required=True),
        "parentSourcedId": sent.ref("parent"),
        "schoolYear": _year(sent),
        "metadata.isPlaceholder": "true" if base["sourcedId"] == NO_TERM else "",
    }
    return [("academicSessions", row)]


def _year(sent: Cells) -> str:
    value = sent.sent.get("schoolYear")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else sent.text("schoolYear", is_required=True)


def _course(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    row = base | {
        "schoolYearSourcedId": sent.ref("schoolYear") if frame.has_terms else "",
        "title": sent.text("title", is_required=True),
        "courseCode": sent.text("courseCode"),
        "grades": sent.words("grades"),
        "orgSourcedId": frame.org(sent.ref("org")) or frame.org_id,
        "subjects": sent.words("subjects"),
        "subjectCodes": sent.words("subjectCodes"),
        "metadata.isPlaceholder": "true" if base["sourcedId"] == NO_COURSE else "",
    }
    return [("courses", row)]


def _class(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    is_ending = base["status"] == GONE
    course = sent.ref("course") if frame.has_courses and not is_ending else ""
    terms = sent.refs("terms") if frame.has_terms and not is_ending else []
    row = base | {
        "title": sent.text("title", is_required=True),
        "grades": sent.words("grades"),
        "courseSourcedId": course or NO_COURSE,
        "classCode": sent.text("classCode"),
        "classType": sent.text("classType") or "homeroom",
        "location": sent.text("location"),
        "schoolSourcedId": frame.org(sent.ref("school", is_required=True)),
        "termSourcedIds": ",".join(terms) or NO_TERM,
        "periods": sent.words("periods"),
    }
    return [("classes", row)]


def _user(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    if base["status"] == GONE:
        row = base | {"enabledUser": "false", "username": base["sourcedId"], "givenName": _UNTOLD, "familyName": _UNTOLD}
        return [("users", row), *_ended_roles(base, set(), frame)]
    username = sent.text("username")
    row = base | {
        "enabledUser": sent.switch("enabledUser", is_required=True),
        "username": username or base["sourcedId"],
        "metadata.username": username,
        "givenName": sent.text("givenName", is_required=True),
        "familyName": sent.text("familyName", is_required=True),
        "middleName": sent.text("middleName"),
        "identifier": sent.text("identifier"),
        "email": sent.text("email"),
        "sms": sent.text("sms"),
        "phone": sent.text("phone") or sent.text("sms"),
        "agentSourcedIds": ",".join(sent.refs("agents")),
        "grades": sent.words("grades"),
    }
    roles = _roles(sent, base, frame)
    return [("users", row), *roles, *_ended_roles(base, {line["sourcedId"] for _file, line in roles}, frame)]


def _roles(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    """The roles of a user, each under the id that the same role is held by, so that nothing is written twice."""
    user, found = base["sourcedId"], []
    taken: set[str] = set()
    for number, one in enumerate(sent.many("roles")):
        told = _inside(one, f"roles[{number}]")
        role, org = told.text("role", is_required=True), frame.org(told.ref("org", is_required=True))
        if role == _GRANTED or role.startswith("ext:"):
            frame.leave_out("granted_roles" if role == _GRANTED else "other_roles")
            continue
        if role not in _KNOWN_ROLES:
            raise Malformed(f"roles[{number}].role", Reason.WORD, role)
        held = next((tie for tie in frame.ties.get(user, ()) if tie.org == org and ROLES.get(tie.role) == role), None)
        sourced_id = held.sourced_id if held else _role_id(user, role, org)
        if sourced_id in taken:
            continue
        taken.add(sourced_id)
        row = base | {
            "sourcedId": sourced_id,
            "userSourcedId": user,
            "roleType": told.text("roleType") or "primary",
            "role": role,
            "beginDate": told.day("beginDate"),
            "endDate": told.day("endDate"),
            "orgSourcedId": org,
            "metadata.role": held.role if held else "",
        }
        found.append(("roles", row))
    return found


def _ended_roles(base: Row, told: set[str], frame: Frame) -> list[Line]:
    """In a full file what is missing has ended; of changes alone that has to be said."""
    if not frame.is_delta:
        return []
    ended = [tie for tie in frame.ties.get(base["sourcedId"], ()) if tie.holds and tie.sourced_id not in told]
    return [
        (
            "roles",
            base
            | {
                "sourcedId": tie.sourced_id,
                "status": GONE,
                "userSourcedId": base["sourcedId"],
                "roleType": "secondary",
                "role": ROLES.get(tie.role, "aide"),
                "metadata.role": tie.role,
                "orgSourcedId": tie.org,
            },
        )
        for tie in ended
    ]


def _role_id(user: str, role: str, org: str) -> str:
    plain = f"{user}.{role}.{org}"
    return plain if len(plain) <= _ID_LENGTH else hashlib.blake2b(plain.encode(), digest_size=20).hexdigest()


def _demographics(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    sex = sent.text("sex")
    if sex and sex not in ("male", "female", "unspecified", "other"):
        raise Malformed("sex", Reason.WORD, sex)
    return [("demographics", base | {"birthDate": sent.day("birthDate"), "sex": sex})]


def _enrollment(sent: Cells, base: Row, frame: Frame) -> list[Line]:
    role = sent.text("role", is_required=True)
    if role.startswith("ext:"):
        frame.leave_out("other_roles")
        return []
    if role not in _PLACES:
        raise Malformed("role", Reason.WORD, role)
    row = base | {
        "classSourcedId": sent.ref("class", is_required=True),
        "schoolSourcedId": frame.org(sent.ref("school", is_required=True)),
        "userSourcedId": sent.ref("user", is_required=True),
        "role": role,
        "primary": sent.switch("primary"),
        "beginDate": sent.day("beginDate"),
        "endDate": sent.day("endDate"),
    }
    return [("enrollments", row)]


def _inside(value: object, field: str) -> Cells:
    return Cells.of(value, field)


_WRITERS: dict[Resource, Callable[[Cells, Row, Frame], list[Line]]] = {
    Resource.ORGS: _org,
    Resource.SESSIONS: _session,
    Resource.COURSES: _course,
    Resource.CLASSES: _class,
    Resource.USERS: _user,
    Resource.DEMOGRAPHICS: _demographics,
    Resource.ENROLLMENTS: _enrollment,
}
