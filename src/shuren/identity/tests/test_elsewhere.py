"""Coming in by a phone, by pictures and by vendors; and what administrators decide about it."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache
from django.test import Client

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, NewOrg, OrgType, Role
from shuren.identity.data import Requirement, RiskDecision, SignInRefusal, Visit
from shuren.identity.models import Account, PicturePassword, QrTicket, SignIn, SignInPolicy
from shuren.identity.rules.pictures import PICTURES, is_young, pictures_in
from shuren.identity.rules.risk import Assessment
from shuren.identity.services import pictures, policy, qr, second_factors
from shuren.identity.services import sign_in as weighing
from shuren.identity.services.qr import QrState
from shuren.identity.tests.conftest import BEGUN, NOW, PASSWORD, School
from shuren.identity.tests.test_second_factors import gone_stale, with_app
from shuren.kernel import clock, ids
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound, Refused

Notice = apps.get_model("messaging.Notice")
Enter = Callable[[str], Client]
DESK = Visit("10.8.0.5", "Mozilla/5.0 (Windows NT 10.0) Edg/130")


def shown(school: School, **facts: Any) -> qr.NewTicket:
    return qr.show_ticket(visit=DESK, now=NOW, **facts)


def scan(school: School, ticket: qr.NewTicket, who: str = "head", *, after: timedelta = timedelta()) -> qr.Screen:
    return qr.scan_ticket(actor=school.actor(who), code=ticket.code, visit=Visit("10.8.0.9"), now=NOW + after)


def answer(school: School, ticket: qr.NewTicket, number: int | None, who: str = "head") -> None:
    qr.answer_ticket(actor=school.actor(who), code=ticket.code, number=number, is_strong=False, now=NOW)


def state(ticket: qr.NewTicket, *, after: timedelta = timedelta()) -> QrState:
    return qr.poll_ticket(screen=ticket.screen, now=NOW + after).state


def test_a_scanned_code_lets_the_screen_in_once(school: School) -> None:
    ticket = shown(school)
    assert state(ticket) is QrState.SHOWN
    screen = scan(school, ticket)
    assert (ticket.number in screen.numbers, len(set(screen.numbers)), screen.is_same_network) == (True, 3, True)
    assert state(ticket) is QrState.SCANNED
    answer(school, ticket, ticket.number)
    polled = qr.poll_ticket(screen=ticket.screen, now=NOW)
    assert (polled.state, polled.account_id) == (QrState.APPROVED, school.account("head").pk)
    assert state(ticket) is QrState.GONE
    assert not QrTicket.objects.filter(code_hash=ticket.code).exists()


@pytest.mark.parametrize("case", ["wrong_number", "refused", "late", "other_scans", "other_answers", "unscanned", "no_code"])
def test_a_code_does_not_let_in(school: School, case: str) -> None:
    ticket = shown(school)
    match case:
        case "wrong_number":
            scan(school, ticket)
            with pytest.raises(Refused):
                answer(school, ticket, ticket.number % 90 + 10)
            with pytest.raises(NotFound):
                answer(school, ticket, ticket.number)
        case "refused":
            scan(school, ticket)
            answer(school, ticket, None)
        case "late":
            with pytest.raises(NotFound):
                scan(school, ticket, after=qr.LASTS)
            assert state(ticket, after=qr.LASTS) is QrState.GONE
        case "other_scans":
            scan(school, ticket)
            with pytest.raises(NotFound):
                scan(school, ticket, "pupil")
        case "other_answers":
            scan(school, ticket)
            with pytest.raises(NotFound):
                answer(school, ticket, ticket.number, "pupil")
        case "unscanned":
            with pytest.raises(NotFound):
                answer(school, ticket, ticket.number)
        case "no_code":
            with pytest.raises(NotFound):
                qr.scan_ticket(actor=school.actor("head"), code="x", visit=DESK, now=NOW)
    assert qr.poll_ticket(screen=ticket.screen, now=NOW).account_id is None
    assert qr.poll_ticket(screen="", now=NOW).state is QrState.GONE
    assert qr.poll_ticket(screen=ticket.code, now=NOW).state is QrState.GONE


def test_another_network_is_told_and_the_code_grows_old(school: School) -> None:
    ticket = shown(school)
    far = qr.scan_ticket(actor=school.actor("head"), code=ticket.code, visit=Visit("192.0.2.1"), now=NOW)
    assert not far.is_same_network
    other = shown(school)
    assert qr.poll_ticket(screen=other.screen, now=NOW + qr.RENEWED).is_old


def test_the_whole_way_by_two_browsers(school: School, sign_in: Enter) -> None:
    phone, desk = sign_in("head"), Client()
    page = desk.get("/sign-in/qr/").content.decode()
    number = re.search(r'class="qr-number">(\d+)', page)
    assert number
    code = QrTicket.objects.get()
    assert phone.get("/qr/nonsense/").status_code == 404
    assert Client().get("/qr/nonsense/").headers["Location"].startswith("/sign-in/")
    assert desk.post("/sign-in/qr/poll/").status_code == 204
    QrTicket.objects.filter(pk=code.pk).update(account=school.account("head"), scanned_at=clock.now(), approved_at=clock.now())
    entered = desk.post("/sign-in/qr/poll/")
    assert (entered.status_code, entered.headers["HX-Redirect"]) == (204, "/")
    assert desk.get("/account/").status_code == 200
    assert SignIn.objects.order_by("-pk")[0].methods == "qr"
    thief = Client()
    thief.cookies["shuren_screen"] = desk.cookies["shuren_screen"].value
    assert thief.post("/sign-in/qr/poll/").status_code == 200
    assert thief.get("/account/").status_code == 302


def desk_with_code() -> tuple[Client, str, int]:
    """A screen that shows a code, the path in the code, and the number beside it."""
    desk = Client()
    shown_page = desk.get("/sign-in/qr/").context
    return desk, shown_page["address"].removeprefix("http://testserver"), shown_page["number"]


def test_a_strong_phone_spares_the_screen_its_second_factor_and_nothing_else(
    school: School, sign_in: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, totp = sign_in("head"), with_app(school, "head")
    phone.post("/account/confirm/", {"code": totp.at(clock.now()), "next": "/"})
    desk, path, number = desk_with_code()
    assert phone.get(path).status_code == 200
    assert phone.post(path, {"number": number}).status_code == 200
    assert desk.post("/sign-in/qr/poll/").headers["HX-Redirect"] == "/"
    entered = SignIn.objects.order_by("-pk")[0]
    assert (entered.methods, "new_device" in entered.risks) == ("qr", True)
    assert Notice.objects.get(person_id=school.people["head"]).key == f"sign_in:{entered.pk}"
    desk, path, number = desk_with_code()
    phone.get(path)
    phone.post(path, {"number": number})
    monkeypatch.setattr(weighing, "assess", lambda _signals: Assessment(RiskDecision.REFUSE))
    assert "没有让您进入" in desk.post("/sign-in/qr/poll/").content.decode()
    assert desk.get("/account/").status_code == 302


@pytest.mark.parametrize("since", ["nothing", "recovery_code"])
def test_a_number_shown_long_ago_does_not_count_on_the_screen(school: School, sign_in: Enter, since: str) -> None:
    phone, totp = sign_in("head"), with_app(school, "head")
    (code, *_others) = second_factors.make_recovery_codes(actor=school.actor("head"), now=NOW)
    phone.post("/account/confirm/", {"code": totp.at(clock.now()), "next": "/"})
    gone_stale(phone)
    if since == "recovery_code":
        assert phone.post("/account/confirm/", {"code": code, "next": "/"}).status_code == 302
    desk, path, number = desk_with_code()
    phone.get(path)
    assert phone.post(path, {"number": number}).status_code == 200
    assert desk.post("/sign-in/qr/poll/").headers["HX-Redirect"] == "/sign-in/verify/"


def test_who_must_hold_a_second_factor_proves_it_before_saying_yes(school: School, sign_in: Enter) -> None:
    phone = gone_stale(sign_in("officer"))
    desk, path, number = desk_with_code()
    asked = phone.get(path).headers["Location"]
    assert asked.startswith("/account/confirm/?next=%2Fqr%2F")
    assert "手机已经扫到" in desk.post("/sign-in/qr/poll/").content.decode()
    assert phone.post(path, {"number": number}).headers["Location"] == asked
    assert phone.post("/account/confirm/", {"password": PASSWORD, "next": path}).headers["Location"] == path
    assert phone.get(path).status_code == 200
    assert phone.post(path, {"number": number}).status_code == 200
    assert desk.post("/sign-in/qr/poll/").headers["HX-Redirect"] == "/"
    gone_stale(phone)
    _desk, path, _number = desk_with_code()
    phone.get(path)
    assert "没有登录" in phone.post(path, {"number": ""}).content.decode()


def test_a_child_is_asked_for_the_number_only(school: School, sign_in: Enter) -> None:
    phone = gone_stale(sign_in("pupil"))
    desk, path, number = desk_with_code()
    assert phone.get(path).status_code == 200
    assert phone.post(path, {"number": number}).status_code == 200
    assert desk.post("/sign-in/qr/poll/").headers["HX-Redirect"] == "/"


@pytest.fixture
def young(school: School) -> School:
    cache.clear()
    new = NewOrg(parent_id=school.orgs["school"], type=OrgType.CLASS, name="一年级1班", grade="一年级")
    school.orgs["young"] = directory.add_org(actor=SYSTEM, org=new, now=NOW).id
    for key in ("little", "tiny"):
        school.add_person(key, {"little": "林小雨", "tiny": "何苗"}[key])
        directory.enrol(
            actor=SYSTEM,
            person_id=school.people[key],
            class_id=school.orgs["young"],
            role=EnrollmentRole.STUDENT,
            is_primary=True,
            begin_date=BEGUN,
            now=NOW,
        )
    policy.set_school_networks(actor=school.actor("admin"), org_id=school.orgs["school"], text="127.0.0.0/16", now=NOW)
    return school


def card(school: School) -> pictures.ClassCard:
    return pictures.make_class_card(actor=school.actor("admin"), class_id=school.orgs["young"], now=NOW)


def tap(school: School, made: pictures.ClassCard, who: str, chosen: tuple[str, ...] | None, *, address: str = "127.0.0.1") -> Any:
    return pictures.check_pictures(code=made.code, person_id=school.people[who], pictures=chosen, visit=Visit(address), now=NOW)


def test_three_pictures_open_the_own_account(young: School) -> None:
    made = card(young)
    assert [slip.name for slip in made.slips] == ["林小雨", "何苗"]
    assert tap(young, made, "little", made.slips[0].pictures).account_id == young.account("little").pk
    assert not PicturePassword.objects.filter(pictures_hash__contains="cat").exists()


def test_wrong_pictures_make_one_tile_wait(young: School) -> None:
    made = card(young)
    wrong = tuple(reversed(made.slips[0].pictures))
    refusals = [tap(young, made, "little", wrong).refusal for _turn in range(5)]
    assert refusals == [SignInRefusal.WRONG] * 4 + [SignInRefusal.LOCKED]
    assert tap(young, made, "little", made.slips[0].pictures).refusal is SignInRefusal.LOCKED
    assert tap(young, made, "tiny", made.slips[1].pictures).account_id


@pytest.mark.parametrize("text", ["", "cat", "cat,dog", "cat,dog,fish,car", "cat,dog,dragon", "cat,dog,", "<svg>,cat,dog"])
def test_what_are_not_three_pictures(text: str) -> None:
    assert pictures_in(text) is None


@pytest.mark.parametrize("address", ["", "8.8.8.8", "128.0.0.1", "::1", "nonsense"])
def test_outside_the_school_the_class_does_not_exist(young: School, address: str) -> None:
    made = card(young)
    with pytest.raises(NotFound):
        pictures.open_class(code=made.code, address=address, now=NOW)
    with pytest.raises(NotFound):
        tap(young, made, "little", made.slips[0].pictures, address=address)


def test_a_new_card_voids_the_old_one(young: School) -> None:
    old = card(young)
    card(young)
    with pytest.raises(NotFound):
        tap(young, old, "little", old.slips[0].pictures)


def test_only_whoever_leads_the_class_makes_cards(young: School) -> None:
    for who in ("pupil", "parent", "far_teacher"):
        with pytest.raises(NotFound):
            pictures.make_class_card(actor=young.actor(who), class_id=young.orgs["young"], now=NOW)
    with pytest.raises(Refused):
        pictures.make_class_card(actor=young.actor("admin"), class_id=young.orgs["class"], now=NOW)
    with pytest.raises(NotFound):
        tap(young, card(young), "pupil", ("cat", "dog", "fish"))


def test_a_picture_session_is_weak(young: School) -> None:
    made = card(young)
    client = Client()
    page = client.get(f"/class/{made.code}/").content.decode()
    assert "林小雨" in page
    public_id = ids.encode("person", young.people["little"])
    sent = {"pupil": public_id, "pictures": ",".join(made.slips[0].pictures)}
    wrong = sent | {"pictures": ",".join(reversed(made.slips[0].pictures))}
    assert client.post(f"/class/{made.code}/", wrong).status_code == 401
    assert client.post(f"/class/{made.code}/", sent).headers["Location"] == "/"
    assert client.get("/").status_code == 200
    assert client.session["role"] == "pupil"
    for path in ("/account/security/", "/account/security/totp/", "/account/confirm/"):
        assert client.get(path).status_code == 403, path
    client.post("/role/", {"role": ""})
    assert client.session["role"] == "pupil"
    assert Client(enforce_csrf_checks=True).post(f"/class/{made.code}/", sent).status_code == 403


def test_grades_one_and_two(young: School) -> None:
    assert len(set(PICTURES)) == 12
    assert [is_young(grade=grade, name="") for grade in ("一年级", "2", "小学二年级", "三年级", "12", "十一年级")] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
    assert is_young(grade="", name="二年级（3）班")


@pytest.mark.parametrize("text", ["x", "0.0.0.0/0", "10.0.0.0/8", "::/0", "2001::/16", "10.8.0.0/99", "10.8.0.0/16;rm"])
def test_networks_that_are_none_or_too_wide(school: School, text: str) -> None:
    with pytest.raises(Invalid):
        policy.set_school_networks(actor=school.actor("admin"), org_id=school.orgs["school"], text=text, now=NOW)


def test_networks_are_written_by_whoever_manages_the_school(school: School) -> None:
    for who in ("pupil", "head", "far_teacher"):
        with pytest.raises(NotFound):
            policy.set_school_networks(actor=school.actor(who), org_id=school.orgs["school"], text="10.8.0.0/16", now=NOW)
    many = " ".join(f"10.8.{number}.0/24" for number in range(21))
    with pytest.raises(Invalid):
        policy.set_school_networks(actor=school.actor("admin"), org_id=school.orgs["school"], text=many, now=NOW)


def test_requirements_are_set_by_sign_in_administrators(school: School) -> None:
    for who in ("pupil", "officer", "admin"):
        with pytest.raises(Refused):
            policy.set_policy(actor=school.actor(who), role=Role.TEACHER, requirement=Requirement.SECOND, grace_days=7, now=NOW)
    person_id = school.add_person("security", "蒋安民")
    directory.grant_role(
        actor=SYSTEM, person_id=person_id, role=Role.SECURITY_ADMIN, org_id=school.orgs["county"], begin_at=NOW, now=NOW
    )
    actor = school.actor("security")
    policy.set_policy(actor=actor, role=Role.TEACHER, requirement=Requirement.SECOND, grace_days=7, now=NOW)
    assert SignInPolicy.objects.get().requirement == "second"
    with pytest.raises(Invalid):
        policy.set_policy(actor=actor, role=Role.TEACHER, requirement=Requirement.SECOND, grace_days=999, now=NOW)


@pytest.mark.parametrize("vendor", ["wecom", "dingtalk", "wechat", "github", ".."])
def test_vendors_that_are_not_configured_do_not_exist(school: School, vendor: str) -> None:
    assert Client().get(f"/sign-in/with/{vendor}/").status_code == 404
    assert Client().get(f"/sign-in/with/{vendor}/back/?code=x&state=y").status_code == 404
    assert Account.objects.exists()
