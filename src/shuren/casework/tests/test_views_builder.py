"""Building forms and flows: kept as one types, checked at once, one source, refused where open cases cannot follow."""

import json
from typing import Any

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Case, Definition, DefinitionDraft, Pack
from shuren.casework.selectors.drafts import elements_like
from shuren.casework.services.builder.enforce import enforce_draft
from shuren.casework.services.builder.keep import begin_draft
from shuren.casework.services.define import put_definition
from shuren.casework.views.builder_words import builder_words
from shuren.kernel import ids

pytestmark = pytest.mark.database

FIELD = {"key": "slope", "title": {"zh": "坡道数"}, "type": "integer", "required": True}


def begun(client: Client, cast: Cast, **changes: str) -> DefinitionDraft:
    told = {"kind": "form", "title": "无障碍设施登记", "org": cast.orgs["school"].public_id}
    answer = client.post("/definitions/new/", told | changes)
    assert answer.status_code == 302, answer.content.decode()
    return DefinitionDraft.objects.get()


def address(draft: DefinitionDraft, rest: str = "") -> str:
    return f"/definitions/drafts/{ids.encode('definition_draft', draft.pk)}/{rest}"


def save(client: Client, draft: DefinitionDraft, fields: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    draft.refresh_from_db()
    body = {**draft.body, "sections": [{"key": "s1", "title": {"zh": "基本"}, "fields": fields}], **changes}
    told = {"revision": draft.revision, "body": body}
    answer = client.post(address(draft, "save/"), json.dumps(told), content_type="application/json")
    assert answer.status_code == 200, answer.content.decode()
    found: dict[str, Any] = answer.json()
    return found


def page(client: Client, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_form_is_built_and_put_into_force(cast: Cast) -> None:
    client = cast.client("school_admin")
    draft = begun(client, cast)
    state = save(client, draft, [FIELD])
    assert state["is_sound"], state["findings"]
    assert "坡道数" in state["preview"]
    assert "无障碍设施登记" in page(client, "/definitions/")
    answer = client.post(address(draft, "enforce/"))
    definition = Definition.objects.get()
    assert answer.headers["Location"] == f"/definitions/{ids.encode('definition', definition.pk)}/"
    assert definition.org_id == cast.orgs["school"].id
    assert not DefinitionDraft.objects.exists()
    assert "坡道数" in page(client, answer.headers["Location"])


def test_a_field_that_the_region_has_is_refused_and_the_element_taken(cast: Cast) -> None:
    client = cast.client("school_admin")
    draft = begun(client, cast)
    asked = {"key": "f1", "title": {"zh": "机构名称"}, "type": "text"}
    found = client.get("/definitions/elements/?q=机构名称").json()["elements"]
    assert found[0]["code"] == "org.name"
    state = save(client, draft, [asked])
    assert not state["is_sound"]
    assert [one["path"] for one in state["findings"] if one["is_error"]] == ["sections.s1.fields.f1"]
    refused = client.post(address(draft, "enforce/"))
    assert refused.status_code == 400
    assert "已有数据元" in refused.content.decode()
    assert not Definition.objects.exists()
    state = save(client, draft, [{"key": "org_name", "element": "org.name"}, FIELD])
    assert state["is_sound"], state["findings"]
    assert client.post(address(draft, "enforce/")).status_code == 302


def test_elements_are_found_while_a_title_is_typed(db: None) -> None:
    assert elements_like("", language="zh") == []
    assert "org.name" in [element.code for element in elements_like("机构名", language="zh")]
    assert "org.name" in [element.code for element in elements_like("org.na", language="zh")]
    assert "org.name" in [element.code for element in elements_like("本校机构名称（全称）", language="zh")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"shown_if": "filled(nothing)"}, "sections.s1.fields.slope.shown_if"),
        ({"shown_if": "1 +"}, "sections.s1.fields.slope.shown_if"),
        ({"type": "code"}, "sections.s1.fields.slope"),
        ({"minimum": 9, "maximum": 1}, "sections.s1.fields.slope.minimum"),
        ({"type": "strange"}, "sections.s1.fields.slope.type"),
    ],
)
def test_what_is_wrong_is_said_where_it_lies(cast: Cast, change: dict[str, Any], place: str) -> None:
    client = cast.client("school_admin")
    draft = begun(client, cast)
    state = save(client, draft, [FIELD | change])
    assert place in [finding["path"] for finding in state["findings"] if finding["is_error"]]
    assert not state["is_sound"]


def test_two_who_build_the_same_draft_are_told_apart(cast: Cast) -> None:
    client = cast.client("school_admin")
    draft = begun(client, cast)
    save(client, draft, [FIELD])
    told = {"revision": 1, "body": {"sections": []}}
    answer = client.post(address(draft, "save/"), json.dumps(told), content_type="application/json")
    assert answer.status_code == 409
    draft.refresh_from_db()
    assert draft.body["sections"][0]["fields"] == [FIELD]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"revision": 1, "body": 3}', '{"revision": "x", "body": {}}'])
def test_what_cannot_be_read_is_not_kept(cast: Cast, text: str) -> None:
    client = cast.client("school_admin")
    draft = begun(client, cast)
    assert client.post(address(draft, "save/"), text, content_type="application/json").status_code == 400
    assert DefinitionDraft.objects.get().revision == 1


def test_the_key_stays_whatever_is_sent(cast: Cast) -> None:
    client = cast.client("school_admin")
    draft = begun(client, cast)
    save(client, draft, [FIELD], key="gov.other")
    assert DefinitionDraft.objects.get().body["key"] == f"own.form_{draft.pk}"


