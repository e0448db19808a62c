"""Officers draw schools and inspectors by lot, a head gives the independent part, and anybody checks it, believing nobody."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.house.source import ROOT
from tests.journeys.conftest import DESKTOP, Site, clean_environment, overflow, serious_faults

pytestmark = pytest.mark.journey
TITLE = "秋季学校双随机抽查"
DICE = "掷骰子二十次 3 1 6 6 2 5 4 1 1 3 2 6 5 5 4 2 3 1 6 4"


@pytest.fixture
def outsider(site: Site, browser: Browser, contexts: list[BrowserContext]) -> Page:
    """Somebody who has not signed in."""
    context = browser.new_context(
        viewport=DESKTOP, locale="zh-CN", reduced_motion="reduce", accept_downloads=True, base_url=site.url
    )
    contexts.append(context)
    page = context.new_page()
    page.set_default_timeout(15_000)
    return page


def look(page: Page) -> None:
    assert serious_faults(page, in_both_lights=False) == []
    assert overflow(page) <= 0, page.url


def own_number(page: Page) -> str:
    """The number of whoever signed in, as their account page tells it."""
    page.goto("/account/")
    return page.locator(".facts div").filter(has_text="个人编号").locator("dd").inner_text().split()[0]


def prepare(officer: Page) -> str:
    """Take the pools; nothing is public yet. Returns the draw's address."""
    officer.goto("/draws/")
    officer.get_by_role("link", name="新建抽查").click()
    officer.get_by_label("抽查事项").select_option(label="学校双随机抽查")
    officer.get_by_label("名称").fill(TITLE)
    officer.get_by_role("button", name="取名单").click()
    expect(officer.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(officer.locator("main")).to_contain_text("准备中，未公布")
    expect(officer.locator("section[aria-labelledby=pools] tbody")).to_have_text(re.compile("高.*低", re.DOTALL))
    look(officer)
    return officer.url


def commit(officer: Page, address: str, *, own: str, party: str) -> None:
    """Publish the commitment; whoever runs the draw cannot be its independent party."""
    officer.goto(address)
    officer.get_by_role("link", name="公布承诺").click()
    fill_in(officer, own)
    expect(officer.locator(".error-summary")).to_contain_text("操作人不能同时是第三方")
    fill_in(officer, party)
    expect(officer.locator("main")).to_contain_text("已承诺，等第三方")
    expect(officer.get_by_role("button", name="抽取并公开")).to_have_count(0)


def fill_in(page: Page, number: str) -> None:
    page.get_by_label("第三方的人员编号").fill(number)
    today = datetime.fromisoformat(page.evaluate("new Date().toLocaleString('sv', {timeZone: 'Asia/Shanghai'})"))
    page.get_by_label("第三方截止时间").fill(f"{today + timedelta(days=1):%Y-%m-%dT%H:%M}")
    page.get_by_label("开奖截止时间").fill(f"{today + timedelta(days=2):%Y-%m-%dT%H:%M}")
    page.get_by_role("button", name="公布承诺").click()


def contribute(party: Page, address: str) -> None:
    party.goto(address)
    expect(party.get_by_role("link", name="公布承诺")).to_have_count(0)
    party.get_by_role("link", name="提交第三方内容").click()
    look(party)
    party.get_by_label("内容").fill(DICE)
    party.get_by_role("button", name="提交，不再更改").click()
    expect(party.locator("main")).to_contain_text("第三方已提交，等抽取")
    expect(party.get_by_role("button", name="抽取并公开")).to_have_count(0)


def verified(file: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "shuren.front.cli", "draw", "verify", str(file)]
    return subprocess.run(words, cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False, timeout=60)


def recomputed(page: Page) -> None:
    page.get_by_role("button", name="在本机重算").click()


def test_anybody_checks_what_was_drawn(site: Site, sign_in: Callable[..., Page], outsider: Page, tmp_path: Path) -> None:
    officer, head = sign_in("city_officer"), sign_in("head")
    address = prepare(officer)
    public = f"{address}public/"
    assert outsider.goto(public).status == 404  # type: ignore[union-attr]
    commit(officer, address, own=own_number(officer), party=own_number(head))
    outsider.goto("/draws/public/")
    outsider.get_by_role("link", name=TITLE).click()
    expect(outsider.locator("main")).to_contain_text("抽取以后才能重算")
    expect(outsider.locator("main")).to_contain_text(site.accounts["head"]["name"])
    look(outsider)
    promised = outsider.locator("dd code.digest").first.inner_text()

    contribute(head, address)
    officer.goto(address)
    officer.get_by_role("button", name="抽取并公开").click()
    expect(officer.get_by_role("heading", name="结果")).to_be_visible()
    drawn = officer.locator("section[aria-labelledby=result] tbody tr").all_inner_texts()
    assert drawn
    look(officer)
    officer.get_by_role("button", name="下发检查").click()
    expect(officer.locator("main")).to_contain_text("已公开，检查已下发")

    outsider.reload()
    assert outsider.locator("dd code.digest").first.inner_text() == promised
    expect(outsider.locator("main")).to_contain_text(DICE)
    shown = outsider.locator("section[aria-labelledby=result] tbody th").all_inner_texts()
    assert [text.split()[0] for text in shown] == [line.split("\t")[1].split()[0] for line in drawn]
    recomputed(outsider)
    expect(outsider.locator("[data-outcome=valid]")).to_contain_text("验证通过")
    expect(outsider.locator("li[data-step=result]")).to_have_attribute("data-verdict", "good")
    look(outsider)

    with outsider.expect_download() as found:
        outsider.get_by_role("link", name="下载抽取文件").click()
    file = tmp_path / "draw.json"
    found.value.save_as(file)
    good = verified(file)
    assert good.returncode == 0, good.stdout
    assert "drawing again gives the same result" in good.stdout

    bundle = json.loads(file.read_text(encoding="utf-8"))
    bundle["result"][0]["inspectors"] = bundle["result"][0]["inspectors"][::-1]
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")
    bad = verified(forged)
    assert bad.returncode == 1
    assert "bad" in bad.stdout
    outsider.route("**/bundle.json", lambda route: route.fulfill(path=forged, content_type="application/json"))
    recomputed(outsider)
    expect(outsider.locator("[data-outcome=invalid]")).to_contain_text("验证不通过")
    expect(outsider.locator("li[data-step=result]")).to_have_attribute("data-verdict", "bad")
