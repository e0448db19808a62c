"""Putting definitions into force: by whom, with what changed, and never past people who are filling them in."""

from copy import deepcopy
from typing import Any

import pytest
from tests.cast import Cast

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Case, Definition, Pack
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.services.define import DefinitionRefused, OpenCasesCannotFollow, put_definition
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound, Refused
from shuren.kernel.models import AuditEntry, Event

FORM: dict[str, Any] = {
    "key": "own.visit",
    "title": {"zh": "来访登记", "en": "Visits"},
    "sections": [
        {
            "key": "one",
            "title": "来访",
            "fields": [
                {"key": "guest", "title": "来宾", "type": "text", "required": True},
                {"key": "count", "title": "人数", "type": "integer", "maximum": 10},
            ],
        }
    ],
}
FLOW: dict[str, Any] = {
    "key": "own.visit",
    "title": "来访审批",
    "form": "own.visit",
    "filed_by": {"roles": ["school_admin"], "at": ["school"]},
    "stages": [
        {
            "key": "head",
            "title": "校长",
            "who": {"role": "head", "at": "school"},
            "outcomes": [{"key": "yes", "title": "同意", "to": "end:done"}],
        }
    ],
    "ends": [{"key": "done", "title": "同意", "result": "granted"}],
}


def put(cast: Cast, body: dict[str, Any], *, who: str = "school_admin", org: str = "school", kind: str = "form") -> Definition:
    return put_definition(actor=cast.actor(who), kind=DefinitionKind(kind), body=body, org_id=cast.orgs[org].id, now=cast.now)


def changed(**field: Any) -> dict[str, Any]:
    """The form with its second field changed; `None` takes it out."""
    body = deepcopy(FORM)
    fields = body["sections"][0]["fields"]
    fields[1] |= field
    if None in field.values():
        fields.pop()
    return body


def filed(cast: Cast, **data: Any) -> Case:
    return file_case(
        actor=cast.actor("school_admin"),
        flow="own.visit",
        org_id=cast.orgs["school"].id,
        data={"guest": "王", **data},
        now=cast.now,
    )


@pytest.fixture
def visits(cast: Cast) -> Definition:
    form = put(cast, FORM)
    put(cast, FLOW, kind="flow")
    return form


class TestWho:
    def test_a_school_defines_for_itself(self, cast: Cast) -> None:
        row = put(cast, FORM)
        assert (row.org_path, row.current.number, row.status) == (cast.orgs["school"].path, 1, "in_force")
        assert AuditEntry.objects.filter(action="casework.definition_made", target=f"definition:{row.pk}").exists()
        assert Event.objects.get(name="casework.definition_changed").payload["key"] == "own.visit"

    @pytest.mark.parametrize("who", ["teacher", "head", "parent", "far_head"])
    def test_others_do_not(self, cast: Cast, who: str) -> None:
        with pytest.raises(NotFound):
            put(cast, FORM, who=who)

    def test_nor_over_what_another_office_defined(self, cast: Cast) -> None:
        put(cast, FORM, who="county_officer", org="county")
        with pytest.raises(NotFound):
            put(cast, changed(title="来客数"))

    def test_nor_what_a_pack_brought(self, cast: Cast) -> None:
        pack = Pack.objects.create(key="own", title_zh="包", version="1.0.0", digest="x", installed_at=cast.now)
        put_definition(actor=SYSTEM, kind=DefinitionKind.FORM, body=FORM, pack=pack, now=cast.now)
        with pytest.raises(Refused):
            put(cast, changed(title="来客数"))
        with pytest.raises(Refused):
            put(cast, FORM | {"key": "own.other"})

    def test_packs_come_by_the_house_alone(self, cast: Cast) -> None:
        pack = Pack.objects.create(key="own", title_zh="包", version="1.0.0", digest="x", installed_at=cast.now)
        with pytest.raises(Refused):
            put_definition(actor=cast.actor("province_officer"), kind=DefinitionKind.FORM, body=FORM, pack=pack, now=cast.now)


class TestVersions:
    def test_the_same_again_is_no_new_version(self, cast: Cast) -> None:
        first = put(cast, FORM)
        assert put(cast, deepcopy(FORM)).current_id == first.current_id
        assert put(cast, changed(title="来客数")).current.number == 2
        assert AuditEntry.objects.filter(action="casework.definition_changed").count() == 1

    def test_what_is_wrong_is_told_and_nothing_written(self, cast: Cast) -> None:
        with pytest.raises(DefinitionRefused) as fault:
            put(cast, changed(shown_if="guests > 1", type="number"))
        (finding,) = fault.value.findings
        assert finding.path == "sections.one.fields.count.type"
        with pytest.raises(DefinitionRefused) as fault:
            put(cast, changed(shown_if="guests > 1"))
        assert "guests" in str(fault.value)
        assert fault.value.findings[0].remedy
        assert not Definition.objects.exists()


class TestOpenCases:
    @pytest.mark.parametrize(
        "field", [{"title": "来客数"}, {"maximum": 500}, {"type": "decimal"}, {"required": True}, {"help": "连同司机"}]
    )
    def test_they_follow_a_change_that_loses_nothing(self, cast: Cast, visits: Definition, field: dict[str, Any]) -> None:
        draft, running = filed(cast, count=3), filed(cast, count=4)
        submit_case(actor=cast.actor("school_admin"), case_id=running.pk, now=cast.now)
        version = put(cast, changed(**field)).current_id
        assert {case.form_version_id for case in Case.objects.filter(pk__in=[draft.pk, running.pk])} == {version}
        assert Case.objects.get(pk=draft.pk).data["count"] == 3

    @pytest.mark.parametrize("field", [{"type": None}, {"type": "text"}])
    def test_a_change_that_loses_what_they_hold_is_refused(self, cast: Cast, visits: Definition, field: dict[str, Any]) -> None:
        case = filed(cast, count=3)
        with pytest.raises(OpenCasesCannotFollow) as fault:
            put(cast, changed(**field))
        assert "人数" in str(fault.value)
        assert fault.value.remedy
        assert Definition.objects.get(pk=visits.pk).current_id == case.form_version_id

    def test_it_comes_through_where_nobody_filled_it_in_or_all_is_done(self, cast: Cast, visits: Definition) -> None:
        filed(cast)
        Case.objects.filter(pk=filed(cast, count=3).pk).update(state="closed")
        assert put(cast, changed(type=None)).current.number == 2

    def test_a_new_field_that_must_be_filled_waits_for_what_is_under_way(self, cast: Cast, visits: Definition) -> None:
        body = deepcopy(FORM)
        body["sections"][0]["fields"].append({"key": "why", "title": "事由", "type": "text", "required": True})
        case = filed(cast)
        assert put(cast, body).current.number == 2
        body["sections"][0]["fields"].append({"key": "gate", "title": "校门", "type": "text", "required": True})
        Case.objects.filter(pk=case.pk).update(data={"guest": "王", "why": "听课"})
        submit_case(actor=cast.actor("school_admin"), case_id=case.pk, now=cast.now)
        with pytest.raises(OpenCasesCannotFollow):
            put(cast, body)

    def test_what_goes_through_a_flow_keeps_it_while_drafts_take_the_new_one(self, cast: Cast, visits: Definition) -> None:
        draft, running = filed(cast), filed(cast)
        submit_case(actor=cast.actor("school_admin"), case_id=running.pk, now=cast.now)
        version = put(cast, FLOW | {"promise": {"days": 3}}, kind="flow").current_id
        assert Case.objects.get(pk=draft.pk).flow_version_id == version
        assert Case.objects.get(pk=running.pk).flow_version_id != version