def test_a_change_that_open_cases_cannot_follow_is_refused_with_its_reason(cast: Cast) -> None:
    client = cast.client("school_admin")
    draft = begun(client, cast)
    save(client, draft, [FIELD, {"key": "lift", "title": {"zh": "电梯"}, "type": "boolean"}])
    client.post(address(draft, "enforce/"))
    definition = Definition.objects.get()
    assert definition.current_id is not None
    Case.objects.create(
        number="A1",
        title="登记",
        definition=definition,
        form_version_id=definition.current_id,
        state="draft",
        org_id=cast.orgs["school"].id,
        org_path=cast.orgs["school"].path,
        data={"slope": 3},
        filed_at=cast.now,
        changed_at=cast.now,
    )
    client.post(f"/definitions/{ids.encode('definition', definition.pk)}/edit/")
    again = DefinitionDraft.objects.get()
    save(client, again, [{"key": "lift", "title": {"zh": "电梯"}, "type": "boolean"}])
    refused = client.post(address(again, "enforce/"))
    assert refused.status_code == 409
    assert "去掉字段“坡道数”" in refused.content.decode()
    save(client, again, [FIELD, {"key": "lift", "title": {"zh": "无障碍电梯"}, "type": "boolean"}])
    assert client.post(address(again, "enforce/")).status_code == 302
    shown = page(client, f"/definitions/{ids.encode('definition', definition.pk)}/")
    assert "第 2 版" in shown
    assert "“电梯”改名为“无障碍电梯”" in shown


def test_packs_are_copied_and_not_changed(cast: Cast, define: Any) -> None:
    from_pack = define("form", {"key": "gov.sheet", "title": "登记表", "rows": ["GOV-01"], "sections": _sections()})
    from_pack.pack_id = _pack(cast)
    from_pack.save()
    client, number = cast.client("school_admin"), ids.encode("definition", from_pack.pk)
    assert client.post(f"/definitions/{number}/edit/").status_code == 403
    client.post(f"/definitions/{number}/copy/", {"title": "本校登记表", "org": cast.orgs["school"].public_id})
    draft = DefinitionDraft.objects.get()
    assert draft.body["sections"] == _sections()
    assert draft.body["key"] == f"own.form_{draft.pk}"
    assert "rows" not in draft.body
    assert client.post(address(draft, "enforce/")).status_code == 302


def test_a_flow_is_drawn_while_it_is_built(cast: Cast) -> None:
    client = cast.client("school_admin")
    form = begun(client, cast)
    save(client, form, [FIELD])
    client.post(address(form, "enforce/"))
    draft = begun(client, cast, kind="flow", title="登记审核", form=f"own.form_{form.pk}")
    state = save(client, draft, [], sections=None)
    assert "sections" in [finding["path"] for finding in state["findings"]]
    draft.refresh_from_db()
    body = {name: part for name, part in draft.body.items() if name != "sections"}
    told = {"revision": draft.revision, "body": body}
    state = client.post(address(draft, "save/"), json.dumps(told), content_type="application/json").json()
    assert state["is_sound"], state["findings"]
    assert "<svg" in state["preview"]
    assert "审核" in state["preview"]
    assert client.post(address(draft, "enforce/")).status_code == 302
    flow = Definition.objects.get(kind="flow")
    stages = [*body["stages"], {**body["stages"][0], "key": "second", "title": {"zh": "复核"}}]
    stages[0] = {**stages[0], "outcomes": [{**stages[0]["outcomes"][0], "to": "second"}, stages[0]["outcomes"][1]]}
    put_definition(
        actor=cast.actor("school_admin"),
        kind=DefinitionKind.FLOW,
        body={**body, "stages": stages},
        org_id=cast.orgs["school"].id,
        now=cast.now,
    )
    shown = page(client, f"/definitions/{ids.encode('definition', flow.pk)}/")
    assert "增加环节“复核”" in shown
    assert "“审核”改了办理结果或去向" in shown


def test_choices_and_words_do_not_share_a_name() -> None:
    told = builder_words()
    assert {name for name, words in told.items() if isinstance(words, list)} == {
        "avoids",
        "decide",
        "levels",
        "moves",
        "orgTypes",
        "results",
        "roles",
        "tones",
        "units",
        "ways",
    }


def test_what_is_typed_into_titles_is_never_run(cast: Cast) -> None:
    client = cast.client("school_admin")
    evil = "<img src=x onerror=alert(1)></script>"
    draft = begun(client, cast, title=evil)
    state = save(client, draft, [FIELD | {"title": {"zh": evil}, "help": {"zh": evil}}])
    assert "<img src=x" not in state["preview"]
    assert "<img src=x" not in page(client, address(draft))


def test_drafts_stay_in_their_branch(cast: Cast) -> None:
    draft = begun(cast.client("school_admin"), cast)
    assert cast.client("county_officer").get(address(draft)).status_code == 200
    for key in ("teacher", "head", "far_head", "system_admin"):
        assert cast.client(key).get(address(draft)).status_code == 404
        assert cast.client(key).get("/definitions/").status_code == 404


def test_a_draft_is_put_into_force_once(cast: Cast) -> None:
    actor = cast.actor("school_admin")
    draft = begin_draft(actor=actor, kind=DefinitionKind.FORM, org_id=cast.orgs["school"].id, title="表", now=cast.now)
    draft.body = {**draft.body, "sections": _sections()}
    draft.save()
    enforce_draft(actor=actor, draft_id=draft.pk, now=cast.now)
    assert cast.client("school_admin").post(address(draft, "enforce/")).status_code == 404
    assert Definition.objects.get().versions.count() == 1


def _sections() -> list[dict[str, Any]]:
    return [{"key": "s1", "title": {"zh": "基本"}, "fields": [FIELD]}]


def _pack(cast: Cast) -> str:
    return Pack.objects.create(key="gov", title_zh="政务", version="1.0.0", digest="", installed_at=cast.now).pk
