"""Building flows: what the page may choose from, everything a flow can say kept and drawn, and what is wrong said in place."""

import json
from typing import Any

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.casework.models import Definition, DefinitionDraft
from shuren.casework.views.builder_words import builder_words
from shuren.kernel import ids

pytestmark = pytest.mark.database

FORM = {
    "key": "own.project",
    "title": "课题申报",
    "sections": [
        {
            "key": "s1",
            "title": "基本",
            "fields": [
                {"key": "name", "title": "课题名称", "type": "text"},
                {"key": "level", "title": "级别", "type": "code", "options": [{"code": "a", "title": "重点"}]},
                {"key": "host", "title": "承担单位", "type": "org"},
                {
                    "key": "experts",
                    "title": "推荐专家",
                    "type": "table",
                    "columns": [{"key": "person", "title": "专家", "type": "person"}],
                },
            ],
        }
    ],
}
EXPERTS = {
    "key": "own.experts",
    "title": "专家库",
    "about": "person",
    "sections": [{"key": "s1", "title": "基本", "fields": [{"key": "subject", "title": "学科", "type": "text"}]}],
}
PROJECTS = {
    "key": "own.projects",
    "title": "立项课题",
    "sections": [{"key": "s1", "title": "基本", "fields": [{"key": "name", "title": "名称", "type": "text"}]}],
    "states": [{"key": "open", "title": "在研", "to": ["done"]}, {"key": "done", "title": "结题"}],
}
OFFICE = {"role": "county_officer", "at": "county"}
SCORE = {"key": "score", "title": {"zh": "评分"}, "type": "decimal", "required": True}
BLIND = {
    "key": "score",
    "title": {"zh": "专家评审"},
    "who": {"pool": "own.experts", "count": 2, "avoid": ["same_branch", "asked_before"], "otherwise": OFFICE},
    "decide": "blind",
    "score": "score",
    "tolerance": 10,
    "arbiter": {"named_in": "experts.person"},
    "fields": [SCORE],
    "edits": ["level"],
    "due": {"days": 10},
    "remind": [{"working_days": 1}, {"hours": 4}],
    "late": {"after": {"hours": 2}, "tell": {"role": "county_officer", "at": "above"}, "outcome": "refuse"},
    "may": ["return", "withdraw"],
    "outcomes": [
        {"key": "agree", "title": {"zh": "立项", "en": "Accept"}, "to": "board", "tone": "good"},
        {"key": "refuse", "title": {"zh": "不立项"}, "to": "end:refused", "needs_reason": True, "tone": "bad"},
    ],
}
BOARD = {
    "key": "board",
    "title": {"zh": "会议表决"},
    "who": {"role": "head", "at": "school", "each": True},
    "decide": "quorum",
    "quorum": 3,
    "when": "score >= 60 and level == 'a'",
    "outcomes": [{"key": "agree", "title": {"zh": "通过"}, "to": "end:done"}],
}
ENTRY = {"register": "own.projects", "state": "open", "org": "host", "when": "filled(name)", "set": {"name": "name"}}
ENDS = [
    {"key": "done", "title": {"zh": "立项"}, "result": "granted", "certificate": "立项通知书", "entries": [ENTRY]},
    {"key": "refused", "title": {"zh": "不予立项"}, "result": "refused"},
]


@pytest.fixture
def client(cast: Cast, define: Any) -> Client:
    for kind, body in (("form", FORM), ("register", EXPERTS), ("register", PROJECTS)):
        define(kind, body)
    found = cast.client("county_officer")
    told = {"kind": "flow", "title": "课题立项", "org": cast.orgs["county"].public_id, "form": "own.project"}
    assert found.post("/definitions/new/", told).status_code == 302
    return found


def address(rest: str = "") -> str:
    return f"/definitions/drafts/{ids.encode('definition_draft', DefinitionDraft.objects.get().pk)}/{rest}"


