"""A citizen checks a certificate: by its number, its evidence off-line, a revoked one, and a forged one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from shuren.certificates.data import CertificateKind, Layout, NewTemplate, Recipient
from shuren.certificates.models import Certificate
from shuren.certificates.selectors.certificates import credential_of
from shuren.certificates.services.give import give_certificate
from shuren.certificates.services.revoke import revoke_certificate
from shuren.certificates.services.write_template import add_template
from shuren.kernel import clock
from shuren.trust import api as trust
from tests.cast import Cast, build_cast

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture
def people(transactional_db: None, settings: Any, live_server: Any, tmp_path: Path) -> Cast:
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
    settings.SHUREN_PUBLIC_URL = live_server.url
    settings.SHUREN_EVIDENCE_DIR = tmp_path / "evidence"
    return build_cast()


@pytest.fixture
def row(people: Cast) -> Certificate:
    head, school = people.actor("head"), people.orgs["school"].id
    template = NewTemplate(
        kind=CertificateKind.HONOUR,
        name="三好学生",
        name_en="Merit Student",
        criteria="品德好、学习好、身体好。",
        wording="{name} 同学（{school}{class}）在本学年中表现优秀，特发此证。",
        layout=Layout.FORMAL,
        seal_text="东湖区实验小学",
    )
    template_id = add_template(actor=head, org_id=school, template=template, now=clock.now())
    recipient = Recipient(people.people["pupil"].id)
    given = give_certificate(actor=head, org_id=school, template_id=template_id, recipient=recipient, now=clock.now())
    trust.grow_log(now=clock.now())
    return Certificate.objects.get(pk=given)


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def citizen(request: pytest.FixtureRequest, browser: Browser, live_server: Any) -> Iterator[Page]:
    """Somebody without an account."""
    context = browser.new_context(locale="zh-CN", base_url=live_server.url, viewport=request.param)
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def kept(page: Page, name: str, folder: Path) -> Path:
    """The file behind a link of the page."""
    with page.expect_download() as found:
        page.get_by_role("link", name=name, exact=True).click()
    path = folder / found.value.suggested_filename
    found.value.save_as(path)
    return path


def test_a_certificate_is_checked_online_and_off(people: Cast, row: Certificate, citizen: Page, tmp_path: Path) -> None:
    citizen.goto(f"/verify/{row.number}/")
    expect(citizen.get_by_role("heading", name="证书有效")).to_be_visible()
    expect(citizen.locator("main")).to_contain_text(people.people["pupil"].name)
    overflow = citizen.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0
    proof, original = kept(citizen, "存证证明", tmp_path), kept(citizen, "存证原件", tmp_path)
    citizen.get_by_role("link", name="验证存证", exact=True).first.click()
    citizen.wait_for_load_state("networkidle")
    citizen.context.set_offline(True)
    verdict = citizen.locator("[data-evidence-verdict]")
    citizen.set_input_files("[data-evidence-proof]", proof)
    expect(verdict).to_contain_text("证明成立")
    citizen.set_input_files("[data-evidence-original]", original)
    expect(verdict).to_contain_text("原件与摘要一致")
    other = tmp_path / "other.nq"
    other.write_text(original.read_text(encoding="utf-8").replace("表现优秀", "表现特优"), encoding="utf-8")
    citizen.set_input_files("[data-evidence-original]", other)
    expect(verdict).to_contain_text("原件与摘要不一致")
    said = json.loads(proof.read_text(encoding="utf-8"))
    said["entry"]["subject"] = "certificate:0000000000000000"
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(said), encoding="utf-8")
    citizen.set_input_files("[data-evidence-proof]", forged)
    expect(verdict).to_contain_text("证明不成立")


def test_revoked_and_forged_ones_are_told(people: Cast, row: Certificate, citizen: Page, tmp_path: Path) -> None:
    forged = credential_of(row)
    forged["credentialSubject"]["narrative"] = "特等奖"
    file = tmp_path / "forged.json"
    file.write_text(json.dumps(forged, ensure_ascii=False), encoding="utf-8")
    citizen.goto("/verify/")
    citizen.set_input_files("input[type=file]", file)
    citizen.get_by_role("button", name="查验").click()
    expect(citizen.get_by_role("heading", name="内容被改动过")).to_be_visible()
    expect(citizen.locator("main")).not_to_contain_text("特等奖")
    revoke_certificate(actor=people.actor("head"), certificate_id=row.pk, reason="评选有误", now=clock.now())
    citizen.fill("input[name=number]", row.number.lower())
    citizen.get_by_role("button", name="查验").click()
    expect(citizen.get_by_role("heading", name="证书已撤销")).to_be_visible()
    expect(citizen.locator("main")).to_contain_text("评选有误")
