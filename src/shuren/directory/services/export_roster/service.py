"""Export a branch of the directory as a roster."""

import tempfile
from datetime import datetime
from pathlib import Path

from django.utils.translation import gettext as _

from shuren.directory.data import Permission, RosterForm
from shuren.directory.models import Person
from shuren.directory.rules.roster.kinds import AFFILIATION, ENROLLMENT, KINDS, LINK, ORG, PERSON, SESSION, Kind
from shuren.directory.selectors.orgs import org_row_for
from shuren.directory.selectors.roster import branch_condition, cells_sql
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.check_roster.held import pull_rows
from shuren.directory.services.check_roster.staging import Stage
from shuren.directory.services.export_roster.changes import keep_changed
from shuren.directory.services.export_roster.package import write_package
from shuren.directory.services.export_roster.recipient import notice_for, tell_only
from shuren.directory.services.export_roster.workbook import write_workbook
from shuren.directory.services.seal_national_id import opened
from shuren.kernel import audit
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, Refused

_CHUNK = 5_000


def export_roster(
    *,
    actor: Actor,
    org_id: int,
    form: RosterForm,
    path: Path,
    now: datetime,
    has_national_ids: bool = False,
    notice_id: int | None = None,
    since: datetime | None = None,
) -> dict[str, int]:
    """Write everybody and everything that now holds in the branch of `org_id`; returns the rows per file or sheet.

    Needs the right to export rosters on the branch; national ids besides that the right to see sensitive data. Without
    it pupil numbers stay out too, for those of form G state the national id. The audit says what was written.
    Importing the written file again changes nothing.

    With `notice_id` the file is for the recipient that this notice names: everybody in it is told of by `disclose_people`,
    national ids never. Such a file is not for importing here again.

    With `since` it is a OneRoster delta: what changed at or after that moment, and what ended as `tobedeleted`.
    """
    if since is not None and (form is not RosterForm.ONEROSTER or notice_id is not None):
        raise Invalid(_("只取变化的名册只能是 OneRoster 压缩包，也不能是给应用的。"), remedy=_("请导出全部名册。"))
    if has_national_ids and notice_id is not None:
        raise Refused(_("给应用的名册里不能有身份证件号。"))
    org = org_row_for(actor=actor, id=org_id, permission=Permission.EXPORT_ROSTER, now=now)
    if has_national_ids:
        org_row_for(actor=actor, id=org_id, permission=Permission.VIEW_SENSITIVE, now=now)
    hidden = set() if has_national_ids else {"national_id"}
    if not scope_of(actor=actor, permission=Permission.VIEW_SENSITIVE, now=now).covers(org.path):
        hidden.add("pupil_number")
    notice = notice_for(org=org, notice_id=notice_id, now=now) if notice_id is not None else None
    day = day_of(now).isoformat()
    details: dict[str, object] = {"org_id": org.pk, "form": form.value, "has_national_ids": has_national_ids}
    path.parent.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="shuren-export-", dir=path.parent) as scratch,
        Stage.open(Path(scratch), is_new=True) as stage,
    ):
        for kind in KINDS:
            _fill(stage, kind, org.path, day)
        _drop_loose_ends(stage)
        if has_national_ids:
            _open_national_ids(stage)
        else:
            stage.duck.execute("UPDATE person SET national_id = ''")
        if notice is not None:
            details |= {"recipient": notice.recipient, "purpose": notice.purpose}
            details |= {"left_out": tell_only(stage, notice, actor=actor, now=now)}
        if since is not None:
            details |= {"since": since.isoformat()}
            keep_changed(stage, org.path, since=since, day=day_of(now))
        counts = (
            write_package(stage, path, hidden=hidden, is_delta=since is not None)
            if form is RosterForm.ONEROSTER
            else write_workbook(stage, path, hidden=hidden)
        )
    details |= {"counts": counts, "has_pupil_numbers": "pupil_number" not in hidden}
    audit.record(actor=actor, action="directory.roster_exported", target=f"org:{org.pk}", details=details, now=now)
    return counts