def save(client: Client, stages: list[dict[str, Any]], ends: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    draft = DefinitionDraft.objects.get()
    told = {"revision": draft.revision, "body": {**draft.body, "stages": stages, "ends": ends, **changes}}
    answer = client.post(address("save/"), json.dumps(told), content_type="application/json")
    assert answer.status_code == 200, answer.content.decode()
    state: dict[str, Any] = answer.json()
    return state


def settings_of(client: Client) -> dict[str, Any]:
    page = client.get(address()).content.decode()
    told = page.partition('<script id="builder-settings" type="application/json">')[2].partition("</script>")[0]
    found: dict[str, Any] = json.loads(told)
    return found


def test_everything_a_flow_can_say_is_kept_drawn_and_put_into_force(client: Client) -> None:
    general = {"promise": {"working_days": 40}, "see": ["expert"], "prefix": "KT", "note": {"zh": "每年一次"}}
    state = save(client, [BLIND, BOARD], ENDS, filed_by={"roles": ["teacher"], "at": ["school"]}, **general)
    assert state["findings"] == []
    assert "会议表决" in state["preview"]
    assert client.post(address("enforce/")).status_code == 302
    current = Definition.objects.get(kind="flow").current
    assert current is not None
    assert current.body["stages"] == [BLIND, BOARD]
    assert current.body["ends"] == ENDS


def test_what_a_flow_may_name_is_offered_by_name(client: Client) -> None:
    told = settings_of(client)
    assert told["pools"] == [["own.experts", "专家库"]]
    assert ["own.projects", "立项课题"] in told["registers"]
    assert "functions" not in told
    offered = builder_words()
    assert [one for one, _words in offered["decide"]] == ["one", "all", "quorum", "sequence", "blind"]
    assert {"here", "above", "county", "class"} <= {place for place, _words in offered["levels"]}


def test_the_form_and_the_registers_that_are_named_come_with_every_answer(client: Client) -> None:
    around = save(client, [BOARD], ENDS[:1])["around"]
    fields = {field["key"]: field for field in around["fields"]}
    assert fields["level"]["options"] == [["a", "重点"]]
    assert (fields["experts.person"]["title"], fields["experts.person"]["type"]) == ("推荐专家中的专家", "person")
    assert list(around["registers"]) == ["own.projects"]
    assert around["registers"]["own.projects"]["states"] == [["open", "在研"], ["done", "结题"]]
    assert [field["key"] for field in around["registers"]["own.projects"]["fields"]] == ["name"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"who": {"pool": "own.projects"}}, "stages.score.who.pool"),
        ({"who": {"pool": "own.experts", "count": 3}}, "stages.score.who.count"),
        ({"who": {"owner_of": "no.such"}}, "stages.score.who.owner_of"),
        ({"who": {"function": "no.such"}}, "stages.score.who.function"),
        ({"who": {"pool": ""}}, "stages.score.who"),
        ({"who": {**OFFICE, "otherwise": {"named_in": "name"}}}, "stages.score.who.otherwise.named_in"),
        ({"score": "level"}, "stages.score.score"),
        ({"tolerance": None}, "stages.score"),
        ({"arbiter": {"role": "head", "at": "county"}}, "stages.score.arbiter.role"),
        ({"late": {"outcome": "gone"}}, "stages.score.late.outcome"),
        ({"remind": [{"days": 20}]}, "stages.score.remind"),
        ({"due": None}, "stages.score.due"),
        ({"edits": ["gone"]}, "stages.score.edits"),
    ],
)
def test_what_is_wrong_with_a_stage_is_said_where_it_lies(client: Client, change: dict[str, Any], place: str) -> None:
    state = save(client, [BLIND | change, BOARD], ENDS)
    assert place in [finding["path"] for finding in state["findings"]]
    assert not state["is_sound"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"register": "own.gone"}, "ends.done.entries.0.register"),
        ({"state": "gone"}, "ends.done.entries.0.state"),
        ({"set": {"gone": "name"}}, "ends.done.entries.0.set.gone"),
        ({"set": {"name": "1 +"}}, "ends.done.entries.0.set.name"),
        ({"each": "name"}, "ends.done.entries.0.each"),
        ({"org": "name"}, "ends.done.entries.0.org"),
        ({"when": "filled(gone)"}, "ends.done.entries.0.when"),
    ],
)
def test_what_is_wrong_with_an_end_is_said_where_it_lies(client: Client, change: dict[str, Any], place: str) -> None:
    ends = [{**ENDS[0], "entries": [ENTRY | change]}, ENDS[1]]
    state = save(client, [BLIND, BOARD], ends)
    assert place in [finding["path"] for finding in state["findings"]]


@pytest.mark.parametrize("ends", [3, [3], [{"key": "done", "entries": 3}], [{"entries": [{"register": []}]}]])
def test_a_body_may_be_as_wrong_as_it_likes(client: Client, ends: Any) -> None:
    state = save(client, [BOARD], ends)
    assert not state["is_sound"]
    assert state["around"]["registers"] == {}


def test_offices_are_told_in_words(client: Client) -> None:
    state = save(client, [BLIND, BOARD | {"who": {"role": "head", "at": "county"}}], ENDS)
    told = [finding for finding in state["findings"] if finding["path"] == "stages.board.who.role"]
    assert told[0]["reason"].startswith("在 区县（county） 没有人担任 校长（head）")
