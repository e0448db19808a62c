"""Scores and findings of the runs that are shown, inside the reader's scope."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from shuren.datahub.data import QualityRule
from shuren.datahub.models import QualityRun, QualityScore
from shuren.datahub.rules.quality.sql import failing_rows
from shuren.datahub.selectors.quality_rules import quality_rule, quality_rules, rules_to_run
from shuren.datahub.selectors.snapshots import current
from shuren.datahub.selectors.sql import query
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission
from shuren.intake import api as intake
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of, stream_of
from shuren.kernel.scope import Scope, next_path, path_q

TALLIES = "datahub.quality"


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """An org with its score, its score on the last day before that was measured, and how many rows wait in quarantine."""

    org: OrgData
    score: QualityScore
    before: float | None
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class RuleRow:
    """What one rule found in a branch."""

    rule: QualityRule
    checked: int
    failed: int

    @property
    def share(self) -> float | None:
        return None if self.checked == 0 else 100 * (1 - self.failed / self.checked)


def current_runs() -> list[QualityRun]:
    return list(QualityRun.objects.filter(is_current=True).order_by("dataset"))


def current_run(dataset: str) -> QualityRun | None:
    return QualityRun.objects.filter(is_current=True, dataset=dataset).first()


def measured_org(*, actor: Actor, id: int, now: datetime) -> OrgData:
    """An org whose quality the actor may look at; `NotFound` outside their scope."""
    return directory.access_org(actor=actor, id=id, permission=Permission.VIEW_QUALITY, now=now)


def page_of_scores(
    *, run: QualityRun, scope: Scope, org_type: str, parent: OrgData | None, number: int, size: int
) -> Page[ScoreRow]:
    """Orgs of one type, the worst first; those that no rule looked at come last."""
    found = page_of(_ranked(run, scope, org_type, parent), lambda score: score, number=number, size=size)
    return Page(rows=_rows(run, found.rows), total=found.total, is_exact=found.is_exact, number=found.number, size=found.size)


def stream_of_scores(*, run: QualityRun, scope: Scope, org_type: str, parent: OrgData | None) -> Iterator[ScoreRow]:
    return stream_of(_ranked(run, scope, org_type, parent), lambda scores: _rows(run, scores))


def types_measured(run: QualityRun, scope: Scope) -> list[str]:
    """The types of org that have a score here, outermost first."""
    found = QualityScore.objects.filter(path_q("org_path", scope.paths), run=run).values_list("org_type", flat=True).distinct()
    return sorted(found)


def scores_of(org: OrgData) -> list[tuple[QualityRun, QualityScore]]:
    """The scores of one org, a dataset each."""
    scores = QualityScore.objects.filter(org_id=org.id, run__is_current=True).select_related("run").order_by("run__dataset")
    return [(score.run, score) for score in scores]


def trend_of(org: OrgData, dataset: str, *, most: int = 60) -> list[tuple[date, float]]:
    """The last score of every day that was measured, oldest first."""
    past = QualityScore.objects.filter(org_id=org.id, run__dataset=dataset, run__shown_at__isnull=False, score__isnull=False)
    newest = list(past.order_by("-run__measured_at").values_list("run__day", "score")[: most * 2])
    return sorted({day: score for day, score in newest[::-1] if score is not None}.items())[-most:]


def rules_over(org: OrgData, dataset: str) -> list[RuleRow]:
    """What every rule found in the org and below, the most failures first."""
    if current(TALLIES, {"measured": dataset}) is None:
        return []
    rows = query(
        "SELECT rule, sum(checked) AS checked, sum(failed) AS failed FROM datahub_quality "
        "WHERE org_path >= ? AND org_path < ? GROUP BY rule",
        params=[org.path, next_path(org.path)],
        datasets=[TALLIES],
        partitions={"measured": dataset},
    ).to_pylist()
    found = {row["rule"]: (int(row["checked"]), int(row["failed"])) for row in rows}
    shown = [RuleRow(rule, *found[rule.code]) for rule in quality_rules(dataset) if rule.code in found]
    return sorted(shown, key=lambda row: (-row.failed * row.rule.weight, row.rule.code))


def failing_page(org: OrgData, code: str, *, after: int, size: int, today: date) -> tuple[QualityRule, list[tuple[int, int]]]:
    """Whose the rows of a branch are that fail a rule, after so many of them: org and person, 0 where a row is about nobody."""
    rule = quality_rule(code)
    if rule.measured:
        raise NotFound(_("这条规则比较的是总数，没有单独的行。"))
    rules, layout = rules_to_run(rule.dataset)
    if current_run(rule.dataset) is None or layout is None or rule not in rules:
        return rule, []
    columns = [layout.unit, *([layout.person] if layout.person else [])]
    sql = failing_rows(rule, columns, today=today, layout=layout)
    rows = query(sql, params=[org.path, next_path(org.path), size, after], datasets=[rule.dataset]).to_pylist()
    return rule, [(_last(str(row[layout.unit])), int(row.get(layout.person) or 0)) for row in rows]


def _last(path: str) -> int:
    """The org that a path ends with."""
    return int(path.rstrip("/").rpartition("/")[2])


def _ranked(run: QualityRun, scope: Scope, org_type: str, parent: OrgData | None) -> QuerySet[QualityScore]:
    rows = QualityScore.objects.filter(path_q("org_path", scope.paths), run=run, org_type=org_type)
    if parent is not None:
        rows = rows.filter(path_q("org_path", [parent.path]))
    return rows.order_by(F("score").asc(nulls_last=True), "id")


def _rows(run: QualityRun, scores: list[QualityScore]) -> list[ScoreRow]:
    orgs = directory.orgs_by_ids(score.org_id for score in scores)
    past = QualityRun.objects.filter(dataset=run.dataset, shown_at__isnull=False, day__lt=run.day).order_by("-day").first()
    before = dict(QualityScore.objects.filter(run=past, org_id__in=list(orgs)).values_list("org_id", "score")) if past else {}
    waiting = intake.waiting_by_org([score.org_path for score in scores])
    return [
        ScoreRow(orgs[score.org_id], score, before.get(score.org_id), waiting.get(score.org_path, 0))
        for score in scores
        if score.org_id in orgs
    ]


def quarantined_under(org: OrgData) -> int:
    """How many rows that imports left out wait to be mended in the org and below."""
    return intake.waiting_by_org([org.path]).get(org.path, 0)
