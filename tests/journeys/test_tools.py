"""A teacher brings a tool of others into the class, a pupil works in it, and the score comes home; in a real browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.interop.tests.conftest import server, stage
from shuren.interop.tests.test_lti import Tool, tool
from shuren.kernel import clock
from tests.journeys.conftest import signed_in

__all__ = ["server", "stage", "tool"]
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
# The tool asks the page that opened its window to keep something, as one without cookies of its own does.
ASK = """([message, platform]) => new Promise((resolve) => {
    const late = setTimeout(() => resolve("nothing came"), 3000);
    window.addEventListener("message", (event) => {
        if (event.origin !== platform || event.data.message_id !== message.message_id) return;
        clearTimeout(late);
        resolve(event.data);
    });
    window.opener.postMessage(message, platform);
})"""


def kept_by_opener(popup: Page, platform: str, **message: object) -> Any:
    return popup.evaluate(ASK, [{"message_id": "m-1", **message}, platform])


def test_from_the_teachers_choice_to_the_score(tool: Tool, windows: Any) -> None:
    teacher = signed_in(windows(), "teacher")
    teacher.goto("/apps/")
    teacher.get_by_role("link", name="班级工具").click()
    teacher.get_by_role("link", name="作业小助手").click()
    expect(teacher.get_by_text("已添加 1 项。")).to_be_visible()

    pupil = signed_in(windows(), "pupil")
    pupil.goto("/lti/")
    with pupil.expect_popup() as opening:
        pupil.get_by_role("link", name=re.compile("打开.*口算练习")).click()
    popup = opening.value
    popup.wait_for_url(f"{tool.url}/launch/")
    launched = popup.evaluate("JSON.parse(document.body.innerText)")
    can = kept_by_opener(popup, tool.ours, subject="lti.capabilities")["supported_messages"]
    assert [line["subject"] for line in can] == ["lti.capabilities", "lti.put_data", "lti.get_data"]
    put = kept_by_opener(popup, tool.ours, subject="lti.put_data", key="state", value="s-1")
    assert (put["subject"], put["value"]) == ("lti.put_data.response", "s-1")
    assert kept_by_opener(popup, tool.ours, subject="lti.get_data", key="state")["value"] == "s-1"
    assert kept_by_opener(popup, tool.ours, subject="lti.get_data", key="other")["value"] is None
    bad = kept_by_opener(popup, tool.ours, subject="lti.put_data", key="state", value="x" * 5000)
    assert bad["error"]["code"] == "storage_exhaustion"

    score = {"launch": launched["launch"], "do": "score", "user": launched["claims"]["sub"], "given": "9", "maximum": "10"}
    assert tool.done(at=clock.now().isoformat(), **score) == {"answer": "done"}
    teacher.get_by_role("link", name="成绩").click()
    expect(teacher.get_by_role("row", name=re.compile("张三.*18"))).to_be_visible()
    teacher.go_back()
    teacher.get_by_role("button", name=re.compile("移走")).click()
    expect(teacher.get_by_text("班里还没有工具")).to_be_visible()
