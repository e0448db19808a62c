"""Forms in a real browser: files go up at once, what was typed off-line belongs to its account, and axe is content."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.casework.models import Attachment, Case
from shuren.casework.services.cases.file import file_case
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.tests.conftest import define
from shuren.casework.tests.flows import LEAVE_FORM, flow
from shuren.kernel import ids
from tests.cast import Cast
from tests.journeys.conftest import serious_faults, signed_in

__all__ = ["define"]
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
OPTIONS = [{"code": "a", "title": "病假"}, {"code": "b", "title": "事假"}]
FIELDS = [
    *LEAVE_FORM["sections"][0]["fields"],
    {"key": "kind", "title": "类别", "type": "code", "options": OPTIONS},
    {"key": "times", "title": "时段", "type": "codes", "options": OPTIONS},
    {"key": "agreed", "title": "已调课", "type": "boolean"},
    {"key": "begin", "title": "从哪天起", "type": "date"},
    {"key": "note", "title": "说明", "type": "paragraph"},
    {"key": "where", "title": "去哪里", "type": "place"},
    {"key": "double", "title": "折算", "type": "integer", "calculated": "days * 2", "unit": "课时"},
    {"key": "scans", "title": "病假条", "type": "file", "accepts": ["image"]},
    {"key": "sign", "title": "签名", "type": "signature"},
]
FORM = LEAVE_FORM | {"sections": [{"key": "main", "title": "请假", "fields": FIELDS}]}
HAS_PAGES = "(await caches.keys()).some(name => name.startsWith('shuren-form-pages'))"
# What lies in the browser, as somebody who opens its storage reads it.
SHELVED = """async () => {
    const database = await new Promise((resolve) => {
        const request = indexedDB.open("shuren-forms");
        request.onsuccess = () => resolve(request.result);
    });
    if (!database.objectStoreNames.contains("sealed")) return [];
    const rows = await new Promise((resolve) => {
        const request = database.transaction("sealed").objectStore("sealed").getAll();
        request.onsuccess = () => resolve(request.result);
    });
    database.close();
    return rows.map((row) => ({ ...row, sealed: row.sealed ? new TextDecoder().decode(row.sealed.bytes) : null }));
}"""


@pytest.fixture
def case(cast: Cast, define: Callable[..., Any]) -> Case:
    define("form", FORM)
    define("flow", flow())
    org_id = cast.orgs["class"].id
    return file_case(actor=cast.actor("class_teacher"), flow="office.leave", org_id=org_id, data={"days": 2}, now=cast.now)


def fill_page(case: Case) -> str:
    return f"/cases/{ids.encode('case', case.pk)}/fill/"


def wait_until(page: Page, question: str) -> None:
    """Until the browser answers yes; one that asks a promise is not waited for by Playwright."""
    deadline = time.monotonic() + 10
    while not page.evaluate(question):
        assert time.monotonic() < deadline, question
        page.wait_for_timeout(100)


def sign_out(page: Page) -> None:
    page.locator("details.account summary").click()
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url("**/sign-in/**")


def test_a_file_goes_up_when_it_is_chosen(cast: Cast, case: Case, windows: Callable[[], Page]) -> None:
    page = signed_in(windows(), "class.teacher")
    page.goto(fill_page(case))
    files = [
        {"name": "假条.png", "mimeType": "image/png", "buffer": PNG},
        {"name": "坏.png", "mimeType": "image/png", "buffer": b"MZ"},
    ]
    page.locator("input[type=file]").set_input_files(files[:1])
    expect(page.locator("[data-files=scans] a")).to_have_text("假条.png")
    expect(page.locator("[data-sheet-status]")).to_have_text(re.compile("^已保存"))
    kept = Attachment.objects.get(case=case)
    case.refresh_from_db()
    assert [one["id"] for one in case.data["scans"]] == [ids.encode("attachment", kept.pk)]
    page.locator("input[type=file]").set_input_files(files[1:])
    expect(page.get_by_text("不能上传这种文件。")).to_be_visible()
    assert Attachment.objects.count() == 1
    page.reload()
    expect(page.locator("[data-files=scans] a")).to_have_text("假条.png")


def test_what_was_typed_off_line_waits_for_its_account_alone(cast: Cast, case: Case, windows: Callable[[], Page]) -> None:
    page = signed_in(windows(), "class.teacher")
    page.goto(fill_page(case))
    wait_until(page, f"async () => {HAS_PAGES}")
    page.route("**/fill/", lambda route: route.abort() if route.request.method == "PATCH" else route.continue_())
    page.get_by_label("事由").fill("家里有急事")
    expect(page.locator("[data-sheet-status]")).to_have_text(re.compile("网络断开了"))
    (row,) = page.evaluate(SHELVED)
    assert "家里有急事" not in str(row)
    assert row["sealed"]

    sign_out(page)
    wait_until(page, f"async () => !{HAS_PAGES}")
    signed_in(page, "head")
    page.unroute("**/fill/")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "PATCH" else None)
    page.goto("/notices/")
    page.wait_for_load_state("networkidle")
    assert sent == []
    assert [one["id"] for one in page.evaluate(SHELVED)] == [row["id"]]

    sign_out(page)
    signed_in(page, "class.teacher")
    wait_until(page, f"async () => !(await ({SHELVED})()).length")
    assert len(sent) >= 1
    case.refresh_from_db()
    assert case.data["reason"] == "家里有急事"


def test_a_form_handed_in_off_line_is_sent_from_whatever_page_is_open(
    cast: Cast, case: Case, windows: Callable[[], Page]
) -> None:
    page = signed_in(windows(), "class.teacher")
    page.goto(fill_page(case))
    expect(page.locator("[data-sheet]")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    page.get_by_label("事由").fill("看病")
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("[data-sheet-status]")).to_have_text(re.compile("联网后自动提交"))
    case.refresh_from_db()
    assert case.state == "draft"
    # The page is left while the network is away, so that it cannot send by itself.
    page.goto("about:blank")
    page.context.set_offline(False)
    page.goto("/notices/")
    expect(page.get_by_text("断网时填写的内容已送到")).to_be_visible()
    case.refresh_from_db()
    assert (case.state, case.data["reason"]) == ("running", "看病")
    assert page.evaluate(SHELVED) == []


def test_a_page_that_was_open_opens_again_off_line_but_not_for_the_next(
    cast: Cast, case: Case, windows: Callable[[], Page]
) -> None:
    page = signed_in(windows(), "class.teacher")
    page.goto(fill_page(case))
    address = page.url
    wait_until(page, f"async () => !!(await caches.match({address!r}))")
    wait_until(page, "async () => !!(await navigator.serviceWorker.getRegistration())?.active")
    page.context.set_offline(True)
    page.goto(fill_page(case))
    expect(page.get_by_label("事由")).to_be_visible()
    page.context.set_offline(False)
    page.context.clear_cookies()
    signed_in(page, "head")
    wait_until(page, f"async () => !{HAS_PAGES}")
    page.context.set_offline(True)
    with pytest.raises(Exception, match="ERR_"):
        page.goto(fill_page(case))


@pytest.mark.parametrize("width", [1440, 360])
def test_axe_is_content_with_filling_and_with_the_case(cast: Cast, case: Case, windows: Callable[[], Page], width: int) -> None:
    page = signed_in(windows(), "class.teacher")
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(fill_page(case))
    page.get_by_role("button", name="增加一行").click()
    assert serious_faults(page) == []
    page.get_by_label("天数").fill("99")
    page.get_by_role("button", name="提交", exact=True).click()
    expect(page.locator("[data-error-summary]")).to_be_visible()
    assert serious_faults(page) == []
    submit_now(cast, case)
    page.goto(fill_page(case).removesuffix("fill/"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert serious_faults(page) == []


def submit_now(cast: Cast, case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(data={"reason": "看病", "days": 2, "kind": "a", "note": "发烧", "begin": "2026-09-01"})
    submit_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now)
