"""Who builds a flow, or files a case, gets no further by it than by their own rights."""

from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Entry
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.define import DefinitionRefused, put_definition
from shuren.casework.services.form_refused import FormRefused
from shuren.casework.services.registers.write import add_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import LEAVE_FORM, flow, stage
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Refused

SECRETS: dict[str, Any] = {
    "key": "bureau.secrets",
    "title": "内部台账",
    "at": ["school"],
    "keep": ["county_officer"],
    "identity": ["name"],
    "label": "name",
    "sections": [{"key": "all", "title": "全部", "fields": [{"key": "name", "title": "名称", "type": "text", "required": True}]}],
}
DIARY = SECRETS | {"key": "school.diary", "title": "日志", "keep": ["school_admin"]}
FORM: dict[str, Any] = {
    "key": "own.form",
    "title": "自建表",
    "sections": [
        {
            "key": "main",
            "title": "内容",
            "fields": [
                {"key": "name", "title": "名称", "type": "text"},
                {"key": "which", "title": "哪一条", "type": "entry", "register": "bureau.secrets"},
                {"key": "sign", "title": "签名", "type": "signature"},
            ],
        }
    ],
}


def own_flow(**end: Any) -> dict[str, Any]:
    """The filer decides alone: whatever the end does is done by whoever built it."""
    done = {"key": "done", "title": "完成", "result": "done", **end}
    asked = stage(who={"filer": True}, outcomes=[{"key": "ok", "title": "确定", "to": "end:done"}])
    return flow(asked, key="own.flow", form="own.form", filed_by={"roles": ["school_admin", "class_teacher"]}, ends=[done])


def build(cast: Cast, by: str, org: str, kind: DefinitionKind, body: dict[str, Any]) -> None:
    put_definition(actor=cast.actor(by), kind=kind, body=body, org_id=cast.orgs[org].id, now=cast.now)


@pytest.fixture
def registers(define: Define) -> None:
    define("register", SECRETS)
    define("register", DIARY)
    define("form", FORM)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"entries": [{"register": "bureau.secrets", "set": {"name": "name"}}]}, "ends.done.entries.0.register"),
        ({"function": "casework.carry_out_subject_request"}, "ends.done.function"),
    ],
)
def test_what_the_builder_may_not_do_no_end_does(cast: Cast, registers: None, said: dict[str, Any], place: str) -> None:
    with pytest.raises(DefinitionRefused) as refused:
        build(cast, "school_admin", "school", DefinitionKind.FLOW, own_flow(**said))
    assert [finding.path for finding in refused.value.findings] == [place]


def test_what_the_builder_keeps_an_end_may_write(cast: Cast, registers: None) -> None:
    said = {"entries": [{"register": "school.diary", "set": {"name": "name"}}]}
    build(cast, "school_admin", "school", DefinitionKind.FLOW, own_flow(**said))


def test_a_flow_built_at_a_school_runs_nowhere_else(cast: Cast, registers: None) -> None:
    build(cast, "school_admin", "school", DefinitionKind.FLOW, own_flow())
    file_case(actor=cast.actor("class_teacher"), flow="own.flow", org_id=cast.orgs["class"].id, now=cast.now)
    with pytest.raises(Refused, match="不是给"):
        file_case(actor=cast.actor("far_class_teacher"), flow="own.flow", org_id=cast.orgs["far_class"].id, now=cast.now)


def test_anyone_files_where_they_belong(cast: Cast, define: Define) -> None:
    define("form", LEAVE_FORM)
    define("flow", flow(filed_by={"anyone": True}))
    file_case(actor=cast.actor("parent"), flow="office.leave", org_id=cast.orgs["class"].id, now=cast.now)
    with pytest.raises(Refused):
        file_case(actor=cast.actor("parent"), flow="office.leave", org_id=cast.orgs["far_school"].id, now=cast.now)


def test_nobody_names_an_entry_they_cannot_see(cast: Cast, registers: None, define: Define) -> None:
    define("flow", own_flow())
    row = add_entry(actor=SYSTEM, register="bureau.secrets", org_id=cast.orgs["far_school"].id, data={"name": "甲"}, now=cast.now)
    told = {"id": ids.encode("entry", Entry.objects.get(pk=row.pk).pk), "name": "看起来无害"}
    case = file_case(
        actor=cast.actor("class_teacher"), flow="own.flow", org_id=cast.orgs["class"].id, data={"which": told}, now=cast.now
    )
    with pytest.raises(FormRefused):
        submit_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now)


def test_nobody_signs_for_others(cast: Cast, registers: None, define: Define) -> None:
    define("flow", own_flow())
    head = cast.people["head"]
    forged = {"person": head.public_id, "name": head.name, "at": "2026-09-01T08:00:00+08:00", "digest": "0" * 64}
    case = file_case(
        actor=cast.actor("class_teacher"), flow="own.flow", org_id=cast.orgs["class"].id, data={"sign": forged}, now=cast.now
    )
    assert "sign" not in case.data
