"""Take the last applied roster back."""

import tempfile
from datetime import datetime
from pathlib import Path

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _

from shuren.directory.data import ROSTER_UNDO_WINDOW
from shuren.directory.models import AppliedRoster, DuplicatePair, Org, OrgHistory, PendingRoster
from shuren.directory.rules.roster.kinds import KINDS, LINK, fingerprint_sql
from shuren.directory.selectors.roster import cells_sql, held_hash
from shuren.directory.services.apply_roster.before import MODELS, restore_before
from shuren.directory.services.apply_roster.offices import forget_offices
from shuren.directory.services.apply_roster.pending import delete_ranges
from shuren.directory.services.check_roster.held import pull_rows
from shuren.directory.services.check_roster.staging import Stage
from shuren.directory.services.move_org import rewrite_paths
from shuren.intake.api import import_dir, record_undone
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound


def may_undo_roster(import_id: int, *, now: datetime) -> bool:
    """Whether the import is the last one applied, and fresh enough."""
    last = AppliedRoster.objects.filter(undone_at__isnull=True).order_by("-applied_at", "-import_id").first()
    return last is not None and last.import_id == import_id and now - last.applied_at < ROSTER_UNDO_WINDOW


def undo_roster(*, actor: Actor, import_id: int, now: datetime) -> None:
    """Delete what the import added and put back what it changed; publishes `directory.roster_undone`.

    Only the last applied roster, within 24 hours, and only while nothing newer has touched its rows. Callers have
    asked `intake.api.access_import`, so that nobody undoes somebody else's import.
    """
    applied = AppliedRoster.objects.filter(pk=import_id, undone_at__isnull=True).first()
    if applied is None:
        raise NotFound(_("没有可以撤销的导入。"))
    if not may_undo_roster(import_id, now=now):
        raise Conflict(_("只能在 24 小时内撤销最后一次名册导入。"), remedy=_("请用改正后的名册再导入一次。"))
    if PendingRoster.objects.exists():
        raise Conflict(_("另一份名册正在导入，请稍后再试。"))
    folder = import_dir(import_id)
    try:
        with transaction.atomic():
            _check_untouched(applied)
            _check_unedited(import_id, folder)
            _restore(folder)
            OrgHistory.objects.filter(reason=f"import {import_id}").delete()
            _forget_pairs(applied)
            forget_offices(import_id, actor=actor, now=now)
            delete_ranges(applied.ranges)
            AppliedRoster.objects.filter(pk=import_id).update(undone_at=now)
            audit.record(actor=actor, action="directory.roster_undone", target=f"import:{import_id}", now=now)
            events.publish("directory.roster_undone", {"import_id": import_id, "ranges": applied.ranges}, now=now)
            record_undone(import_id, actor=actor, now=now)
    except IntegrityError as fault:
        raise Conflict(
            _("已有账号、成绩或授权用到这次导入的人员或机构。"), remedy=_("请先处理它们，或用改正后的名册再导入一次。")
        ) from fault


def _check_untouched(applied: AppliedRoster) -> None:
    """Every added row must still carry the import's mark: a row written later by another hand has lost it."""
    for model in MODELS.values():
        first, end = applied.ranges.get(model._meta.db_table, (0, 0))
        held = model._default_manager.filter(pk__gte=first, pk__lt=end)
        if held.count() != end - first or held.exclude(import_id=applied.import_id).exists():
            raise _touched()


def _check_unedited(import_id: int, folder: Path) -> None:
    """Every row the import wrote must still read as its fingerprint says: a hand that corrects a row leaves that as it was."""
    with tempfile.TemporaryDirectory(prefix="undo-", dir=folder) as scratch, Stage.open(Path(scratch), is_new=True) as stage:
        for kind in KINDS:
            if kind is LINK:
                continue
            columns = ", ".join(("id BIGINT", "sid VARCHAR", *(f"{cell} VARCHAR" for cell in kind.cells), "kept VARCHAR"))
            stage.duck.execute(f"CREATE TABLE now_{kind.name} ({columns})")
            pull_rows(stage, f"now_{kind.name}", f"{cells_sql(kind, (held_hash(),))} WHERE r.import_id = %s", [import_id])
            differs = f"n.kept <> '' AND unhex(n.kept) <> {fingerprint_sql(kind, 'n')}"
            if stage.value(f"SELECT count(*) FROM now_{kind.name} n WHERE {differs}"):  # noqa: S608  # constants
                raise _touched()


def _touched() -> Conflict:
    return Conflict(_("这次导入的数据后来又改过，不能撤销。"), remedy=_("请用改正后的名册再导入一次。"))


def _restore(folder: Path) -> None:
    kept_paths: dict[int, str] = {}
    now_paths: dict[int, str] = {}
    for row in restore_before(folder):
        if isinstance(row, Org):
            kept_paths[row.pk] = row.path
    if not kept_paths:
        return
    # The kept rows brought their own old paths back; whatever hangs below them follows.
    for org_id in sorted(kept_paths, key=lambda pk: len(kept_paths[pk])):
        child = Org.objects.filter(parent_id=org_id).exclude(pk__in=kept_paths).values_list("pk", "path").first()
        now_paths[org_id] = child[1].removesuffix(f"{child[0]}/") if child else kept_paths[org_id]
        if now_paths[org_id] != kept_paths[org_id]:
            rewrite_paths(old=now_paths[org_id], new=kept_paths[org_id])


def _forget_pairs(applied: AppliedRoster) -> None:
    first, end = applied.ranges.get("directory_person", (0, 0))
    if end:
        DuplicatePair.objects.filter(first_id__gte=first, first_id__lt=end).delete()
        DuplicatePair.objects.filter(second_id__gte=first, second_id__lt=end).delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM directory_formernumber WHERE person_id >= %s AND person_id < %s", [first, end])
