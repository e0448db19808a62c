"""The window: clerks file for visitors without an account, and find whom they have to call."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from tests.cast import Cast

from shuren.casework.data import CaseState
from shuren.casework.models import Case, Outward, WindowApplicant
from shuren.casework.selectors.hall import query_code
from shuren.casework.services.hall.apply import file_at_window, reveal_window_contact
from shuren.casework.services.hall.receipt import receipt_html
from shuren.casework.tests.hall_cast import PROOF, QUESTION, applied, install_gov
from shuren.kernel import ids
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry


@pytest.fixture(autouse=True)
def gov(cast: Cast, define: Any) -> Cast:
    cache.clear()
    install_gov(define)
    return cast


def filed(cast: Cast, who: str = "county_officer", **more: str) -> Case:
    return file_at_window(
        actor=cast.actor(who), item="gov.consultation", org_id=cast.orgs["county"].id, name="钱多多", phone="13912345678",
        data={**QUESTION, "contact_name": "钱多多", "phone": "13912345678"}, now=cast.now, **more,
    )  # fmt: skip


def window_url(case: Case, page: str = "") -> str:
    return f"/hall/window/cases/{ids.encode('case', case.pk)}/{page}"


def test_a_clerk_files_for_a_citizen_without_account(gov: Cast) -> None:
    clerk = gov.actor("county_officer")
    case = file_at_window(
        actor=clerk, item="gov.consultation", org_id=gov.orgs["county"].id, name="钱多多", phone="13912345678",
        data={**QUESTION, "contact_name": "钱多多", "phone": "13912345678"}, document="530102199001011234", now=gov.now,
    )  # fmt: skip
    row = WindowApplicant.objects.get(case=case)
    assert (row.name_masked, row.phone_masked) == ("钱**", "139****5678")
    assert "钱多多".encode() not in bytes(row.told_sealed)
    assert case.filer_id is None
    assert case.state == CaseState.RUNNING.value
    page = Client().post("/hall/progress/", {"number": case.number, "proof": "5678"}).content.decode()
    assert "办理并答复" in page
    assert "钱" not in page
    told = Outward.objects.get(kind="identity").payload
    assert "钱多多" not in str(told)
    assert "530102199001011234" not in str(told)
    with pytest.raises(NotFound):
        file_at_window(
            actor=gov.actor("school_admin"), item="gov.consultation", org_id=gov.orgs["county"].id, name="钱多多",
            phone="13912345678", data=QUESTION, now=gov.now,
        )  # fmt: skip


def test_the_window_page_takes_a_question(gov: Cast) -> None:
    client = gov.client("county_officer")
    assert "咨询" in client.get("/hall/window/").content.decode()
    assert client.get("/hall/window/gov.consultation/").status_code == 200
    told = {
        "name": "钱多多", "phone": "13912345678", "org": gov.orgs["county"].public_id, "topic": "fees",
        "subject": "课后服务收费", "question": "一个月多少钱？", "act": "submit",
    }  # fmt: skip
    answer = client.post("/hall/window/gov.consultation/", told)
    assert answer.status_code == 302, answer.content.decode()
    page = client.get(answer["Location"]).content.decode()
    assert "钱**" in page
    assert "钱多多" not in page
    missing = client.post("/hall/window/gov.consultation/", told | {"question": ""})
    assert missing.status_code == 400
    assert "内容" in missing.content.decode()
    assert gov.client("parent").get("/hall/window/").status_code == 404


def test_the_contact_is_masked_until_a_clerk_asks_and_then_written_down(gov: Cast) -> None:
    case = filed(gov)
    client = gov.client("county_officer")
    page = client.get(window_url(case)).content.decode()
    assert "139****5678" in page
    assert "13912345678" not in page
    assert client.get(window_url(case, "contact/")).status_code == 405
    shown = client.post(window_url(case, "contact/"), follow=True).content.decode()
    assert "钱多多" in shown
    assert "13912345678" in shown
    entry = AuditEntry.objects.get(action="casework.window_contact_read")
    assert (entry.target, entry.actor_person_id) == (f"case:{case.pk}", gov.people["county_officer"].id)
    assert "13912345678" not in client.get(window_url(case)).content.decode()


@pytest.mark.parametrize("who", ["school_admin", "head", "far_head", "parent", "system_admin", "audit_admin"])
def test_others_neither_find_nor_read_the_contact(gov: Cast, who: str) -> None:
    case = filed(gov)
    client = gov.client(who)
    assert client.get("/hall/window/cases/").status_code == 404
    assert client.get(window_url(case)).status_code == 404
    assert client.post(window_url(case, "contact/")).status_code == 404
    with pytest.raises(NotFound):
        reveal_window_contact(actor=gov.actor(who), case_id=case.pk, now=gov.now)
    assert not AuditEntry.objects.filter(action="casework.window_contact_read").exists()


def test_a_case_that_no_window_took_has_no_contact(gov: Cast) -> None:
    matter = f"person-{gov.people['parent'].public_id}"
    case = applied(gov, "gov.consultation", QUESTION, matter=matter, org="county")
    assert gov.client("county_officer").post(window_url(case, "contact/")).status_code == 404


def test_clerks_find_what_their_windows_took(gov: Cast) -> None:
    case = filed(gov)
    for who in ("county_officer", "city_officer"):
        page = gov.client(who).get("/hall/window/cases/").content.decode()
        assert window_url(case) in page
        assert "钱多多" not in page
    client = gov.client("county_officer")
    assert window_url(case) in client.get(f"/hall/window/cases/?q={case.number[:6]}").content.decode()
    assert window_url(case) not in client.get("/hall/window/cases/?q=NONE").content.decode()
    assert window_url(case) in client.get(f"/cases/{ids.encode('case', case.pk)}/").content.decode()


OFFICES = ("/hall/window/", "/hall/admission/", "/hall/certificates/", "/hall/ratings/manage/", "/hall/outward/")


@pytest.mark.parametrize(
    ("who", "opened"),
    [
        ("county_officer", OFFICES[:4]), ("head", OFFICES[3:4]), ("system_admin", OFFICES[4:]), ("parent", ()), ("", ()),
    ],
)  # fmt: skip
def test_the_hall_leads_everybody_to_what_opens_for_them_and_nothing_else(gov: Cast, who: str, opened: tuple[str, ...]) -> None:
    client = gov.client(who) if who else Client()
    page = client.get("/hall/").content.decode()
    assert [url for url in OFFICES if f'href="{url}"' in page] == list(opened)
    assert ("工作人员" in page) is bool(opened)
    assert [url for url in OFFICES if client.get(url).status_code == 200] == list(opened)


def test_the_receipt_names_office_and_applicant_and_leads_to_the_progress(gov: Cast) -> None:
    case = filed(gov)
    page = receipt_html(case, site="https://jy.example.cn", now=gov.now)
    assert f"https://jy.example.cn/hall/progress/?number={case.number}" in page
    assert f"{gov.orgs['county'].name}（盖章）" in page
    assert "钱**" in page
    assert "钱多多" not in page
    assert query_code(case.number) in page
    own = applied(gov, "gov.enrolment_proof", PROOF)
    assert "张*" in receipt_html(own, site="", now=gov.now)


def test_the_contact_is_kept_in_no_cookie_and_no_session(gov: Cast) -> None:
    case, client = filed(gov), gov.client("county_officer")
    shown = client.post(window_url(case, "contact/"))
    assert "13912345678" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert "messages" not in client.cookies
    kept = "".join(cookie.value for cookie in client.cookies.values()) + str(dict(client.session))
    assert "13912345678" not in kept
    assert "钱多多" not in kept
