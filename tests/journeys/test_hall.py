"""A parent reads a guide without signing in, applies, follows, gets a certificate, complains, and is put right in public."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import DESKTOP, Site, overflow, serious_faults

pytestmark = pytest.mark.journey
PHONE, TAIL = "13900137788", "7788"
APPLY = "/hall/items/gov.enrolment_proof/apply/"
CAUSE = "等了三天才有人处理"
MEASURE = "已安排专人当天核发，并当面向家长致歉。"
NOTE = "电话回访，家长认可。"
# Of fewer ratings no figure is published.
FEWEST = 5


@dataclass
class Receipt:
    """What a parent holds after handing in."""

    number: str
    code: str
    address: str


@pytest.fixture
def window(site: Site, browser: Browser, contexts: list[BrowserContext]) -> Callable[[], Page]:
    """Return a function that opens a browser in which nobody has signed in."""

    def opened() -> Page:
        context = browser.new_context(viewport=DESKTOP, locale="zh-CN", reduced_motion="reduce", base_url=site.url)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    return opened


def look(page: Page) -> None:
    assert serious_faults(page, in_both_lights=False) == []
    assert overflow(page) <= 0, page.url


def read_guide(page: Page) -> None:
    """From the hall to the guide of the item, as somebody who only knows what it is about."""
    page.goto("/hall/")
    look(page)
    page.get_by_label("要办什么事？").fill("学籍证明")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("link", name="学籍证明", exact=True).click()
    main = page.locator("main")
    expect(main).to_contain_text("不用您交，由数据共享取得：")
    expect(main).to_contain_text("承诺时限")
    expect(main).to_contain_text("电子证照：学籍证明")
    look(page)


def enter(page: Page, account: dict[str, str]) -> None:
    """Through the door that stands before what asks for an account; then on where one wanted to go."""
    page.fill("input[name=username]", account["username"])
    page.fill("input[name=password]", account["password"])
    page.click("main button[type=submit]")
    page.wait_for_url("**/apply/")


def apply(page: Page, child: str) -> Receipt:
    """From the guide's page of choices to the receipt."""
    page.get_by_role("radio", name=child).check()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("link", name="填写申请表").click()
    expect(page.locator("main")).to_contain_text(child)
    page.get_by_label("医疗保险").check()
    page.get_by_label("中文", exact=True).check()
    page.get_by_label("打印份数").fill("0")
    page.get_by_label("联系人姓名").fill("许家长")
    page.get_by_label("手机号").fill(PHONE)
    page.locator("button[name=act][value=submit]").last.click()
    facts = page.locator(".facts")
    expect(facts).to_contain_text("办件编号")
    said = [text.split()[0] for text in facts.locator("dd").all_inner_texts()]
    return Receipt(said[0], said[1], page.url)


def follow(page: Page, number: str, proof: str) -> None:
    page.goto("/hall/progress/")
    page.get_by_label("办件编号").fill(number)
    page.get_by_label("查询码，或手机号后四位").fill(proof)
    page.get_by_role("button", name="查询").click()


def open_work(page: Page, words: str) -> None:
    """What waits in 待办 under these words."""
    page.goto("/work/")
    page.locator("main").get_by_role("link", name=re.compile(words)).first.click()
    look(page)


def rate(page: Page, receipt: Receipt, grade: str) -> None:
    page.goto(receipt.address)
    page.get_by_role("link", name="评价这次办理").click()
    page.get_by_label(grade, exact=True).check()


def wait_for(page: Page, words: str) -> None:
    """What a worker does after the request comes soon; the reader looks again until it is there."""
    for _try in range(40):
        if page.locator("main").get_by_text(words).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{words} did not come on {page.url}")


def complain(parent: Page, receipt: Receipt) -> None:
    rate(parent, receipt, "不满意")
    parent.get_by_role("button", name="提交评价").click()
    expect(parent.locator(".error-summary")).to_contain_text("请选择不满意的原因，或者写下来。")
    parent.get_by_label("超过承诺时限").check()
    parent.get_by_label("想说的话").fill(CAUSE)
    look(parent)
    parent.get_by_role("button", name="提交评价").click()
    expect(parent.locator("body")).to_contain_text("办理单位会在 15 个工作日内整改并联系您")
    expect(parent.locator("main")).not_to_contain_text("评价这次办理")


