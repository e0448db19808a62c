from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from shuren.directory.data import Role
from shuren.identity.api import accounts_of_people
from shuren.identity.models import Account, SignIn
from shuren.identity.tests.conftest import PASSWORD, School
from shuren.identity.words import ROLE_NAMES, device_name
from shuren.kernel import clock, ids

Enter = Callable[[str], Client]


def post_in(client: Client, password: str = PASSWORD, **fields: str) -> Any:
    return client.post("/sign-in/", {"username": "pupil", "password": password, **fields})


def test_the_door_says_what_is_wrong(school: School) -> None:
    client = Client()
    assert post_in(client, "").status_code == 400
    wrong = post_in(client, "wrong")
    assert (wrong.status_code, "账号或密码不对" in wrong.content.decode()) == (401, True)
    for _turn in range(4):
        locked = post_in(client, "wrong")
    assert (locked.status_code, "暂停登录" in locked.content.decode()) == (429, True)
    assert "wrong" not in locked.content.decode()


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ("/account/?a=1", "/account/?a=1"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_the_way_back_stays_in_the_house(school: School, wanted: str, where: str) -> None:
    assert post_in(Client(), next=wanted).headers["Location"] == where


def test_coming_in_renews_the_session_and_goes_on_the_list(school: School) -> None:
    client = Client()
    client.get("/sign-in/")
    post_in(client)
    assert SignIn.objects.get(account=school.account("pupil")).session_key == client.session.session_key
    assert client.cookies["shuren_session"]["httponly"]
    assert client.get("/sign-in/").headers["Location"] == "/"


def test_leaving_needs_a_post(sign_in: Enter) -> None:
    client = sign_in("pupil")
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").headers["Location"] == "/sign-in/"
    assert client.get("/account/").headers["Location"] == "/sign-in/?next=%2Faccount%2F"
    assert not SignIn.objects.exists()


def test_a_forged_form_is_refused(school: School) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = post_in(client)
    assert (answer.status_code, "请返回上一页" in answer.content.decode()) == (403, True)


def test_a_first_password_opens_only_the_door_to_a_new_one(school: School, sign_in: Enter) -> None:
    client = sign_in("pupil")
    Account.objects.filter(person_id=school.people["pupil"]).update(must_change_password=True)
    assert client.get("/account/").headers["Location"] == "/account/password/"
    fragment = client.get("/account/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (204, "/account/password/")
    assert "请先换一个自己的密码" in client.get("/account/password/").content.decode()
    changed = client.post("/account/password/", {"old": PASSWORD, "new": "Wenhua7lu", "again": "Wenhua7lu"})
    assert changed.headers["Location"] == "/"
    assert client.get("/account/").status_code == 200


def test_the_password_form_lists_every_fault(sign_in: Enter) -> None:
    client = sign_in("pupil")
    page = client.post("/account/password/", {"old": PASSWORD, "new": "zhangsan1", "again": "zhangsan2"})
    assert (page.status_code, "两次输入的新密码不一样" in page.content.decode()) == (400, True)
    page = client.post("/account/password/", {"old": "wrong", "new": "Wenhua7lu", "again": "Wenhua7lu"})
    assert "现在的密码不对" in page.content.decode()
    page = client.post("/account/password/", {"old": PASSWORD, "new": "123", "again": "123"})
    assert "密码至少要 8 个字符" in page.content.decode()


def test_changing_the_password_keeps_this_session_and_ends_the_others(school: School, sign_in: Enter) -> None:
    here, there = sign_in("pupil"), sign_in("pupil")
    here.post("/account/password/", {"old": PASSWORD, "new": "Wenhua7lu", "again": "Wenhua7lu"})
    assert here.get("/account/").status_code == 200
    assert there.get("/account/").status_code == 302
    assert SignIn.objects.get().session_key == here.session.session_key


def test_the_account_page_names_hats_and_devices(school: School, sign_in: Enter) -> None:
    client, other = sign_in("head"), sign_in("head")
    page = client.get("/account/").content.decode()
    assert all(word in page for word in ("陈立新", "校长", "东湖school", "Windows · Edge", "让其他设备全部退出"))
    other_row = SignIn.objects.get(session_key=other.session.session_key)
    assert client.post(f"/account/sessions/{ids.encode('sign_in', other_row.pk)}/end/").status_code == 302
    assert other.get("/account/").status_code == 302
    assert client.post("/account/sessions/end-others/").status_code == 302
    assert client.get("/account/").status_code == 200


def test_sessions_of_others_do_not_exist(school: School, sign_in: Enter) -> None:
    client, _other = sign_in("head"), sign_in("pupil")
    row = SignIn.objects.get(account=school.account("pupil"))
    assert client.post(f"/account/sessions/{ids.encode('sign_in', row.pk)}/end/").status_code == 404


def test_switching_hats(school: School, sign_in: Enter) -> None:
    school.employ("head", "陈立新", Role.TEACHER, "school")
    client = sign_in("head")
    client.post("/role/", {"role": "teacher", "next": "/account/"})
    assert client.get("/api/v1/me/").json()["role"] == "teacher"
    assert "view_reports" not in client.get("/api/v1/me/").json()["permissions"]
    client.post("/role/", {"role": "province_officer"})
    assert client.get("/api/v1/me/").json()["role"] == "teacher"
    client.post("/role/", {"role": ""})
    assert "view_reports" in client.get("/api/v1/me/").json()["permissions"]


def test_a_lost_hat_leaves_the_menu_within_minutes(school: School, sign_in: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in("head")
    assert client.get("/api/v1/me/").json()["hats"][0]["role"] == "head"
    school.account("head").person.affiliations.all().delete()
    later = clock.now() + timedelta(minutes=6)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert client.get("/api/v1/me/").json()["hats"] == []


def test_presence_is_noted_every_ten_minutes(school: School, sign_in: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    client = sign_in("head")
    first = SignIn.objects.get().seen_at
    client.get("/account/")
    assert SignIn.objects.get().seen_at == first
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr(clock, "now", lambda: later)
    client.get("/account/")
    assert SignIn.objects.get().seen_at == later


class TestCredentials:
    def address(self, school: School, org: str, form: str = "") -> str:
        base = f"/credentials/{ids.encode('org', school.orgs[org])}/"
        return f"{base}issue/{form}/" if form else base

    def test_the_page_begins_at_the_top_of_the_branch(self, school: School, sign_in: Enter) -> None:
        page = sign_in("admin").get("/credentials/", follow=True)
        assert page.redirect_chain[0][0] == self.address(school, "school")
        assert "东湖class" in page.content.decode()
        assert sign_in("head").get("/credentials/").status_code == 403

    def test_pupils_and_parents_of_a_class(self, school: School, sign_in: Enter) -> None:
        client = sign_in("admin")
        everybody = client.get(self.address(school, "class")).content.decode()
        assert "张三" in everybody
        assert "张父" in everybody
        pupils = client.get(self.address(school, "class") + "?who=pupils").content.decode()
        assert "张三" in pupils
        assert "张父" not in pupils
        parents = client.get(self.address(school, "class") + "?who=parents").content.decode()
        assert "张父" in parents
        assert "张小雨" not in parents
        assert "张三" not in client.get(self.address(school, "class") + "?q=小雨").context["list"].rows[0].cells[0].text

    def test_slips_in_every_form(self, school: School, sign_in: Enter) -> None:
        client = sign_in("admin")
        ticked = {"ids": [ids.encode("person", school.people["pupil"])]}
        page = client.post(self.address(school, "class", "page"), ticked)
        assert (page.status_code, "no-store" in page.headers["Cache-Control"]) == (200, True)
        slip = page.context["slips"][0]
        assert slip.password in page.content.decode()
        for form, kind in (("xlsx", "spreadsheetml"), ("csv", "text/csv"), ("pdf", "application/pdf")):
            assert kind in client.post(self.address(school, "class", form), ticked).headers["Content-Type"]

    def test_another_school_does_not_exist(self, school: School, sign_in: Enter) -> None:
        client = sign_in("admin")
        assert client.get(self.address(school, "other")).status_code == 404
        ticked = {"ids": [ids.encode("person", school.people["far_teacher"])]}
        assert client.post(self.address(school, "school", "page"), ticked).status_code == 404
        assert client.post(self.address(school, "school", "page")).status_code == 400

    def test_what_a_list_of_a_class_costs(self, school: School, sign_in: Enter, django_assert_max_num_queries: Any) -> None:
        client = sign_in("admin")
        client.get(self.address(school, "class"))
        with django_assert_max_num_queries(24):
            client.get(self.address(school, "class"))


def test_every_role_has_a_name() -> None:
    assert set(ROLE_NAMES) == set(Role)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0", "iPhone · 微信"),
        ("Mozilla/5.0 (X11; Linux x86_64) Firefox/130.0", "Linux · Firefox"),
        ("curl/8", "其他设备"),
    ],
)
def test_devices_are_named_for_their_owner(agent: str, name: str) -> None:
    assert device_name(agent) == name


def test_accounts_by_person(school: School) -> None:
    known = accounts_of_people([school.people["pupil"], 999])
    assert list(known) == [school.people["pupil"]]
    assert (known[school.people["pupil"]].username, known[school.people["pupil"]].is_usable) == ("pupil", True)
