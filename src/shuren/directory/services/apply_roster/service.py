"""Apply a checked roster from end to end."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from shuren.directory.models import Affiliation, AppliedRoster, Enrollment, GuardianLink, Org, OrgHistory, PendingRoster, Person
from shuren.directory.models.rosters import moment
from shuren.directory.rules.roster.kinds import COURSE, KINDS, LINK, ORG, PERSON
from shuren.directory.rules.tree import child_path
from shuren.directory.selectors.roster import unmapped
from shuren.directory.services.apply_roster import writes
from shuren.directory.services.apply_roster.before import check_unmoved, keep_before
from shuren.directory.services.apply_roster.offices import ask_offices, check_hands
from shuren.directory.services.apply_roster.pending import undo_pending
from shuren.directory.services.apply_roster.plan import added_counts, make_plan, reserve_ids
from shuren.directory.services.apply_roster.touch import touch_people
from shuren.directory.services.apply_roster.writers import batch_in, copy_in, is_postgresql, run_for_ids, update_rows
from shuren.directory.services.apply_roster.writes import Write
from shuren.directory.services.check_roster.staging import FILE_NAME, Stage, remove_stage
from shuren.directory.services.move_org import rewrite_paths
from shuren.intake.api import import_dir, import_state, record_applied
from shuren.intake.data import ImportStatus
from shuren.kernel import audit, events
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.kernel.moments import stored
from shuren.kernel.statistics import refresh_statistics

_LOCK = 7_206_001
# So many new rows change what a table is like.
_MANY = 10_000
Progress = Callable[[int, int], None]


def apply_roster(*, import_id: int, now: datetime, on_progress: Progress) -> dict[str, Any]:
    """Write what the check found, all or nothing; publishes `directory.roster_applied`.

    On PostgreSQL everything is one transaction. On SQLite new rows go in by short batches that no reader sees, and one
    transaction changes, ends, and shows them. A run that was killed is undone before the next one starts.
    """
    state = import_state(import_id)
    folder = import_dir(import_id)
    if state.status == ImportStatus.APPLIED:
        remove_stage(folder)
        return {"counts": dict(state.counts)}
    if state.difference.get("needs_confirmation") and not (state.options.get("confirm_ended") or (folder / "confirmed").exists()):
        raise Invalid(_("这份名册会使很多人员或机构结束。"), remedy=_("请核对差异并确认后再导入。"))
    if not (folder / FILE_NAME).exists():
        raise Invalid(_("检查结果已经清理。"), remedy=_("请重新检查这个文件。"))
    undo_pending(import_id)
    actor = state.owner
    with unmapped(), Stage.open(folder, is_new=False) as stage:
        run = _Run(stage, import_id, actor, now, on_progress)
        if is_postgresql():
            run.apply_at_once()
        else:
            try:
                run.apply_in_batches()
            except BaseException:
                undo_pending(import_id)
                raise
    remove_stage(folder)
    if sum(run.added.values()) >= _MANY:
        refresh_statistics(Org, Person, Affiliation, Enrollment, GuardianLink)
    return {"counts": run.counts}


class _Run:
    """One applying: the stage, what was reserved, and how far it is."""

    def __init__(self, stage: Stage, import_id: int, actor: Actor, now: datetime, on_progress: Progress) -> None:
        self.stage = stage
        self.import_id = import_id
        self.actor = actor
        self.now = now
        self.day = day_of(now).isoformat()
        # When readers see it: a long import begins minutes earlier, and who asks for changes in between must find them later.
        self.shown_at = now
        self.on_progress = on_progress
        self.added = added_counts(stage)
        self.total = sum(self.added.values()) + 1
        self.done = 0
        self.ranges: dict[str, list[int]] = {}
        self.counts = self._counts()

    def _counts(self) -> dict[str, dict[str, int]]:
        counts = {}
        for kind in KINDS:
            by_action = dict(self.stage.rows(f"SELECT action, count(*) FROM diff_{kind.name} GROUP BY action"))
            ended = int(self.stage.value(f"SELECT count(*) FROM end_{kind.name}"))
            counts[kind.name] = {
                "added": by_action.get("add", 0),
                "changed": by_action.get("change", 0),
                "ended": ended,
                "unchanged": self.stage.passed(kind.name) + by_action.get("same", 0),
            }
        return counts

    def apply_at_once(self) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            self.ranges = reserve_ids(self.added)
            make_plan(self.stage, self.ranges)
            for write in self._inserts():
                copy_in(self.stage, write, self._advance)
            self._switch()
        self._advance(1)

    def apply_in_batches(self) -> None:
        with transaction.atomic():
            if PendingRoster.objects.exists():
                raise Conflict(_("另一份名册正在导入，请稍后再试。"))
            self.ranges = reserve_ids(self.added)
            PendingRoster.objects.create(import_id=self.import_id, ranges=self.ranges, begun_at=self.now)
        make_plan(self.stage, self.ranges)
        for write in self._inserts():
            batch_in(self.stage, write, self._advance)
        with transaction.atomic():
            self._switch()
            PendingRoster.objects.filter(import_id=self.import_id).delete()
        self._advance(1)

    def _advance(self, rows: int) -> None:
        self.done += rows
        self.on_progress(self.done, self.total)

    def _inserts(self) -> list[Write]:
        order: list[Write] = []
        for kind in KINDS:
            if kind is not LINK or self.added.get(LINK.table):
                order.append(writes.inserts(kind, self.import_id))
            if kind is COURSE:
                order += [writes.class_details("add"), writes.class_terms("add")]
        return order

    def _switch(self) -> None:
        """Change, end, move and tell, within the caller's transaction; after it everything is seen at once."""
        check_unmoved(self.stage)
        check_hands(self.stage, now=self.now)
        keep_before(self.stage)
        moves = self._moves()
        self.shown_at = moment()
        for kind in KINDS:
            if self.counts[kind.name]["changed"]:
                update_rows(self.stage, writes.updates(kind, self.import_id, self.shown_at))
        if self.counts[PERSON.name]["changed"]:
            update_rows(self.stage, writes.sealed_updates())
            update_rows(self.stage, writes.cleared_ids())
        if self.counts[ORG.name]["changed"]:
            self._change_classes()
        self._end()
        for org_id, parent_id in moves:
            self._move(org_id, parent_id)
        touch_people(self.stage, self.ranges, at=self.shown_at)
        ask_offices(self.stage, self.import_id, actor=self.actor, now=self.now)
        self._tell()

    def _change_classes(self) -> None:
        update_rows(self.stage, writes.class_details("change"))
        classes = [
            row[0]
            for row in self.stage.rows(
                "SELECT d.id FROM diff_org d JOIN org t USING (sid) WHERE d.action = 'change' AND t.is_class = 'true'"
            )
        ]
        run_for_ids(classes, "DELETE FROM directory_classdetail_terms WHERE classdetail_id IN {ids}")
        if is_postgresql():
            copy_in(self.stage, writes.class_terms("change"), lambda _: None)
        else:
            batch_in(self.stage, writes.class_terms("change"), lambda _: None)

    def _end(self) -> None:
        """Nothing is deleted: what ended keeps its rows, without fingerprint, so that it may come back."""
        blank = "row_hash = %s, import_id = %s, modified_at = %s"
        blank_values = (b"", self.import_id, stored(self.shown_at))
        later = "greatest(%s, begin_date)" if is_postgresql() else "max(%s, coalesce(begin_date, ''))"
        today = f"CAST({later.replace('%s', 'CAST(%s AS date)')} AS date)" if is_postgresql() else later
        for name, table in (("affiliation", "directory_affiliation"), ("enrollment", "directory_enrollment")):
            run_for_ids(
                self._ended(name),
                f"UPDATE {table} SET {blank}, end_date = {today} WHERE id IN {{ids}}",
                (*blank_values, self.day),
            )  # constants
        run_for_ids(
            self._ended("link"),
            "UPDATE directory_guardianlink SET end_date = %s, import_id = %s WHERE id IN {ids}",
            (self.day, self.import_id),
        )
        run_for_ids(
            self._ended("person"),
            f"UPDATE directory_person SET {blank}, is_active = %s WHERE id IN {{ids}}",
            (*blank_values, False),
        )  # constants
        closed = self._ended("org")
        run_for_ids(
            closed,
            f"UPDATE directory_org SET {blank}, status = 'closed', end_date = %s WHERE id IN {{ids}}",
            (*blank_values, self.day),
        )  # constants
        self._remember(closed, "closed", {"status": "active"}, {"status": "closed"})

    def _ended(self, name: str) -> list[int]:
        return [row[0] for row in self.stage.rows(f"SELECT id FROM end_{name}")]

    def _remember(self, org_ids: list[int], change: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        reason = f"import {self.import_id}"
        OrgHistory.objects.bulk_create(
            (OrgHistory(org_id=id, at=self.now, change=change, before=before, after=after, reason=reason) for id in org_ids),
            batch_size=500,
        )

    def _moves(self) -> list[tuple[int, int]]:
        """Orgs that change their parent, from the top of the new tree down."""
        return [
            (org_id, parent_id)
            for org_id, parent_id in self.stage.rows(
                "SELECT d.id, p.id FROM diff_org d JOIN org t USING (sid) JOIN place_org p ON p.sid = t.parent "
                "JOIN was_org w ON w.id = d.id WHERE d.action = 'change' AND w.parent <> t.parent ORDER BY p.depth, d.id"
            )
        ]

    def _move(self, org_id: int, parent_id: int) -> None:
        paths = dict(Org.objects.filter(pk__in=(org_id, parent_id)).values_list("pk", "path"))
        new = child_path(paths[parent_id], org_id)
        if new != paths[org_id]:
            rewrite_paths(old=paths[org_id], new=new)
            self._remember([org_id], "moved", {"path": paths[org_id]}, {"parent_id": parent_id, "path": new})

    def _tell(self) -> None:
        AppliedRoster.objects.create(
            import_id=self.import_id,
            ranges=self.ranges,
            counts=self.counts,
            applied_at=self.now,
            shown_at=self.shown_at,
        )
        audit.record(
            actor=self.actor,
            action="directory.roster_applied",
            target=f"import:{self.import_id}",
            details=self.counts,
            now=self.now,
        )
        events.publish("directory.roster_applied", {"import_id": self.import_id, "counts": self.counts}, now=self.now)
        record_applied(self.import_id, {"written": self.counts}, now=self.now)
