"""Where a person belongs, asked when a service or an identity provider is only for one branch."""

from datetime import datetime

from shuren.directory import api as directory
from shuren.kernel import clock


def places_of(person_id: int, *, now: datetime) -> frozenset[str]:
    """Paths of all a person's duties and classes, and for guardians of the classes of their wards."""
    day = clock.day_of(now)
    duties = directory.duty_paths_of([person_id], now=now).get(person_id, frozenset())
    wards = [link.ward_id for link in directory.wards_of([person_id], day=day)]
    classes = directory.enrollments_of_people([person_id, *wards], day=day)
    return duties | {row.class_path for row in classes}


def is_of_branch(person_id: int | None, path: str, *, now: datetime) -> bool:
    """Whether anything a person is lies in the branch `path`; an account without a person belongs to the root only."""
    if person_id is None:
        return path.count("/") == 1
    return any(place.startswith(path) for place in places_of(person_id, now=now))


def is_only_of_branch(person_id: int, path: str, *, now: datetime) -> bool:
    """Whether all that a person is lies in the branch `path`, and there is something."""
    places = places_of(person_id, now=now)
    return bool(places) and all(place.startswith(path) for place in places)
