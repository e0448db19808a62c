"""An owner refuses a competing source: another org's import is told whose it is, objects, and is answered."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from shuren.casework.models import Case, Entry
from shuren.casework.services.packs.install import install_pack
from shuren.casework.tests.conftest import define
from shuren.kernel.data import SYSTEM
from shuren.standards import api as standards
from shuren.work import api as work
from tests.cast import Cast
from tests.journeys.conftest import PHONE, overflow, serious_faults, signed_in

__all__ = ["define"]
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]

FIELDS = [
    {"key": "no", "type": "text", "title": "编号", "required": True, "length": 20},
    {"key": "stock", "element": "school.stock"},
]
REGISTER: dict[str, Any] = {"key": "demo.stock", "title": "图书台账", "identity": ["no"], "at": ["school"]}
STOCK = (
    "- {code: school.stock, name_zh: 图书册数, name_en: Books, type: integer, grade: L1, "
    "source: register:demo.stock.stock, department: 图书馆管理部门}\n"
)
OBJECT = "/elements/school.stock/object/"


@pytest.fixture
def stock(cast: Cast, define: Callable[..., Any], settings: Any, tmp_path: Path) -> Iterator[Cast]:
    settings.SHUREN_PACKS, settings.DATA_DIR = tmp_path / "packs", tmp_path
    folder = tmp_path / "packs" / "demo" / "standards"
    folder.mkdir(parents=True)
    (folder / "elements.yaml").write_text(STOCK, encoding="utf-8")
    standards.forget_registry()
    standards.load_registry()
    install_pack(actor=SYSTEM, key="core", now=cast.now)
    define("register", REGISTER | {"sections": [{"key": "a", "title": "一", "fields": FIELDS}]})
    standards.set_owner(actor=SYSTEM, element_code="school.stock", org_id=cast.orgs["county"].id, now=cast.now)
    yield cast
    standards.forget_registry()


def look(page: Page) -> None:
    assert serious_faults(page, in_both_lights=False) == []
    assert overflow(page) <= 0, page.url
    if folder := os.environ.get("SHOTS"):
        name = "".join(sign if sign.isalnum() else "-" for sign in page.url.split("/", 3)[3])
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
        size = page.viewport_size
        page.set_viewport_size(PHONE)
        page.screenshot(path=f"{folder}/{name}-phone.png", full_page=True)
        assert overflow(page) <= 0, page.url
        page.set_viewport_size(size or PHONE)


def name_the_source(page: Page, county: str) -> None:
    """The owner says that the county alone brings it, by import."""
    page.goto("/data/sources/?mine=1")
    expect(page.get_by_text("school.stock")).to_be_visible()
    look(page)
    page.goto("/data/sources/school.stock/producer/")
    page.get_by_label("台账导入").check()
    page.get_by_label(county).check()
    look(page)
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存。")).to_be_visible()


def send_file(page: Page) -> None:
    """The file is checked while no page asks: the database in memory has no patience with two at once."""
    page.goto("/registers/demo.stock/import/")
    content = "编号,图书册数\n1,8000\n".encode()
    page.locator("input[type=file]").set_input_files([{"name": "图书.csv", "mimeType": "text/csv", "buffer": content}])
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/imports/**")
    sent = page.url
    page.goto("about:blank")
    page.wait_for_timeout(500)
    work.run_pending()
    page.goto(sent)


def test_an_owner_refuses_a_competing_source(windows: Callable[[], Page], stock: Cast) -> None:
    cast, owner, school = stock, windows(), windows()
    for page in (owner, school):
        page.set_default_timeout(30_000)
    county = cast.orgs["county"].name
    signed_in(owner, "county.officer")
    name_the_source(owner, county)
    owner.goto("about:blank")

    # A school lies in the county's branch; the far school does not.
    signed_in(school, "far.head")
    send_file(school)
    main = school.locator("main")
    expect(main).to_contain_text(f"由{county}统一产生")
    expect(main).to_contain_text(OBJECT)
    look(school)
    assert not Entry.objects.filter(register__key="demo.stock").exists()

    school.goto(OBJECT)
    school.get_by_label("说的是谁").fill("城北区重庆路小学")
    school.get_by_label("应当是").fill("8000")
    school.get_by_label("依据").fill("上周刚清点过")
    look(school)
    school.get_by_role("button", name="提交给负责单位").click()
    expect(school.get_by_text("已提交给负责单位核实。")).to_be_visible()
    case = Case.objects.get(definition__key="core.objection")
    assert case.data["element"] == "school.stock"

    owner.goto("/data/sources/school.stock/refusals/")
    expect(owner.get_by_role("cell", name="城北区重庆路小学")).to_be_visible()
    look(owner)
    owner.goto("/work/")
    owner.get_by_role("link", name=case.title).first.click()
    owner.get_by_label("核实情况").fill("以县里清点为准，月底统一更新。")
    owner.locator("#comment").fill("以县里清点为准。")
    owner.get_by_role("button", name="数据无误", exact=True).click()
    expect(owner.get_by_text(re.compile("^已办理："))).to_be_visible()
    case.refresh_from_db()
    assert (case.state, case.end) == ("closed", "stands")
