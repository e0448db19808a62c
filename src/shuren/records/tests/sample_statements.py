"""Statements as clients send them, small and whole."""

from typing import Any
from uuid import uuid4

VERB = "http://adlnet.gov/expapi/verbs/answered"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
ACTIVITY = "https://example.org/activities/fractions"
COURSE = "https://example.org/courses/mathematics"
AGENT = {"objectType": "Agent", "mbox": "mailto:pupil@example.org"}
TEACHER = {"objectType": "Agent", "account": {"homePage": "https://school.example.org", "name": "teacher"}}
TEAM = {"objectType": "Group", "name": "第一组", "member": [AGENT, TEACHER]}


def small(**changed: Any) -> dict[str, Any]:
    """A statement with nothing that may be left out; `changed` replaces properties."""
    return {"actor": AGENT, "verb": {"id": VERB}, "object": {"id": ACTIVITY}} | changed


def whole(**changed: Any) -> dict[str, Any]:
    """A statement with everything that 1.0.3 knows about an activity."""
    return {
        "id": str(uuid4()),
        "actor": {**AGENT, "name": "李同学"},
        "verb": {"id": VERB, "display": {"zh-CN": "回答", "en-US": "answered"}},
        "object": {
            "objectType": "Activity",
            "id": ACTIVITY,
            "definition": {
                "name": {"zh-CN": "分数", "en-US": "Fractions"},
                "description": {"zh-CN": "哪些等于二分之一？"},
                "type": "http://adlnet.gov/expapi/activities/cmi.interaction",
                "moreInfo": "https://example.org/about",
                "interactionType": "choice",
                "correctResponsesPattern": ["a[,]b"],
                "choices": [{"id": "a", "description": {"zh-CN": "2/4"}}, {"id": "b", "description": {"zh-CN": "3/6"}}],
                "extensions": {"https://example.org/difficulty": 0.3},
            },
        },
        "result": {
            "score": {"scaled": 0.5, "raw": 5, "min": 0, "max": 10},
            "success": True,
            "completion": False,
            "response": "a",
            "duration": "PT4M3.2S",
            "extensions": {"https://example.org/tries": None},
        },
        "context": {
            "registration": str(uuid4()),
            "instructor": TEACHER,
            "team": TEAM,
            "contextActivities": {"parent": [{"id": COURSE}], "category": {"id": "https://example.org/profile"}},
            "revision": "2",
            "platform": "练习",
            "language": "zh-CN",
            "statement": {"objectType": "StatementRef", "id": str(uuid4())},
            "extensions": {"https://example.org/class": {"name": "三（2）班"}},
        },
        "timestamp": "2026-03-01T08:30:00.123+08:00",
    } | changed


def about(statement_id: str, **changed: Any) -> dict[str, Any]:
    """A statement about another one."""
    return small(object={"objectType": "StatementRef", "id": statement_id}, **changed)


def voiding(statement_id: str) -> dict[str, Any]:
    return about(statement_id, verb={"id": VOIDED}, actor=TEACHER)
