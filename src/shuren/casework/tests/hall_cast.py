"""The hall's cast: the portal's, with the packs of public services, and ways through a case."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from tests.cast import Cast

from shuren.casework.models import Case, WorkItem
from shuren.casework.services.cases.decide import decide_work
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.hall.apply import begin_application
from shuren.kernel.data import Actor

PACK = Path(__file__).parents[4] / "packs" / "gov"
PROOF = {"purpose": "insurance", "language": "zh", "copies": 0, "contact_name": "张父", "phone": "13800138010"}
QUESTION = {
    "topic": "enrolment",
    "subject": "租房能否报名",
    "question": "我是张父，电话 13800138010，租房能报名吗？",
    "contact_name": "张父",
    "phone": "13800138010",
    "may_publish": True,
}


@lru_cache(maxsize=1)
def bodies() -> tuple[tuple[str, dict[str, Any]], ...]:
    """The definitions of the pack, as (kind, body); the pack's own test takes it in with every check."""
    kinds = ("form", "flow", "item", "register")
    return tuple(
        (kind, yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
        for kind in kinds
        for path in sorted((PACK / f"{kind}s").glob("*.yaml"))
    )


def install_gov(define: Callable[[str, dict[str, Any]], object]) -> None:
    for kind, body in bodies():
        define(kind, body)


def applied(cast: Cast, item: str, data: dict[str, Any], *, who: str = "parent", matter: str = "", org: str = "") -> Case:
    """A case of an item handed in: by the parent for the pupil unless said otherwise."""
    actor = cast.actor(who)
    found = matter or f"person-{cast.people['pupil'].public_id}"
    org_id = cast.orgs[org].id if org else None
    case = begin_application(actor=actor, item=item, matter=found, org_id=org_id, data={}, now=cast.now)
    save_draft(actor=actor, case_id=case.pk, data={**case.data, **data}, base_revision=case.revision, now=cast.now)
    return submit_case(actor=actor, case_id=case.pk, now=cast.now)


def decided(cast: Cast, case: Case, who: str | Actor, outcome: str, comment: str = "", **written: Any) -> Case:
    """The open item of a case answered by somebody of the cast."""
    actor = cast.actor(who) if isinstance(who, str) else who
    work_id = WorkItem.objects.get(case=case, state="open").pk
    return decide_work(actor=actor, work_id=work_id, outcome=outcome, comment=comment, written=written, now=cast.now)


def proof_given(cast: Cast) -> Case:
    """A proof of the school roll, applied for by the parent and given by the school."""
    case = applied(cast, "gov.enrolment_proof", PROOF)
    return decided(cast, case, "school_admin", "grant")
