"""Two people at one form, without a script: nobody's newer work is written over, and signatures hold."""

from typing import Any

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.casework.models import Case
from shuren.casework.selectors.prefill import Prefill
from shuren.casework.services.cases.file import save_draft
from shuren.casework.services.cases.submit import submit_case
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.flows import LEAVE_FORM, filed, flow
from shuren.casework.views import fill_pages
from shuren.kernel import ids


@pytest.fixture
def case(cast: Cast, define: Define) -> Case:
    define("form", LEAVE_FORM)
    define("flow", flow())
    return filed(cast)


def page(case: Case) -> str:
    return f"/cases/{ids.encode('case', case.pk)}/fill/"


def drawn_from(client: Client, case: Case) -> str:
    text = client.get(page(case)).content.decode()
    return text.partition('name="revision" value="')[2].partition('"')[0]


def saved_elsewhere(cast: Cast, case: Case, **data: Any) -> None:
    actor = cast.actor("class_teacher")
    save_draft(actor=actor, case_id=case.pk, data=case.data | data, base_revision=case.revision, now=cast.now)
    case.refresh_from_db()


@pytest.mark.parametrize("act", ["save", "submit", "add_row:judges"])
def test_what_others_saved_meanwhile_is_shown_beside_what_was_typed(cast: Cast, case: Case, act: str) -> None:
    client = cast.client("class_teacher")
    revision = drawn_from(client, case)
    saved_elsewhere(cast, case, reason="同事写的事由")
    answer = client.post(page(case), {"revision": revision, "reason": "我写的事由", "days": "2", "act": act})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "别人保存的是：同事写的事由" in text
    assert 'value="我写的事由"' in text
    assert text.count("别人保存的是") == 2  # at the field and in the summary
    case.refresh_from_db()
    assert (case.data["reason"], case.state) == ("同事写的事由", "draft")
    shown = text.partition('name="revision" value="')[2].partition('"')[0]
    again = client.post(page(case), {"revision": shown, "reason": "我写的事由", "days": "2", "act": "save"})
    assert again.status_code == 302
    case.refresh_from_db()
    assert case.data["reason"] == "我写的事由"


def test_what_both_wrote_alike_needs_no_question(cast: Cast, case: Case) -> None:
    client = cast.client("class_teacher")
    revision = drawn_from(client, case)
    saved_elsewhere(cast, case, reason="开会")
    answer = client.post(page(case), {"revision": revision, "reason": "开会", "days": "2", "act": "save"})
    assert answer.status_code == 302


def test_a_case_that_was_handed_in_elsewhere_is_shown(cast: Cast, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    client = cast.client("class_teacher")
    worked = fill_pages.worked_post

    def slowly(*words: Any, **more: Any) -> Any:
        submit_case(actor=cast.actor("class_teacher"), case_id=case.pk, now=cast.now)
        return worked(*words, **more)

    monkeypatch.setattr(fill_pages, "worked_post", slowly)
    answer = client.post(page(case), {"reason": "晚了", "days": "2", "act": "submit"})
    assert answer.headers["Location"] == f"/cases/{ids.encode('case', case.pk)}/"
    case.refresh_from_db()
    assert case.data["reason"] == "看病"


SIGNED = LEAVE_FORM | {
    "sections": [
        {
            "key": "main",
            "title": "请假",
            "fields": [
                *LEAVE_FORM["sections"][0]["fields"],
                {"key": "post", "title": "职务", "type": "text"},
                {"key": "sign", "title": "签名", "type": "signature", "required": True},
            ],
        }
    ]
}


def test_a_signature_holds_over_what_the_region_filled_in(cast: Cast, define: Define, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the region holds changed after the case was filed: what is signed is what the page showed."""
    define("form", SIGNED)
    define("flow", flow())
    case = filed(cast, data={"post": "旧职务"})
    held = {"post": Prefill("年级组长", "人事台账")}
    monkeypatch.setattr(fill_pages, "held_values", lambda case, now: held)
    monkeypatch.setattr("shuren.casework.services.cases.submit.held_values", lambda case, now: held)
    client = cast.client("class_teacher")
    typed = {"revision": drawn_from(client, case), "reason": "看病", "days": "2"}
    assert client.post(page(case), typed | {"act": "sign:sign"}).status_code == 302
    typed["revision"] = drawn_from(client, case)
    answer = client.post(page(case), typed | {"act": "submit"})
    assert answer.status_code == 302, answer.content.decode()
    case.refresh_from_db()
    assert (case.state, case.data["post"]) == ("running", "年级组长")
