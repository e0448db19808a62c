"""Definitions that the tests of flows run on, and how a case gets to a stage."""

from datetime import datetime
from typing import Any

from tests.cast import Cast

from shuren.casework.models import Case, WorkItem
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.messaging import api as messaging

LEAVE_FORM: dict[str, Any] = {
    "key": "office.leave_form",
    "title": {"zh": "请假单", "en": "Leave form"},
    "sections": [
        {
            "key": "main",
            "title": "请假",
            "fields": [
                {"key": "reason", "title": "事由", "type": "text", "required": True},
                {"key": "days", "title": "天数", "type": "integer", "minimum": 1, "maximum": 30, "required": True},
                {"key": "secret", "title": "病历号", "type": "text", "grade": "L4"},
                {
                    "key": "judges",
                    "title": "评审人",
                    "type": "table",
                    "columns": [{"key": "person", "title": "姓名", "type": "person"}],
                },
            ],
        }
    ],
}
AGREE = {"key": "agree", "title": {"zh": "同意", "en": "Agree"}, "to": "end:granted", "tone": "good"}
REFUSE = {
    "key": "refuse",
    "title": {"zh": "不同意", "en": "Refuse"},
    "to": "end:refused",
    "needs_reason": True,
    "tone": "bad",
}
ENDS = [
    {"key": "granted", "title": {"zh": "准予", "en": "Granted"}, "result": "granted"},
    {"key": "refused", "title": {"zh": "不予", "en": "Refused"}, "result": "refused"},
]


def stage(key: str = "review", **changes: Any) -> dict[str, Any]:
    """A stage of the school's head, who agrees or refuses."""
    said = {
        "key": key,
        "title": {"zh": "校长审批", "en": "Head"},
        "who": {"role": "head", "at": "school"},
        "outcomes": [AGREE, REFUSE],
    }
    return said | changes


def flow(*stages: dict[str, Any], **changes: Any) -> dict[str, Any]:
    said = {
        "key": "office.leave",
        "title": {"zh": "教师请假", "en": "Leave"},
        "form": "office.leave_form",
        "prefix": "QJ",
        "filed_by": {"roles": ["teacher", "class_teacher", "school_admin"]},
        "stages": list(stages) or [stage()],
        "ends": ENDS,
    }
    return said | changes


GOOD = {"reason": "看病", "days": 2}


def filed(cast: Cast, *, by: str = "class_teacher", org: str = "class", now: datetime | None = None, **more: Any) -> Case:
    data = GOOD | more.pop("data", {})
    return file_case(
        actor=cast.actor(by), flow="office.leave", org_id=cast.orgs[org].id, carried=data, now=now or cast.now, **more
    )


def submitted(cast: Cast, *, by: str = "class_teacher", now: datetime | None = None, **more: Any) -> Case:
    case = filed(cast, by=by, now=now, **more)
    return submit_case(actor=cast.actor(by), case_id=case.pk, now=now or cast.now)


def open_item(case: Case, **where: Any) -> WorkItem:
    return WorkItem.objects.get(case=case, state="open", **where)


def titles_to(cast: Cast, person: str) -> list[str]:
    """What somebody was told, in the order in which it happened."""
    page = messaging.notices_of(cast.people[person].id, size=100)
    return [notice.title for notice in reversed(page.rows)]
