"""The strong roles of a roster that a person brought: they wait for a second pair of eyes, as those given on a page do."""

from datetime import date, datetime

from django.utils.translation import gettext as _

from shuren.directory.data import Role
from shuren.directory.models import Grant, Org, Person
from shuren.directory.services.affiliate import Entry, holds_already
from shuren.directory.services.ask_office import waits_already, write_asked
from shuren.directory.services.check_roster.hands import check_exclusions
from shuren.directory.services.check_roster.staging import Stage
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict


def check_hands(stage: Stage, *, now: datetime) -> None:
    """Refuse to apply when somebody in the file has become an administrator since it was checked."""
    if check_exclusions(stage, now=now):
        raise Conflict(_("检查之后，名册中有人成了管理员，不能再担任名册里的岗位。"), remedy=_("请重新检查这个文件，再导入。"))


def ask_offices(stage: Stage, import_id: int, *, actor: Actor, now: datetime) -> int:
    """Write the waiting grants, within the caller's transaction; returns how many. What waits or holds already is left."""
    rows = stage.rows(
        "SELECT p.id, o.id, t.role, t.begin_date, t.end_date, t.is_primary, t.sid FROM office t "
        "JOIN ids_person p ON p.sid = t.person JOIN ids_org o ON o.sid = t.org ORDER BY t.src, t.row"
    )
    people = {row.pk: row for row in Person.objects.filter(pk__in={row[0] for row in rows}, merged_into__isnull=True)}
    orgs = {row.pk: row for row in Org.objects.filter(pk__in={row[1] for row in rows})}
    asked = 0
    for person_id, org_id, role, begin, end, is_primary, sid in rows:
        if person_id not in people:
            continue
        dates = (_date(begin), _date(end))
        entry = Entry(people[person_id], orgs[org_id], Role(role), *dates, is_primary=is_primary != "false", sourced_id=sid)
        if not waits_already(entry, now=now) and not holds_already(entry):
            write_asked(entry, actor=actor, now=now, import_id=import_id)
            asked += 1
    return asked


def forget_offices(import_id: int, *, actor: Actor, now: datetime) -> None:
    """Take back what an undone import asked for and nobody confirmed."""
    waiting = Grant.objects.filter(office__import_id=import_id, confirmed_at__isnull=True)
    for grant in waiting:
        details = {"person_id": grant.person_id, "role": grant.role, "org_id": grant.org_id, "reason": "import undone"}
        audit.record(actor=actor, action="directory.role_revoked", target=f"grant:{grant.pk}", details=details, now=now)
    waiting.delete()


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
