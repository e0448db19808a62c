"""Cases and work: the filer, whoever is asked, the offices above; an item is its holder's alone."""

from dataclasses import replace
from datetime import timedelta

from shuren.casework.data import DefinitionStatus
from shuren.casework.models import Case, Definition, DefinitionVersion, WorkItem
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.share import set_delegation
from shuren.casework.services.cases.submit import submit_case
from shuren.kernel import ids
from tests.cast import Cast
from tests.house.access.frame import EVERYBODY, MANAGERS, NOBODY, OFFICERS, ROOT, Address, Area, act, call, form, page, roles

FILER = roles("class_teacher")
HOLDER = roles("head")
SEERS = OFFICERS | roles("class_teacher head school_admin")
STARTERS = SEERS | roles("teacher")
BEGINNERS = roles("teacher class_teacher")
_FORM = {
    "key": "access.leave_form",
    "title": "请假单",
    "sections": [{"key": "main", "title": "请假", "fields": [{"key": "why", "title": "事由", "type": "text"}]}],
}
_FLOW = {
    "key": "access.leave",
    "title": "请假",
    "form": "access.leave_form",
    "filed_by": {"roles": ["teacher", "class_teacher"]},
    "stages": [
        {
            "key": "review",
            "title": "审批",
            "who": {"role": "head", "at": "school"},
            "outcomes": [{"key": "agree", "title": "同意", "to": "end:done"}],
        }
    ],
    "ends": [{"key": "done", "title": "办结", "result": "done"}],
}

CASES: dict[str, Address] = {
    "casework:cases": page(EVERYBODY),
    "casework:own_cases": page(EVERYBODY),
    "casework:new_case": form(EVERYBODY),
    "casework:case": page(SEERS, ROOT, case_id="case"),
    "casework:cancel_case": form(MANAGERS, ROOT, case_id="case"),
    "casework:urge_case": act(SEERS, ROOT, case_id="case"),
    "casework:withdraw_case": form(FILER, case_id="case"),
    "casework:fill_case": form(FILER, case_id="draft"),
    "casework:add_case_file": act(FILER, case_id="draft"),
    "casework:flows": page(EVERYBODY),
    "casework:flow": page(STARTERS, STARTERS, key="flow"),
    "casework:flow_bpmn": page(STARTERS, STARTERS, key="flow"),
    "casework:leave": form(EVERYBODY),
    "casework:end_leave": act(HOLDER, delegation_id="delegation"),
    "casework:work": page(EVERYBODY),
    "casework:work_done": page(EVERYBODY),
    "casework:approve_work": act(EVERYBODY),
    "casework:decide_work": form(HOLDER, work_id="work"),
    "casework:hand_over_work": form(HOLDER, work_id="work"),
    "casework:return_work": form(HOLDER, work_id="work"),
    "casework:add_signer": form(HOLDER, work_id="work"),
    "api-v1:list_cases": call(EVERYBODY),
    # The same paths as reading, asked by GET.
    "api-v1:create_case": call(EVERYBODY),
    "api-v1:save_case": call(SEERS, ROOT, case_id="case"),
    "api-v1:read_case": call(SEERS, ROOT, case_id="case"),
    "api-v1:hand_in": replace(call(FILER, case_id="draft"), methods=("POST",)),
    "api-v1:list_work": call(EVERYBODY),
    # Without a body nobody gets as far as the item; who may answer it is asked by the app's own tests.
    "api-v1:decide": replace(call(NOBODY, work_id="work"), methods=("POST",), granted=frozenset({422}), denied=frozenset({422})),
    "api-v1:definition_openapi": call(BEGINNERS, BEGINNERS, kind="kind", key="flow"),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A case that waits for the head, a draft, and a head's delegation, near and far."""
    for kind, body in (("form", _FORM), ("flow", _FLOW)):
        status = DefinitionStatus.IN_FORCE.value
        made = Definition.objects.create(kind=kind, key=body["key"], title_zh=body["title"], status=status)
        made.current = DefinitionVersion.objects.create(definition=made, number=1, body=body, digest="", made_at=cast.now)
        made.save()
    near, far = _filed(cast, "class_teacher", "class"), _filed(cast, "far_class_teacher", "far_class")
    drafts = _drafted(cast, "class_teacher", "class"), _drafted(cast, "far_class_teacher", "far_class")
    return {
        "case": (ids.encode("case", near.pk), ids.encode("case", far.pk)),
        "draft": (ids.encode("case", drafts[0].pk), ids.encode("case", drafts[1].pk)),
        "work": (_work_of(near), _work_of(far)),
        "delegation": (_delegated(cast, "head", "staff"), _delegated(cast, "far_head", "far_class_teacher")),
        "flow": ("access.leave", "access.leave"),
        "kind": ("flow", "flow"),
    }


def _drafted(cast: Cast, filer: str, org: str) -> Case:
    return file_case(actor=cast.actor(filer), flow="access.leave", org_id=cast.orgs[org].id, data={"why": "看病"}, now=cast.now)


def _filed(cast: Cast, filer: str, org: str) -> Case:
    return submit_case(actor=cast.actor(filer), case_id=_drafted(cast, filer, org).pk, now=cast.now)


def _work_of(case: Case) -> str:
    return ids.encode("work", WorkItem.objects.get(case=case).pk)


def _delegated(cast: Cast, absent: str, delegate: str) -> str:
    begin = cast.now + timedelta(days=30)
    row = set_delegation(
        actor=cast.actor(absent),
        delegate_id=cast.people[delegate].id,
        begin_at=begin,
        end_at=begin + timedelta(days=1),
        now=cast.now,
    )
    return ids.encode("delegation", row.pk)


AREA = Area(CASES, places)
