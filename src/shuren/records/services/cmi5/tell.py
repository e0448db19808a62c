"""Statements of the system itself go through the same door as everybody's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shuren.kernel.data import SYSTEM
from shuren.records.models import Course, CoursePart, CourseRegistration
from shuren.records.rules.cmi5.statements import Telling, Thing
from shuren.records.rules.cmi5.words import BLOCK_TYPE, COURSE_TYPE, PartKind
from shuren.records.rules.received import Received
from shuren.records.rules.requests import OLD
from shuren.records.rules.statements import check_statement
from shuren.records.selectors.cmi5.clients import CLIENT
from shuren.records.services.callers import DEFINE, WRITE, Caller, account_of
from shuren.records.services.store_statements import store_statements


def tell(statements: Sequence[dict[str, Any]], *, issuer: str, now: datetime) -> None:
    """Keep statements of the system, in the caller's transaction."""
    if not statements:
        return
    authority = {"objectType": "Agent", "account": {"homePage": issuer, "name": CLIENT}}
    caller = Caller(
        client_id=CLIENT,
        name=CLIENT,
        scopes=frozenset({WRITE, DEFINE}),
        actor=SYSTEM,
        space=CLIENT,
        person_id=None,
        authority=authority,
    )
    received = Received([check_statement(one, version=OLD) for one in statements])
    store_statements(caller=caller, received=received, version=OLD, issuer=issuer, now=now)


def telling_of(registration: CourseRegistration, session_id: object, *, issuer: str) -> Telling:
    return Telling(account_of(registration.person_id, issuer=issuer), str(registration.key), str(session_id))


def thing_of(part: CoursePart) -> Thing:
    type_ = BLOCK_TYPE if part.kind == PartKind.BLOCK else part.activity_type
    return Thing(part.activity, part.publisher_id, part.title, part.description, type_)


def course_thing(course: Course) -> Thing:
    return Thing(course.activity, course.publisher_id, course.title, course.description, COURSE_TYPE)
