"""What a person's page says about roles, classes and family, and what may be added to or ended in each."""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.directory.data import Role
from shuren.directory.selectors.person_detail import Belonging, PersonDetail, Relative
from shuren.directory.views.words import RELATIONS, ROLES
from shuren.kernel import ids
from shuren.pages.data import Action


@dataclass(frozen=True, slots=True)
class Line:
    """One tie: to what, as what, since when and until when; `url` leads there, `end_url` ends it."""

    label: str
    kind: str
    period: str
    has_ended: bool
    url: str = ""
    end_url: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its ties; `current` holds those still to begin as well."""

    key: str
    title: str
    lines: tuple[Line, ...]
    actions: tuple[Action, ...]

    @property
    def current(self) -> list[Line]:
        return [line for line in self.lines if not line.has_ended]

    @property
    def past(self) -> list[Line]:
        return [line for line in self.lines if line.has_ended]


def person_url(public_id: str, page: str = "person") -> str:
    return reverse(f"directory:{page}", args=[public_id])


def sections_of(detail: PersonDetail) -> list[Section]:
    """The sections that have something to show or to add."""
    additions = _additions(detail)
    guardians = [_relative(detail, other, is_guardian=True) for other in detail.guardians]
    wards = [_relative(detail, other, is_guardian=False) for other in detail.wards]
    lines = {
        "roles": (_("任职与就读"), [_belonging(detail, line, "end_role", "affiliation") for line in detail.affiliations]),
        "classes": (_("班级"), [_belonging(detail, line, "leave_class", "enrollment") for line in detail.enrollments]),
        "family": (_("家庭"), [*guardians, *wards]),
    }
    sections = [Section(key, title, tuple(found), additions.get(key, ())) for key, (title, found) in lines.items()]
    return [section for section in sections if section.lines or section.actions]


def _belonging(detail: PersonDetail, line: Belonging, page: str, kind: str) -> Line:
    """Orgs outside the reader's scope are named without a link."""
    return Line(
        label=line.org_name,
        kind=str(ROLES[line.role]),
        period=_period(line.begin_date, line.end_date),
        has_ended=line.has_ended,
        url=reverse("directory:org", args=[line.org_public_id]) if line.org_id in detail.open_org_ids else "",
        end_url=_end_url(detail, page, kind, line.id) if line.may_end else "",
    )


def _relative(detail: PersonDetail, other: Relative, *, is_guardian: bool) -> Line:
    may_end = is_guardian and detail.may_manage and not other.has_ended
    kind = RELATIONS.get(other.relation, other.relation) or _("监护人")
    return Line(
        label=other.person.name,
        kind=str(kind) if is_guardian else _("孩子"),
        period=_period(other.begin_date, other.end_date),
        has_ended=other.has_ended,
        url=person_url(other.person.public_id) if other.is_open else "",
        end_url=_end_url(detail, "end_guardian", "person", other.person.id) if may_end else "",
    )


def _period(begin: date | None, end: date | None) -> str:
    words = {"begin": begin.isoformat() if begin else "", "end": end.isoformat() if end else ""}
    if begin and end:
        return _("%(begin)s 至 %(end)s") % words
    return _("%(begin)s 起") % words if begin else _("到 %(end)s") % words if end else ""


def _end_url(detail: PersonDetail, page: str, kind: str, id: int) -> str:
    return reverse(f"directory:{page}", args=[detail.person.public_id, ids.encode(kind, id)])


def _additions(detail: PersonDetail) -> dict[str, tuple[Action, ...]]:
    """What whoever looks after this person may add, by section."""
    if not detail.may_manage:
        return {}

    def to(page: str, label: str, icon: str = "plus") -> Action:
        return Action(label=label, url=person_url(detail.person.public_id, page), icon=icon)

    learning = [line for line in detail.enrollments if line.role is Role.PUPIL and not line.has_ended]
    roles = {line.role for line in detail.affiliations if not line.has_ended}
    added: dict[str, tuple[Action, ...]] = {"roles": (to("add_role", _("添加角色")),)}
    if learning or Role.PUPIL in roles:
        has_home = any(line.is_primary for line in learning)
        home = to("transfer", _("转班或转学") if has_home else _("编班"), "switch-horizontal")
        added["classes"] = (home, to("enrol", _("加入教学班"))) if detail.has_taught_classes else (home,)
        added["family"] = (to("link_guardian", _("登记监护人")),)
    elif roles - {Role.PARENT}:
        added["classes"] = (to("enrol", _("安排任教")),)
    return added
