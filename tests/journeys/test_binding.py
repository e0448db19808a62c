"""A class teacher prints codes, and a mother comes to her child with one of them, on her phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import PHONE, Site, overflow, serious_faults

pytestmark = pytest.mark.journey


def test_a_mother_binds_with_the_code_from_school(
    site: Site, browser: Browser, contexts: list[BrowserContext], sign_in: Callable[..., Page]
) -> None:
    teacher = sign_in("class_teacher")
    teacher.goto("/binding/")
    assert serious_faults(teacher) == []
    row = teacher.locator("[data-rows] tbody tr").first
    child = row.locator("td, th").nth(1).inner_text().strip()
    row.locator("[data-tick]").check()
    teacher.once("dialog", lambda dialog: dialog.accept())
    teacher.get_by_role("button", name="做绑定码并打印").click()
    expect(teacher.get_by_role("heading", name="家长绑定码")).to_be_visible()
    codes = teacher.locator(".slip code").all_inner_texts()
    assert len(codes) == 2
    assert serious_faults(teacher) == []

    context = browser.new_context(viewport=PHONE, locale="zh-CN", reduced_motion="reduce", base_url=site.url)
    contexts.append(context)
    mother = context.new_page()
    mother.goto(f"/bind/?code={codes[0]}")
    assert serious_faults(mother) == []
    assert overflow(mother) <= 0
    mother.get_by_label("孩子的姓名").fill("不是他")
    mother.get_by_role("button", name="下一步").click()
    expect(mother.get_by_text("绑定码或孩子的姓名不对").first).to_be_visible()
    mother.get_by_label("孩子的姓名").fill(child)
    mother.get_by_role("button", name="下一步").click()
    expect(mother.get_by_role("heading", name=child)).to_be_visible()
    assert serious_faults(mother) == []
    assert overflow(mother) <= 0
    mother.get_by_label("您的姓名").fill("柳如云")
    mother.get_by_label("您是孩子的").select_option("母亲")
    mother.get_by_label("手机号").fill("19900000001")
    mother.locator("input[name=password]").fill("nuvo-kabe-sile-1032")
    mother.get_by_role("button", name="建账号并绑定").click()
    mother.wait_for_url(f"{site.url}/")
    expect(mother.get_by_text(f"现在可以查看{child}的情况").first).to_be_visible()

    teacher.goto("/notices/")
    expect(teacher.get_by_text(f"柳如云绑定了{child}").first).to_be_visible()
