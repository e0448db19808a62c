"""A child's data and an app: asked at the school's choice, told when a guardian takes it back."""

from typing import Any
from urllib.parse import urlencode

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision, ConsentState
from shuren.identity import api as identity
from shuren.interop.models import App, Installation
from shuren.interop.services.choose import remove_app
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.interop.tests.test_chain import install, listed_app
from shuren.kernel import clock, ids
from shuren.work import api as work


def told(stage: Stage, client_id: str) -> dict[str, Any]:
    pupil = stage.cast.people["pupil"].id
    found = directory.disclosed_people(
        person_ids=[pupil], elements=["person.name", "person.grade"], purpose="teaching", recipient=client_id, now=clock.now()
    )
    return dict(found[pupil].values)


def give_consent(stage: Stage, client_id: str) -> None:
    pupil = stage.cast.people["pupil"].id
    (text,) = [text for text in directory.asked_texts([pupil], now=clock.now())[pupil] if text.recipient == client_id]
    parent = stage.actor("parent")
    directory.decide_consent(actor=parent, person_id=pupil, text_id=text.id, decision=ConsentDecision.GIVEN, now=clock.now())


def test_consent_opens_and_its_withdrawal_reaches_the_app(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    client_id = App.objects.get(pk=app_id).client_id
    assert client_id is not None
    assert told(stage, client_id).get("person.name") != "张三"
    install(stage, app_id)
    pupil = stage.cast.people["pupil"].id
    texts = [text for text in directory.asked_texts([pupil], now=clock.now())[pupil] if text.recipient == client_id]
    assert [(text.purpose, text.elements) for text in texts] == [("teaching", ("person.name",))]

    def decide(decision: ConsentDecision) -> None:
        directory.decide_consent(
            actor=stage.actor("parent"), person_id=pupil, text_id=texts[0].id, decision=decision, now=clock.now()
        )

    decide(ConsentDecision.GIVEN)
    assert told(stage, client_id)["person.name"] == "张三"
    work.run_pending()

    decide(ConsentDecision.WITHDRAWN)
    assert "person.name" not in told(stage, client_id)
    began = clock.now()
    work.run_pending()
    news = [line for line in server.seen() if line["type"] == "consent.withdrawn"]
    assert len(news) == 1
    assert news[0]["data"] == {"person_id": stage.cast.people["pupil"].public_id, "purpose": "teaching"}
    assert (clock.now() - began).total_seconds() < 60


def test_who_was_told_hears_of_the_deletion_though_nobody_chose_them_any_more(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    install(stage, app_id)
    client_id = App.objects.get(pk=app_id).client_id
    assert client_id is not None
    give_consent(stage, client_id)
    assert told(stage, client_id)["person.name"] == "张三"
    school = stage.cast.orgs["school"].id
    remove_app(actor=stage.actor("school_admin"), app_id=app_id, org_id=school, now=clock.now())
    pupil = stage.cast.people["pupil"]
    directory.erase_person(actor=stage.actor("head"), person_id=pupil.id, now=clock.now())
    work.run_pending()
    (news,) = [line for line in server.seen() if line["type"] == "person.erased"]
    assert (news["data"]["person_id"], news["data"]["is_whole"]) == (pupil.public_id, False)
    assert "phone" in news["data"]["erased"]


def test_a_guardian_answers_on_the_page(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    install(stage, app_id)
    client = stage.cast.client("parent")
    page = client.get("/apps/data/").content.decode()
    assert "张三" in page
    assert "在作业本上显示姓名" in page
    pupil = stage.cast.people["pupil"]
    text_id = Installation.objects.get(ended_at__isnull=True).consent_texts[0]
    url = f"/apps/data/{pupil.public_id}/{ids.encode('consent_text', text_id)}/"
    client_id = App.objects.get(pk=app_id).client_id or ""
    for state in (ConsentState.GIVEN, ConsentState.WITHDRAWN, ConsentState.REFUSED):
        assert client.post(url, {"decision": state.value}).status_code == 302
        found = directory.consent_of(person_id=pupil.id, purpose="teaching", recipient=client_id, now=clock.now())
        assert found.state is state
    assert stage.cast.client("far_parent").post(url, {"decision": "given"}).status_code == 404
    assert client.post(url, {"decision": "perhaps"}).status_code == 400


def test_removing_the_app_ends_the_notice(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    install(stage, app_id)
    remove_app(actor=stage.actor("head"), app_id=app_id, org_id=stage.cast.orgs["school"].id, now=clock.now())
    pupil = stage.cast.people["pupil"].id
    assert directory.asked_texts([pupil], now=clock.now())[pupil] == []


def question(app_id: int, server: VendorServer) -> str:
    asked = {
        "response_type": "code",
        "client_id": App.objects.get(pk=app_id).client_id or "",
        "redirect_uri": f"{server.url}/callback",
        "scope": "openid profile",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    return urlencode(asked)


def state_of(stage: Stage, app_id: int, key: str) -> ConsentState:
    client_id = App.objects.get(pk=app_id).client_id or ""
    person_id = stage.cast.people[key].id
    return directory.consent_of(person_id=person_id, purpose="teaching", recipient=client_id, now=clock.now()).state


def test_the_page_of_the_app_answers_the_same_notice(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    install(stage, app_id)
    browser, asked = stage.cast.client("teacher"), question(app_id, server)
    page = browser.get(f"/oauth/authorize/?{asked}").content.decode()
    text_id = ids.encode("consent_text", Installation.objects.get(ended_at__isnull=True).consent_texts[0])
    assert f'name="notice" value="{text_id}"' in page
    assert state_of(stage, app_id, "teacher") is ConsentState.WAITING

    assert browser.post(f"/oauth/decide/?{asked}", {"decision": "allow"}).status_code == 302
    assert state_of(stage, app_id, "teacher") is ConsentState.REFUSED  # the app may be used all the same
    assert "code=" in browser.get(f"/oauth/authorize/?{asked}&prompt=none").headers["Location"]
    given = {"decision": "allow", "notice": text_id}
    assert browser.post(f"/oauth/decide/?{asked}", given).status_code == 302
    assert state_of(stage, app_id, "teacher") is ConsentState.GIVEN
    assert f'value="{text_id}" checked' in browser.get(f"/oauth/authorize/?{asked}&prompt=consent").content.decode()

    client = identity.client_by_client_id(App.objects.get(pk=app_id).client_id or "")
    assert client is not None
    assert browser.post(f"/account/apps/{client.public_id}/withdraw/").status_code == 302
    assert state_of(stage, app_id, "teacher") is ConsentState.WITHDRAWN


def test_a_child_does_not_answer_for_the_guardian(stage: Stage, server: VendorServer) -> None:
    app_id = listed_app(stage, server)
    install(stage, app_id)
    browser, asked = stage.cast.client("pupil"), question(app_id, server)
    page = browser.get(f"/oauth/authorize/?{asked}").content.decode()
    assert "由您的监护人决定" in page
    assert 'name="notice"' not in page
    text_id = ids.encode("consent_text", Installation.objects.get(ended_at__isnull=True).consent_texts[0])
    assert browser.post(f"/oauth/decide/?{asked}", {"decision": "allow", "notice": text_id}).status_code == 302
    assert state_of(stage, app_id, "pupil") is ConsentState.WAITING
