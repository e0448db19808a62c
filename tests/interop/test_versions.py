"""An org keeps the version of an app that it agreed to: a newer one, approved elsewhere, opens nothing there."""

import base64
import secrets
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision
from shuren.directory.models import Disclosure
from shuren.identity import api as identity
from shuren.identity.rules.oauth.asking import challenge_of
from shuren.identity.services.oauth.families import own_access_token
from shuren.interop import api
from shuren.interop.data import DataPurpose, DataWish, Decision, Entry, EventType, LaunchKind, VersionStatus
from shuren.interop.models import App, AppVersion, Submission
from shuren.interop.selectors.agreed import chosen_paths, wished_at
from shuren.interop.selectors.people import may_sign_in
from shuren.interop.services.emit import emit_about
from shuren.interop.services.govern import end_listing
from shuren.interop.services.review import decide_submission
from shuren.interop.services.write_entry import add_app, revise_entry
from shuren.interop.tests.conftest import Stage, entry_at
from shuren.interop.tests.test_chain import install
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.standards.data import Grade
from tests.cast import Cast

SITE = "https://app.example.cn"
NAME = DataWish("person.name", DataPurpose.TEACHING, "在作业本上显示姓名", Grade.PUBLIC)
PHONE = DataWish("person.phone", DataPurpose.TEACHING, "打电话通知家长", Grade.PUBLIC)


def lay_and_approve(stage: Stage, app_id: int, org: str) -> None:
    """The newest version onto the list of one branch, without the test that needs a running app."""
    version = AppVersion.objects.filter(app_id=app_id).order_by("-number")[0]
    branch = stage.cast.orgs[org]
    row = Submission.objects.create(version=version, org_id=branch.id, org_path=branch.path, submitted_at=clock.now())
    AppVersion.objects.filter(pk=version.pk).exclude(status=VersionStatus.APPROVED).update(status=VersionStatus.SUBMITTED)
    officer = stage.actor("province_officer")
    decide_submission(actor=officer, submission_id=row.pk, decision=Decision.APPROVE, reason="", now=clock.now())


def in_two_branches(stage: Stage, older: dict[str, Any], newer: dict[str, Any]) -> int:
    """An app of which the city's school agreed to the older version, and the other city's school to the newer one."""
    app_id = add_app(actor=stage.vendor, entry=entry_at(SITE, **older), now=clock.now())
    lay_and_approve(stage, app_id, "city")
    install(stage, app_id)
    revise_entry(actor=stage.vendor, app_id=app_id, entry=entry_at(SITE, **newer), now=clock.now())
    lay_and_approve(stage, app_id, "other_city")
    install(stage, app_id, "far_head", "far_school")
    return app_id


def agree_here(stage: Stage, app_id: int) -> None:
    lay_and_approve(stage, app_id, "city")
    install(stage, app_id)


def client_of(app_id: int) -> Any:
    found = identity.client_by_client_id(App.objects.get(pk=app_id).client_id or "")
    assert found is not None
    return found


class Caller:
    """The app with a token in its own name that carries all its client may ask for."""

    def __init__(self, cast: Cast, app_id: int, *scopes: str) -> None:
        self.cast = cast
        token = own_access_token(client_pk=client_of(app_id).id, scopes=scopes, now=clock.now())
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Any:
        return Client().get(path, headers=self.headers)

    def opens(self, key: str) -> tuple[int, int, int]:
        """The school, a pupil of it over REST, and the same one over SCIM."""
        org, pupil = ("school", "pupil") if key == "here" else ("far_school", "far_pupil")
        person_id = self.cast.people[pupil].public_id
        paths = (
            f"/api/v1/orgs/{self.cast.orgs[org].public_id}",
            f"/api/v1/people/{person_id}",
            f"/scim/v2/Users/{person_id}",
        )
        first, second, third = (self.get(path).status_code for path in paths)
        return first, second, third


READING = ("directory.read", "scim.read")


def test_a_newer_scope_opens_only_where_it_was_agreed_to(stage: Stage) -> None:
    app_id = in_two_branches(stage, {"scopes": ("webhooks",)}, {"scopes": ("webhooks", *READING)})
    caller = Caller(stage.cast, app_id, *READING)
    assert caller.opens("far") == (200, 200, 200)
    assert caller.opens("here") == (404, 404, 404)
    here = stage.cast.people["pupil"].public_id
    assert here not in caller.get("/scim/v2/Users?count=200").content.decode()
    assert here not in caller.get("/api/v1/people?size=200").content.decode()
    assert caller.get("/scim/v2/Groups").content.decode().count(stage.cast.orgs["school"].public_id) == 0
    agree_here(stage, app_id)
    assert caller.opens("here") == (200, 200, 200)


def test_every_door_asks_for_its_own_scope(stage: Stage) -> None:
    app_id = in_two_branches(stage, {"scopes": ("directory.read",)}, {"scopes": READING})
    caller = Caller(stage.cast, app_id, *READING)
    assert caller.opens("far") == (200, 200, 200)
    assert caller.opens("here") == (200, 200, 404), "what was agreed to goes on, what is new stays shut"


