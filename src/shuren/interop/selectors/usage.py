"""How an app was used, by day."""

from collections import defaultdict
from datetime import date, timedelta

from django.db.models import Count, Sum

from shuren.interop.data import UsageDay
from shuren.interop.models import CallCount, LaunchCount
from shuren.interop.rules.quotas import percentile


def usage_of(app_id: int, *, until: date, days: int = 30) -> list[UsageDay]:
    """The last `days` days of an app the caller has accessed, newest first, quiet days too; two grouped queries."""
    since = until - timedelta(days=days - 1)
    calls: defaultdict[date, dict[str, dict[int, int]]] = defaultdict(lambda: defaultdict(dict))
    rows = CallCount.objects.filter(app_id=app_id, day__gte=since, day__lte=until)
    for day, outcome, bucket, count in rows.values_list("day", "outcome", "bucket", "count"):
        calls[day][outcome][bucket] = count
    launches = {
        row["day"]: (row["users"], row["launches"])
        for row in LaunchCount.objects.filter(app_id=app_id, day__gte=since, day__lte=until)
        .values("day")
        .annotate(users=Count("id"), launches=Sum("count"))
    }
    return [_day(until - timedelta(days=back), calls, launches) for back in range(days)]


def _day(day: date, calls: dict[date, dict[str, dict[int, int]]], launches: dict[date, tuple[int, int]]) -> UsageDay:
    seen = calls.get(day, {})
    answered: defaultdict[int, int] = defaultdict(int)
    for outcome in ("done", "error"):
        for bucket, count in seen.get(outcome, {}).items():
            answered[bucket] += count
    users, opened = launches.get(day, (0, 0))
    return UsageDay(
        day=day,
        calls=sum(answered.values()),
        errors=sum(seen.get("error", {}).values()),
        refused=sum(seen.get("refused", {}).values()),
        users=users,
        launches=opened,
        p95_ms=percentile(answered, 0.95),
    )