def _fill(stage: Stage, kind: Kind, path: str, day: str) -> None:
    """Stage the held rows of a kind inside the branch, in order of their ids."""
    condition, parameters = branch_condition(kind, [path]) if not _is_whole(kind, path) else ("true", [])
    if kind is PERSON and parameters:
        # Guardians come with their wards, wherever they work themselves: without them a file would end their links.
        wards = condition.replace("r.id IN", "l.ward_id IN", 1)
        held = _holding(LINK, day).replace("r.", "l.")
        condition = f"({condition} OR r.id IN (SELECT l.guardian_id FROM {LINK.table} l WHERE {wards}{held}))"
        parameters = [*parameters, *parameters]
    extra = {PERSON: ("r.family_name", "r.given_name"), ORG: ("r.path",)}.get(kind, ())
    table = f"out_{kind.name}"
    cells = (
        "id BIGINT",
        "sid VARCHAR",
        *(f"{cell} VARCHAR" for cell in kind.cells),
        *(f"x{n} VARCHAR" for n in range(len(extra))),
    )
    stage.duck.execute(f"CREATE TABLE {table} ({', '.join(cells)})")
    pull_rows(stage, table, f"{cells_sql(kind, extra)} WHERE {condition}{_holding(kind, day)}", parameters)
    names = {PERSON: {"x0": "family_name", "x1": "given_name"}}.get(kind, {})
    columns = ["sid", *kind.cells, *names] if kind is not LINK else list(kind.cells)
    targets = [names.get(column, column) for column in columns]
    order = "len(x0) - len(replace(x0, '/', '')), id" if kind is ORG else "id"
    stage.duck.execute(
        f"INSERT INTO {kind.name} (src, row, {', '.join(targets)}) SELECT 0, row_number() OVER (ORDER BY {order}), "
        f"{', '.join(columns)} FROM {table}"
    )
    if kind is ORG:
        stage.duck.execute("UPDATE org SET is_class = 'true' WHERE type = 'class'")
    if kind is not PERSON:
        stage.duck.execute(f"DROP TABLE {table}")


def _is_whole(kind: Kind, path: str) -> bool:
    """Sessions belong to nobody; for the root branch everybody is exported, tied to an org or not."""
    return kind in (SESSION,) or (kind is PERSON and path.count("/") == 1)


def _holding(kind: Kind, day: str) -> str:
    if kind is ORG:
        return " AND r.status = 'active'"
    if kind is PERSON:
        return " AND r.merged_into_id IS NULL"
    if kind in (AFFILIATION, ENROLLMENT, LINK):
        return f" AND (r.end_date IS NULL OR r.end_date > '{day}')"
    return ""


def _drop_loose_ends(stage: Stage) -> None:
    """A branch stands alone: its top has no parent outside, people without a tie that still holds stay out."""
    stage.duck.execute("UPDATE org SET school = ''")
    stage.duck.execute("DELETE FROM affiliation WHERE org NOT IN (SELECT sid FROM org)")
    stage.duck.execute("DELETE FROM enrollment WHERE org NOT IN (SELECT sid FROM org)")
    stage.duck.execute("DELETE FROM link WHERE ward NOT IN (SELECT sid FROM person)")
    stage.duck.execute("DELETE FROM link WHERE guardian NOT IN (SELECT sid FROM person)")
    tied = (
        "SELECT person FROM affiliation UNION SELECT person FROM enrollment UNION "
        "SELECT guardian FROM link UNION SELECT ward FROM link"
    )
    stage.duck.execute(f"DELETE FROM person WHERE sid NOT IN ({tied}) AND enabled = 'false'")
    stage.duck.execute("DELETE FROM affiliation WHERE person NOT IN (SELECT sid FROM person)")
    stage.duck.execute("DELETE FROM enrollment WHERE person NOT IN (SELECT sid FROM person)")
    # The nearest school above a class, which the format wants beside its class.
    stage.duck.execute(
        "UPDATE org SET school = u.school FROM (WITH RECURSIVE up AS (SELECT sid, parent AS at FROM org WHERE is_class "
        "= 'true' "
        "UNION ALL SELECT u.sid, o.parent FROM up u JOIN org o ON o.sid = u.at WHERE o.type IN ('grade', 'campus')) "
        "SELECT u.sid, min(u.at) AS school FROM up u JOIN org o ON o.sid = u.at WHERE o.type IN ('school', "
        "'teaching_point') GROUP BY u.sid) u "
        "WHERE u.sid = org.sid"
    )
    stage.duck.execute("UPDATE enrollment SET school = o.school FROM org o WHERE o.sid = enrollment.org")


def _open_national_ids(stage: Stage) -> None:
    ids = [
        row[0]
        for row in stage.rows("SELECT o.id FROM out_person o JOIN person p ON p.sid = o.sid WHERE o.national_id_index <> ''")
    ]
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        opened_ids = [
            (sid, opened(bytes(sealed)))
            for sid, sealed in Person.objects.filter(pk__in=part).values_list("sourced_id", "national_id_sealed")
            if sealed
        ]
        if opened_ids:
            stage.duck.executemany("UPDATE person SET national_id = ? WHERE sid = ?", [(text, sid) for sid, text in opened_ids])