def test_a_choice_of_the_county_holds_for_its_schools(stage: Stage) -> None:
    app_id = in_two_branches(stage, {}, {"scopes": READING})
    lay_and_approve(stage, app_id, "city")
    install(stage, app_id, "county_officer", "county")
    assert Caller(stage.cast, app_id, *READING).opens("here") == (200, 200, 200)


class Walk:
    """Somebody signs in to the app, which asks for all that its client may have."""

    def __init__(self, stage: Stage, app_id: int, key: str) -> None:
        self.client, self.key, self.stage = client_of(app_id), key, stage
        self.secret = identity.add_client_secret(actor=SYSTEM, client_id=self.client.client_id, now=clock.now())

    def token(self, scope: str) -> Any:
        verifier = secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": f"{SITE}/callback",
            "scope": scope,
            "state": "s",
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        answer = self.stage.cast.client(self.key).post("/oauth/decide/?" + urlencode(asked), {"decision": "allow"})
        assert answer.status_code == 302, answer.content.decode()[:2000]
        code = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{SITE}/callback", "code_verifier": verifier}
        return self.post(form)

    def post(self, form: dict[str, str]) -> Any:
        basic = base64.b64encode(f"{self.client.client_id}:{self.secret}".encode()).decode()
        return Client().post(
            "/oauth/token/",
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"authorization": f"Basic {basic}"},
        )


def test_a_teachers_token_carries_no_scope_that_the_school_did_not_agree_to(stage: Stage) -> None:
    app_id = in_two_branches(stage, {}, {"scopes": READING})
    scope = "openid profile org directory.read scim.read"
    walk = Walk(stage, app_id, "class_teacher")
    here = walk.token(scope).json()
    far = Walk(stage, app_id, "far_class_teacher").token(scope).json()
    assert set(here["scope"].split()) == {"openid", "profile", "org"}
    assert set(far["scope"].split()) == set(scope.split())
    pupils = {key: f"/api/v1/people/{stage.cast.people[key].public_id}" for key in ("pupil", "far_pupil")}
    reads = {
        (name, key): Client().get(path, headers={"Authorization": f"Bearer {token['access_token']}"}).status_code
        for name, token in (("here", here), ("far", far))
        for key, path in pupils.items()
    }
    assert reads == {("here", "pupil"): 403, ("here", "far_pupil"): 403, ("far", "pupil"): 404, ("far", "far_pupil"): 200}
    refused = walk.token("directory.read")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_scope")
    agree_here(stage, app_id)
    again = walk.post({"grant_type": "refresh_token", "refresh_token": here["refresh_token"]}).json()
    assert set(again["scope"].split()) == set(scope.split()), "the school agreed, and the person had"


def user(caller: Caller, key: str) -> dict[str, Any]:
    found: dict[str, Any] = caller.get(f"/scim/v2/Users/{caller.cast.people[key].public_id}").json()
    return found


def test_scim_tells_no_element_that_the_school_did_not_agree_to(stage: Stage) -> None:
    for key in ("pupil", "far_pupil"):
        person_id = stage.cast.people[key].id
        directory.correct_person(actor=SYSTEM, person_id=person_id, changes={"phone": "13800000001"}, now=clock.now())
    older, newer = {"scopes": READING, "wishes": (NAME,)}, {"scopes": READING, "wishes": (NAME, PHONE)}
    app_id = in_two_branches(stage, older, newer)
    caller = Caller(stage.cast, app_id, *READING)
    assert "phoneNumbers" not in user(caller, "pupil"), "not even behind a mask"
    assert user(caller, "far_pupil")["phoneNumbers"][0]["value"] == "138****0001"
    pupil = stage.cast.people["pupil"].id
    texts = directory.asked_texts([pupil], now=clock.now())[pupil]
    assert [text.elements for text in texts] == [("person.name",)]
    directory.decide_consent(
        actor=stage.actor("parent"), person_id=pupil, text_id=texts[0].id, decision=ConsentDecision.GIVEN, now=clock.now()
    )
    assert user(caller, "pupil")["displayName"] == "张三"
    assert "phoneNumbers" not in user(caller, "pupil")
    assert set(Disclosure.objects.filter(person_id=pupil).values_list("elements", flat=True)) == {"name"}


def test_a_number_is_asked_for_like_personal_data(stage: Stage) -> None:
    number = DataWish("person.number", DataPurpose.TEACHING, "对上学校的名册", Grade.PUBLIC)
    older, newer = {"scopes": READING, "wishes": (NAME,)}, {"scopes": READING, "wishes": (NAME, number)}
    app_id = in_two_branches(stage, older, newer)
    asked = {}
    for key in ("pupil", "far_pupil"):
        person_id = stage.cast.people[key].id
        (text,) = directory.asked_texts([person_id], now=clock.now())[person_id]
        parent = stage.actor("parent" if key == "pupil" else "far_parent")
        directory.decide_consent(
            actor=parent, person_id=person_id, text_id=text.id, decision=ConsentDecision.GIVEN, now=clock.now()
        )
        told = Caller(stage.cast, app_id, *READING).get(f"/api/v1/people/{stage.cast.people[key].public_id}").json()
        asked[key] = (text.elements, told["number"])
    assert asked["pupil"] == (("person.name",), "")
    assert asked["far_pupil"] == (("person.name", "person.number"), stage.cast.people["far_pupil"].number)