def put_right(head: Page, officer: Page, receipt: Receipt) -> None:
    """The unit's head says what was done, the district calls the parent, and the rating shows it."""
    open_work(head, f"差评整改：{receipt.number}")
    expect(head.locator("main")).to_contain_text(CAUSE)
    head.get_by_label("超期", exact=True).check()
    head.get_by_label("整改措施").fill(MEASURE)
    head.get_by_role("button", name="已整改").click()
    head.goto("/hall/ratings/manage/?which=open")
    head.get_by_role("link", name=receipt.number).click()
    expect(head.locator("main")).to_contain_text(CAUSE)

    open_work(officer, f"差评整改：{receipt.number}")
    expect(officer.locator("main")).to_contain_text(MEASURE)
    officer.get_by_label("回访日期").fill(officer.evaluate("new Date().toLocaleDateString('sv', {timeZone: 'Asia/Shanghai'})"))
    officer.get_by_label("认可").check()
    officer.get_by_label("回访记录").fill(NOTE)
    officer.get_by_role("button", name="已回访").click()
    wait_for(head, NOTE)
    look(head)
    head.goto("/hall/ratings/manage/?which=bad")
    expect(head.locator("tr").filter(has_text=receipt.number)).to_contain_text("已整改并回访")


def others_are_content(parent: Page, head: Page, child: str) -> None:
    """Four more are served, all at one stroke, and say that they are content: then there are enough to publish."""
    receipts = []
    for _more in range(FEWEST - 1):
        parent.goto(APPLY)
        receipts.append(apply(parent, child))
    head.goto("/work/?which=office")
    for line in head.locator("main tr").filter(has_text="学籍证明").all():
        line.locator("[data-tick]").check()
    head.once("dialog", lambda dialog: dialog.accept())
    head.get_by_role("button", name="批量同意").click()
    expect(head.locator("body")).to_contain_text(f"已同意 {FEWEST - 1} 件。")
    for receipt in receipts:
        rate(parent, receipt, "非常满意")
        parent.get_by_role("button", name="提交评价").click()
        expect(parent.locator("body")).to_contain_text("谢谢您的评价。")


def test_a_parent_is_served_complains_and_is_put_right(
    site: Site, window: Callable[[], Page], sign_in: Callable[..., Page]
) -> None:
    child, stranger, parent = site.accounts["pupil"]["name"], window(), window()
    read_guide(parent)
    parent.get_by_role("link", name="在线办理").click()
    enter(parent, site.accounts["parent"])
    receipt = apply(parent, child)
    look(parent)

    follow(stranger, receipt.number, "0000")
    expect(stranger.locator("main")).to_contain_text("编号和查询码对不上。")
    follow(stranger, receipt.number, TAIL)
    expect(stranger.locator("[aria-current=step]")).to_contain_text("学校核发")
    expect(stranger.locator("main")).not_to_contain_text(child)
    look(stranger)

    head = sign_in("head")
    open_work(head, f"学籍证明.*{child}")
    expect(head.locator("main")).to_contain_text("医疗保险")
    head.get_by_role("button", name="信息一致，出具").click()
    expect(head.locator(".toasts, [role=status]").first).to_contain_text("已办理")

    parent.goto(receipt.address)
    wait_for(parent, "结果已送达")
    parent.locator(".notice a").click()
    expect(parent.get_by_role("heading", name="证书有效")).to_be_visible()
    expect(parent.locator("main")).to_contain_text("用途：医疗保险")
    follow(stranger, receipt.number, receipt.code)
    expect(stranger.locator("main")).to_contain_text("已出具")
    expect(stranger.get_by_role("link", name=re.compile("查验"))).to_be_visible()

    complain(parent, receipt)
    follow(stranger, receipt.number, receipt.code)
    expect(stranger.get_by_role("link", name=re.compile("查验"))).to_be_visible()
    expect(stranger.get_by_role("link", name="评价这次办理")).to_have_count(0)
    put_right(head, sign_in("district_officer"), receipt)
    parent.goto(receipt.address)
    expect(parent.locator(".facts")).to_contain_text("已整改并回访")
    expect(parent.locator(".facts")).to_contain_text(MEASURE)

    stranger.goto("/hall/ratings/")
    row = stranger.locator("main tr").filter(has_text="学籍证明")
    expect(row).to_have_text(re.compile(r"学籍证明\s*\*"))
    expect(stranger.locator("main")).to_contain_text(f"少于 {FEWEST} 条评价，不公布")
    others_are_content(parent, head, child)
    stranger.reload()
    expect(row).to_have_text(re.compile(r"学籍证明\s*5\s*80\.0%\s*1\s*100\.0%"))
    look(stranger)
