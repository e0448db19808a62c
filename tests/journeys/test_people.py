"""A school's administrator moves a pupil to another class and looks after the family, at a desk and on a phone."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import DESKTOP, PHONE, Site, fill_in_door, overflow, serious_faults

pytestmark = pytest.mark.journey
PASSWORD = "kavu-mite-tane-4827"
# The names and addresses of the schools on the page that have more than one class.
SCHOOLS = """() => {
  const place = [...document.querySelectorAll('thead th')].findIndex(head => head.textContent.trim() === '班级')
  return [...document.querySelectorAll('[data-rows] tbody tr')]
    .filter(row => Number(row.children[place].textContent) > 1)
    .map(row => [row.querySelector('a').textContent, row.querySelector('a').getAttribute('href')])
}"""


@dataclass
class Desk:
    """The administrator's window, and the school it is about."""

    page: Page
    school: str

    def look(self) -> None:
        """What every page must be, whatever its width."""
        assert serious_faults(self.page) == []
        assert overflow(self.page) <= 0, self.page.url


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desk", "phone"])
def desk(
    request: pytest.FixtureRequest, sign_in: Callable[..., Page], site: Site, browser: Browser, contexts: list[BrowserContext]
) -> Desk:
    """The city's officer registers an administrator for a school and hands out the password, who then signs in."""
    officer = sign_in("city_officer")
    officer.goto("/orgs/?type=school")
    found = [(name, path) for name, path in officer.evaluate(SCHOOLS) if name != site.accounts["head"]["place"]]
    school, path = found[0]
    officer.goto(f"{path}people/new/")
    officer.get_by_label("角色").select_option("school_admin")
    officer.get_by_label("姓名").fill("许校管")
    officer.get_by_role("button", name="登记").click()
    number = officer.locator(".facts dd").first.inner_text().split()[0]
    officer.goto(f"/credentials/{path.split('/')[2]}/?q={number}")
    officer.locator("[data-tick]").check()
    officer.once("dialog", lambda dialog: dialog.accept())
    officer.get_by_role("button", name="发放并打印密码条").click()
    username, first_password = officer.locator(".slip code").all_inner_texts()[-2:]

    context = browser.new_context(viewport=request.param, locale="zh-CN", reduced_motion="reduce", base_url=site.url)
    contexts.append(context)
    page = context.new_page()
    fill_in_door(page, site, username, first_password)
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    for field, text in zip(page.locator("main input[type=password]").all(), [first_password, PASSWORD, PASSWORD], strict=True):
        field.fill(text)
    page.locator("main form").get_by_role("button").last.click()
    page.goto("/")
    return Desk(page, school)


def open_pupil(desk: Desk) -> tuple[str, str]:
    """The page of a pupil of the school with a home class: their name and that class."""
    desk.page.goto("/people/?role=pupil")
    desk.page.locator("[data-rows] [data-open]").first.click()
    classes = desk.page.get_by_role("region", name="班级")
    desk.look()
    return desk.page.locator("h1").inner_text(), classes.locator("ul a").first.inner_text()


def test_a_pupil_changes_class_and_comes_back(desk: Desk) -> None:
    page = desk.page
    pupil, old = open_pupil(desk)
    address = page.url
    page.get_by_role("link", name="转班或转学").click()
    desk.look()
    page.get_by_role("searchbox", name="班级或学校名称").fill("没有这个班")
    expect(page.get_by_text("没有找到班级")).to_be_visible()
    page.get_by_role("searchbox", name="班级或学校名称").fill(desk.school)
    option = page.locator("#found label:has(input[type=radio])").first
    expect(option).to_contain_text(desk.school)
    new = option.inner_text().split()[0]
    option.click()
    page.get_by_label("开始日期").fill("2020-01-01")
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.locator(".has-errors .errors")).to_contain_text("请改用这一天或以后的日期")
    desk.look()
    page.get_by_label("开始日期").fill(page.evaluate("new Date().toLocaleDateString('sv')"))
    page.get_by_role("button", name="下一步：核对").click()
    expect(page.locator(".facts")).to_contain_text(re.compile(f"{re.escape(old)}.*{re.escape(new)}", re.DOTALL))
    desk.look()
    page.get_by_role("button", name="确认转班").click()
    page.wait_for_url(address)
    classes = page.get_by_role("region", name="班级")
    expect(classes.locator("ul").first).to_contain_text(new)
    classes.get_by_text("以前的").click()
    expect(classes.locator("details")).to_contain_text(old)
    desk.look()
    classes.locator("ul a").first.click()
    page.get_by_role("link", name=re.compile("^人员")).last.click()
    expect(page.locator("[data-rows]")).to_contain_text(pupil)

    page.goto(address)
    page.get_by_role("link", name="转班或转学").click()
    page.locator("#found label:has(input[type=radio])").filter(has_text=old).click()
    page.get_by_role("button", name="下一步：核对").click()
    page.get_by_role("button", name="确认转班").click()
    expect(page.get_by_role("region", name="班级").locator("ul").first).to_contain_text(old)


def test_a_guardian_is_linked_registered_and_ended(desk: Desk) -> None:
    page = desk.page
    page.goto("/people/?role=parent")
    parent = page.locator("[data-rows] [data-open]").last.inner_text()
    pupil, _class = open_pupil(desk)
    address = page.url
    page.get_by_role("link", name="登记监护人").click()
    desk.look()
    page.get_by_role("searchbox").last.fill(parent)
    option = page.locator("#found label:has(input[type=radio])").filter(has_text=parent).first
    expect(option).to_contain_text("孩子：")
    option.click()
    page.get_by_role("button", name="登记监护人").click()
    expect(page.locator(".has-errors .errors")).to_contain_text("请选择一项")
    desk.look()
    page.get_by_label("与学生的关系").select_option("其他监护人")
    page.get_by_role("button", name="登记监护人").click()
    page.wait_for_url(address)
    family = page.get_by_role("region", name="家庭")
    line = family.get_by_role("listitem").filter(has_text=parent).filter(has_text="其他监护人")
    expect(line).to_be_visible()
    line.get_by_role("link", name="结束").click()
    expect(page.locator("main")).to_contain_text(f"{parent}不再能看到{pupil}的信息和学习报告")
    desk.look()
    page.get_by_role("button", name="结束监护关系").click()
    expect(page.locator(".notice-success")).to_contain_text(f"不再是 {pupil} 的监护人")
    expect(line).to_have_count(0)
    family.get_by_text("以前的").click()
    expect(line).to_be_visible()

    page.get_by_role("link", name="登记监护人").click()
    page.get_by_role("link", name="登记新的监护人").click()
    desk.look()
    page.get_by_label("姓名").fill("许外婆")
    page.get_by_label("与学生的关系").select_option("外祖母")
    page.get_by_role("button", name="登记监护人").click()
    expect(page.get_by_role("region", name="家庭")).to_contain_text("许外婆")
