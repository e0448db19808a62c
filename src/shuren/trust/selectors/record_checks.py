"""Whether rows of other apps still are what they put on record.

An app announces in its configuration `records_on_log = {"consent": "shuren.directory.selectors.….consents_on_record"}`: the word
that subjects begin with, and a function that yields every row of the kind as (id, digests), as it stands now. More than one
digest may be right where what was digested names something that has a new name since, such as a person who was merged.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice

from django.apps import apps
from django.utils.module_loading import import_string

from shuren.trust.models import LogEntry

Rows = Iterable[tuple[int, Collection[bytes]]]
_AT_ONCE = 500


def faults_of_records(*, on_progress: Callable[[int], None] = lambda _count: None) -> Iterator[str]:
    """Rows of other apps that are not what was put on record, never were put there, or are gone."""
    for kind, path in sorted(_announced().items()):
        rows: Callable[[], Rows] = import_string(path)
        yield from _faults_of_kind(kind, rows(), on_progress)


def _announced() -> dict[str, str]:
    found: dict[str, str] = {}
    for config in apps.get_app_configs():
        found |= getattr(config, "records_on_log", {})
    return found


def _faults_of_kind(kind: str, rows: Rows, on_progress: Callable[[int], None]) -> Iterator[str]:
    # Counted first: what comes meanwhile is found below, and only what is gone makes fewer.
    due = LogEntry.objects.filter(subject__startswith=f"{kind}:").values("subject").distinct().count()
    seen = 0
    waiting = iter(rows)
    while some := list(islice(waiting, _AT_ONCE)):
        subjects = [f"{kind}:{number}" for number, _digests in some]
        found = LogEntry.objects.filter(subject__in=subjects).order_by("pk").values_list("subject", "digest")
        on_record = {subject: bytes(digest) for subject, digest in found}
        for subject, (_number, digests) in zip(subjects, some, strict=True):
            if subject not in on_record:
                yield f"{subject} was never put on record"
            elif on_record[subject] not in digests:
                yield f"{subject} is not what was put on record"
        seen += len(on_record)
        on_progress(seen)
    if seen < due:
        yield f"{due - seen} rows of the kind {kind} that were put on record are gone"