def test_a_no_stands_when_a_newer_version_names_another_purpose(stage: Stage) -> None:
    managed = DataWish("person.name", DataPurpose.MANAGEMENT, "在名册上显示姓名", Grade.PUBLIC)
    app_id = in_two_branches(stage, {"scopes": READING}, {"scopes": READING, "wishes": (managed,)})
    pupil = stage.cast.people["pupil"].id
    (text,) = directory.asked_texts([pupil], now=clock.now())[pupil]
    directory.decide_consent(
        actor=stage.actor("parent"), person_id=pupil, text_id=text.id, decision=ConsentDecision.REFUSED, now=clock.now()
    )
    told = Caller(stage.cast, app_id, *READING).get(f"/api/v1/people/{stage.cast.people['pupil'].public_id}").json()
    assert (client_of(app_id).purpose, told["name"]) == ("teaching", "")
    lay_and_approve(stage, app_id, "city")
    assert client_of(app_id).purpose == "teaching", "the school still uses the older version"
    install(stage, app_id)
    assert client_of(app_id).purpose == "management"


def test_the_purpose_waits_while_the_older_version_may_still_be_chosen(stage: Stage) -> None:
    managed = DataWish("person.name", DataPurpose.MANAGEMENT, "在名册上显示姓名", Grade.PUBLIC)
    app_id = add_app(actor=stage.vendor, entry=entry_at(SITE), now=clock.now())
    lay_and_approve(stage, app_id, "city")
    revise_entry(actor=stage.vendor, app_id=app_id, entry=entry_at(SITE, wishes=(managed,)), now=clock.now())
    lay_and_approve(stage, app_id, "other_city")
    assert client_of(app_id).purpose == "teaching"
    end_listing(actor=stage.actor("city_officer"), app_id=app_id, org_id=stage.cast.orgs["city"].id, now=clock.now())
    assert client_of(app_id).purpose == "management"


def test_news_is_told_where_it_was_agreed_to(stage: Stage) -> None:
    app_id = in_two_branches(stage, {"events": ()}, {"events": (EventType.ORG_CHANGED,)})
    assert App.objects.get(pk=app_id).current is not None

    def told(key: str, event: EventType) -> int:
        path = stage.cast.orgs[key].path
        return emit_about(paths=[path], event=event, subject="x", data={}, key=f"{key}{event}", now=clock.now())

    assert (told("school", EventType.ORG_CHANGED), told("far_school", EventType.ORG_CHANGED)) == (0, 1)
    assert told("school", EventType.CONSENT_WITHDRAWN) == 1


def test_tools_are_told_what_their_class_agreed_to(stage: Stage) -> None:
    mail = DataWish("person.email", DataPurpose.TEACHING, "发作业通知", Grade.PUBLIC)
    tool = {"kind": LaunchKind.LTI, "jwks_uri": f"{SITE}/jwks", "logout_url": ""}
    app_id = in_two_branches(stage, tool | {"wishes": (NAME,)}, tool | {"wishes": (NAME, mail)})
    app = api.apps_by_ids([app_id])[app_id]
    here, far = stage.cast.orgs["class"].path, stage.cast.orgs["far_class"].path
    assert wished_at(app, [here, far]) == {here: {"person.name"}, far: {"person.name", "person.email"}}


@pytest.mark.parametrize("is_tool_first", [True, False])
def test_an_app_with_another_client_stands_still_until_it_is_agreed_to(stage: Stage, is_tool_first: bool) -> None:
    tool: dict[str, Any] = {"kind": LaunchKind.LTI, "jwks_uri": f"{SITE}/jwks", "logout_url": "", "scopes": READING}
    kinds: tuple[dict[str, Any], dict[str, Any]] = (tool, {"scopes": READING})
    app_id = in_two_branches(stage, *(kinds if is_tool_first else kinds[::-1]))
    app = api.apps_by_ids([app_id])[app_id]
    assert chosen_paths(app) == (stage.cast.orgs["far_school"].path,)
    assert not may_sign_in(app, stage.actor("pupil"), now=clock.now())
    assert may_sign_in(app, stage.actor("far_pupil"), now=clock.now())
    assert api.installation_of(app_id, stage.cast.orgs["class"].path) is None
    agree_here(stage, app_id)
    assert may_sign_in(app, stage.actor("pupil"), now=clock.now())


def test_nothing_is_shut_that_was_agreed_to(stage: Stage) -> None:
    """A newer version that asks for less or for something else leaves the older one as it is."""
    entry: Entry = entry_at(SITE)
    app_id = in_two_branches(stage, {"scopes": READING}, {"scopes": READING, "wishes": (*entry.wishes, PHONE)})
    caller = Caller(stage.cast, app_id, *READING)
    assert (caller.opens("here"), caller.opens("far")) == ((200, 200, 200), (200, 200, 200))
