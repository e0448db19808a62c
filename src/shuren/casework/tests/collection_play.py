"""What plays of collections share: a form, a flow, a collection issued, and schools that fill it in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from tests.cast import Cast

from shuren.casework.models import Case, Collection, CollectionTarget, Definition, WorkItem
from shuren.casework.rules.collections import NewCollection
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.collections.fill import begin_target
from shuren.casework.services.collections.issue import issue_collection
from shuren.directory import api as directory
from shuren.directory.data import Role
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.work.api import run_pending

Define = Callable[..., Definition]

FORM: dict[str, Any] = {
    "key": "collect.basics",
    "title": {"zh": "学校基本情况", "en": "School basics"},
    "about": "org",
    "sections": [
        {
            "key": "main",
            "title": "主要数据",
            "fields": [
                {"key": "pupils", "title": "学生数", "type": "integer", "required": True, "minimum": 0},
                {"key": "area", "title": "占地面积", "type": "decimal", "places": 1},
                {"key": "has_canteen", "title": "有食堂", "type": "boolean"},
                {"key": "note", "title": "说明", "type": "text"},
                {
                    "key": "rooms",
                    "title": "功能室",
                    "type": "table",
                    "columns": [
                        {"key": "name", "title": "名称", "type": "text"},
                        {"key": "seats", "title": "座位", "type": "integer"},
                    ],
                },
            ],
        }
    ],
}

FLOW: dict[str, Any] = {
    "key": "collect.review",
    "title": {"zh": "区县审核", "en": "County review"},
    "form": "collect.basics",
    "filed_by": {"roles": ["school_admin", "head"]},
    "stages": [
        {
            "key": "county",
            "title": "区县审核",
            "who": {"role": "county_officer", "at": "county"},
            "outcomes": [
                {"key": "pass", "title": "通过", "to": "end:accepted", "tone": "good"},
                {"key": "back", "title": "退回", "to": "filer", "needs_reason": True},
            ],
        }
    ],
    "ends": [{"key": "accepted", "title": "通过", "result": "granted"}],
}


def new(cast: Cast, **changes: Any) -> NewCollection:
    told: dict[str, Any] = {
        "title": "学校基本情况一张表",
        "form": "collect.basics",
        "org_id": cast.orgs["county"].id,
        "due_at": cast.now + timedelta(days=10),
        "period": "2026",
    }
    return NewCollection(**(told | changes))


def issued(cast: Cast, define: Define, *, by: str = "county_officer", is_reviewed: bool = False, **changes: Any) -> Collection:
    """A collection with the rows of its orgs."""
    define("form", FORM)
    if is_reviewed:
        define("flow", FLOW)
        changes["flow"] = "collect.review"
    row = issue_collection(actor=cast.actor(by), new=new(cast, **changes), now=cast.now)
    run_pending()
    row.refresh_from_db()
    return row


def target_of(cast: Cast, row: Collection, org: str = "school") -> CollectionTarget:
    return CollectionTarget.objects.get(collection=row, org_id=cast.orgs[org].id)


def filled(cast: Cast, row: Collection, data: dict[str, Any], *, by: str = "school_admin", org: str = "school") -> Case:
    """The case of an org with `data` saved in it, not handed in."""
    actor = cast.actor(by)
    case = begin_target(actor=actor, target_id=target_of(cast, row, org).pk, now=cast.now)
    save_draft(actor=actor, case_id=case.pk, data=data, base_revision=case.revision, now=cast.now)
    return case


def handed_in(cast: Cast, row: Collection, data: dict[str, Any], *, by: str = "school_admin", org: str = "school") -> Case:
    case = filled(cast, row, data, by=by, org=org)
    return submit_case(actor=cast.actor(by), case_id=case.pk, now=cast.now)


def decided(cast: Cast, case: Case, outcome: str, *, by: str = "county_officer") -> None:
    item = WorkItem.objects.get(case=case, state="open")
    decide_work(actor=cast.actor(by), work_id=item.pk, outcome=outcome, comment="请核对。", now=cast.now)


def give_head(cast: Cast, person: str, org: str) -> None:
    """Let somebody be the head of another school too."""
    directory.affiliate(
        actor=SYSTEM,
        person_id=cast.people[person].id,
        org_id=cast.orgs[org].id,
        role=Role.HEAD,
        begin_date=day_of(cast.now) - timedelta(days=60),
        now=cast.now,
    )
