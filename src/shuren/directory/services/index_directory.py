"""Put orgs and people into the search index."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date

from django.db.models import Q

from shuren.directory.data import OrgStatus, OrgType
from shuren.directory.models import Affiliation, Enrollment, FormerNumber, Org, Person
from shuren.directory.selectors.orgs import orgs_above
from shuren.directory.services.trace_roster import Trace
from shuren.kernel.scope import path_q
from shuren.search.api import index_documents, remove_documents, settle_index
from shuren.search.data import Document
from shuren.standards.api import is_sensitive

_BATCH = 2_000
# So many documents change what the index is like.
_MANY = 10_000


def index_orgs(org_ids: Collection[int]) -> int:
    """Index these orgs; what is closed or merged is forgotten."""
    rows = list(Org.objects.visible().filter(pk__in=org_ids, status=OrgStatus.ACTIVE))
    remove_documents("org", set(org_ids) - {org.pk for org in rows})
    return index_documents(_org_documents(rows))


def index_people(person_ids: Collection[int], *, day: date) -> int:
    """Index these people; who was merged is forgotten, and found under the kept row by the former number."""
    rows = list(Person.objects.visible().filter(pk__in=person_ids, merged_into__isnull=True))
    remove_documents("person", set(person_ids) - {person.pk for person in rows})
    return index_documents(_person_documents(rows, day))


def index_branch(
    path: str, *, day: date, after: int = 0, on_progress: Callable[[int, int], None] = lambda last, done: None
) -> int:
    """Index every org in the branch and everybody who belongs there, in order of person id from `after` on.

    `on_progress` is told the last person id and how many are done, so that a killed job goes on from there.
    """
    done = 0
    if not after:
        ended = Org.objects.visible().filter(path_q("path", [path])).exclude(status=OrgStatus.ACTIVE)
        remove_documents("org", ended.values_list("pk", flat=True))
        done = index_documents(_org_stream(path))
    while True:
        belongs = Affiliation.objects.visible().filter(path_q("org_path", [path]), person_id__gt=after)
        enrolled = Enrollment.objects.visible().filter(path_q("org_path", [path]), person_id__gt=after)
        wanted = {
            person_id
            for rows in (belongs, enrolled)
            for person_id in rows.order_by("person_id").values_list("person_id", flat=True).distinct()[:_BATCH]
        }
        if not wanted:
            if done >= _MANY:
                settle_index()
            return done
        batch = sorted(wanted)[:_BATCH]
        done += index_people(batch, day=day)
        after = batch[-1]
        on_progress(after, done)


def index_trace(
    trace: Trace, *, day: date, after: int = 0, on_progress: Callable[[int, int], None] = lambda last, done: None
) -> int:
    """Index the orgs and people that a roster touched, in order of person id from `after` on; see `index_branch`."""
    done = 0
    if not after:
        for start in range(0, len(trace.orgs), _BATCH):
            done += index_orgs(trace.orgs[start : start + _BATCH])
    people = trace.people[trace.people > after]
    for start in range(0, len(people), _BATCH):
        batch = people[start : start + _BATCH].tolist()
        done += index_people(batch, day=day)
        on_progress(batch[-1], done)
    return done


def forget_added(ranges: Mapping[str, list[int]]) -> None:
    """Forget the rows of a roster that was undone; `ranges` names the ids it had added per table."""
    for kind, model in (("org", Org), ("person", Person)):
        remove_documents(kind, range(*ranges.get(model._meta.db_table, (0, 0))))


def _org_stream(path: str) -> Iterator[Document]:
    rows = Org.objects.visible().filter(path_q("path", [path]), status=OrgStatus.ACTIVE).order_by("path").defer("geometry")
    batch: list[Org] = []
    for org in rows.iterator(chunk_size=_BATCH):
        batch.append(org)
        if len(batch) >= _BATCH:
            yield from _org_documents(batch)
            batch = []
    yield from _org_documents(batch)


def _org_documents(rows: Collection[Org]) -> Iterator[Document]:
    above = orgs_above([org.path for org in rows])
    for org in rows:
        # A class is found by its school's name too; the way from the province down would only fill the index.
        chain = [above[int(part)].name for part in org.path.split("/")[-3:-2] if part and int(part) in above]
        title = f"{chain[0]} {org.name}" if chain and org.type in (OrgType.CLASS, OrgType.GRADE) else org.name
        yield Document("org", org.pk, title=title, text=" ".join(filter(None, [org.short_name, org.code])), path=org.path)


def _person_documents(rows: Collection[Person], day: date) -> Iterator[Document]:
    person_ids = [person.pk for person in rows]
    paths: defaultdict[int, dict[str, str]] = defaultdict(dict)
    still_open = Q(end_date__isnull=True) | Q(end_date__gt=day)
    for person_id, path, name in (
        Enrollment.objects.visible()
        .filter(still_open, person_id__in=person_ids)
        .order_by("-is_primary", "id")
        .values_list("person_id", "org_path", "class_org__name")
    ):
        paths[person_id].setdefault(path, name)
    for person_id, path, name in (
        Affiliation.objects.visible()
        .filter(still_open, person_id__in=person_ids)
        .order_by("-is_primary", "id")
        .values_list("person_id", "org_path", "org__name")
    ):
        paths[person_id].setdefault(path, name)
    # No pupil number, not even a former one: words are found by their beginnings, and one of form G states the citizen id.
    former: defaultdict[int, list[str]] = defaultdict(list)
    rest = FormerNumber.objects.filter(person_id__in=person_ids).exclude(kind="pupil_number")
    for person_id, value in rest.values_list("person_id", "value"):
        if not is_sensitive(value, "person.staff_number"):
            former[person_id].append(value)
    for person in rows:
        places = paths[person.pk]
        text = " ".join([person.number, *former[person.pk], *dict.fromkeys(places.values())])
        first, *others = [*places] or [""]
        yield Document("person", person.pk, title=person.name, text=text, path=first, other_paths=tuple(others))
