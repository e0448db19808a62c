"""How much forms ask, and how much of it they fill in by themselves: per form, and per org for one form."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import CaseTally, Definition
from shuren.casework.selectors.tallies import tally_of_orgs, tally_within
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page
from shuren.kernel.scope import Scope, path_q

_FILLED = (DefinitionKind.FORM.value, DefinitionKind.FLOW.value)


@dataclass(frozen=True, slots=True)
class Burden:
    """`asked` fields in `cases` cases, of which `saved` were filled in by themselves; `public_id` of a form, if it is one."""

    name: str
    cases: int
    asked: int
    saved: int
    public_id: str = ""

    @property
    def saved_percent(self) -> float | None:
        return 100 * self.saved / self.asked if self.asked else None


def burden_by_form(*, actor: Actor, search: str = "", number: int = 1, size: int = 25, now: datetime) -> Page[Burden]:
    """Forms and flows by title, with the sums over the cases that the actor may look into; sums only of the page.

    What an org built itself is listed to those in whose branches it lies, and to those below it.
    """
    rows = Definition.objects.filter(_near(_scope(actor, now)), kind__in=_FILLED, current__isnull=False)
    if search:
        rows = rows.filter(Q(title_zh__contains=search) | Q(title_en__icontains=search))
    total = rows.count()
    page = list(rows.order_by("title_zh", "pk")[(number - 1) * size : number * size])
    tally = tally_within(_scope(actor, now)).filter(definition_id__in=[row.pk for row in page])
    sums = {row["definition_id"]: row for row in _summed(tally.values("definition_id").order_by())}
    found = [_burden(row.title, sums.get(row.pk), ids.encode("definition", row.pk)) for row in page]
    return Page(rows=found, total=total, is_exact=True, number=number, size=size)


def access_burden(*, actor: Actor, id: int, now: datetime) -> Definition:
    """The form, if the actor may look into cases anywhere and it is listed to them."""
    scope = _scope(actor, now)
    row = Definition.objects.filter(_near(scope), pk=id, kind__in=_FILLED).first()
    if row is None or scope.is_empty:
        raise NotFound(_("没有找到这张表。"))
    return row


def burden_by_org(*, actor: Actor, definition: Definition, number: int = 1, size: int = 25, now: datetime) -> Page[Burden]:
    """What one form asks of every org within the actor's reach, in the order of the tree; classes count for their school."""
    tally = tally_of_orgs(_scope(actor, now)).filter(definition=definition)
    grouped = tally.values("org_id", "org__name", "org_path").order_by("org_path")
    total = tally.order_by().values("org_path").distinct().count()
    page = _summed(grouped)[(number - 1) * size : number * size]
    found = [_burden(row["org__name"], row) for row in page]
    return Page(rows=found, total=total, is_exact=True, number=number, size=size)


def _scope(actor: Actor, now: datetime) -> Scope:
    return directory.scope_of(actor=actor, permission=Permission.VIEW_CASES, now=now)


def _near(scope: Scope) -> Q:
    above = {path[: end + 1] for path in scope.paths for end, sign in enumerate(path) if sign == "/"}
    return Q(pack__isnull=False) | Q(org_path__in={"", *above}) | path_q("org_path", scope.paths)


def _summed(rows: Any) -> QuerySet[CaseTally, dict[str, Any]]:
    found: QuerySet[CaseTally, dict[str, Any]] = rows.annotate(
        all_cases=Sum("cases"), all_asked=Sum("asked"), all_saved=Sum("saved")
    )
    return found


def _burden(name: str, sums: dict[str, Any] | None, public_id: str = "") -> Burden:
    told = sums or {"all_cases": 0, "all_asked": 0, "all_saved": 0}
    return Burden(name=name, cases=told["all_cases"], asked=told["all_asked"], saved=told["all_saved"], public_id=public_id)
