"""CAS without a network between: tickets, services, answers, sign-out."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from urllib.parse import parse_qs, urlencode, urlsplit
from xml.etree import ElementTree

import pytest
from cas import CASClientWithSAMLV1
from django.test import Client

from shuren.identity.models import Account, CasService, CasTicket, SignIn
from shuren.identity.services.cas.issue import issue_ticket
from shuren.identity.services.cas.sign_out import sweep_cas_tickets, tell_cas_service, tell_cas_services
from shuren.identity.services.sign_in import end_other_sign_ins
from shuren.identity.tests.conftest import PASSWORD, School
from shuren.identity.tests.federation.conftest import Outside
from shuren.kernel import audit, clock, outward
from shuren.work.api import run_pending

NS = "{http://www.yale.edu/tp/cas}"
Enter = Callable[..., Client]


def ticket_of(client: Client, service: str, **more: str) -> str:
    """The ticket in the address a signed-in browser is sent to."""
    answer = client.get("/cas/login", {"service": service, **more})
    assert answer.status_code == 302, answer.content.decode()
    assert answer.headers["Location"].startswith(service)
    return parse_qs(urlsplit(answer.headers["Location"]).query)["ticket"][0]


def asked(path: str, **question: str) -> ElementTree.Element:
    answer = Client().get(f"/cas/{path}", question)
    assert answer.status_code == 200
    return ElementTree.fromstring(answer.content)


def code_of(root: ElementTree.Element) -> str:
    failure = root.find(f"{NS}authenticationFailure")
    assert failure is not None
    return failure.attrib["code"]


def test_ticket_tells_who_came(school: School, sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/books?id=7"
    ticket = ticket_of(sign_in("pupil"), service)
    assert 32 <= len(ticket) <= 256
    assert ticket.startswith("ST-")
    assert not CasTicket.objects.filter(digest__contains=ticket[3:]).exists()
    root = asked("p3/serviceValidate", ticket=ticket, service=service)
    success = root.find(f"{NS}authenticationSuccess")
    assert success is not None
    told = {child.tag.removeprefix(NS): child.text for child in success.find(f"{NS}attributes")}
    assert success.findtext(f"{NS}user") == school.account("pupil").person.number
    assert told["name"] == "张三"
    assert told["roles"] == "pupil"
    assert told["isFromNewLogin"] == "false"
    assert "number" not in told
    assert audit.entries(action="identity.cas_ticket_validated").count() == 1


def test_service_of_cas_2_is_told_no_attributes(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    root = asked("serviceValidate", ticket=ticket_of(sign_in("pupil"), service), service=service)
    assert root.find(f".//{NS}user") is not None
    assert root.find(f".//{NS}attributes") is None


def test_others_are_told_by_consent(sign_in: Enter, library: CasService, outside: Outside) -> None:
    CasService.objects.update(is_first_party=False)
    service = f"{outside.url}/lib/"
    root = asked("p3/serviceValidate", ticket=ticket_of(sign_in("pupil"), service), service=service)
    assert root.findtext(f".//{NS}name") != "张三"
    assert root.findtext(f".//{NS}roles") == "pupil"


def test_json_says_the_same(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    question = {"ticket": ticket_of(sign_in("pupil"), service), "service": service, "format": "JSON"}
    said = json.loads(Client().get("/cas/p3/serviceValidate", question).content)["serviceResponse"]
    assert said["authenticationSuccess"]["attributes"]["name"] == "张三"
    again = json.loads(Client().get("/cas/p3/serviceValidate", question).content)["serviceResponse"]
    assert again["authenticationFailure"]["code"] == "INVALID_TICKET"


def test_ticket_is_good_once(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    ticket = ticket_of(sign_in("pupil"), service)
    assert Client().get("/cas/validate", {"ticket": ticket, "service": service}).content.startswith(b"yes\n")
    assert Client().get("/cas/validate", {"ticket": ticket, "service": service}).content == b"no\n\n"


@pytest.mark.parametrize("how", ["service", "renew"])
def test_ticket_is_burnt_by_a_wrong_question(how: str, sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    ticket = ticket_of(sign_in("pupil"), service)
    wrong = {"service": service + "x"} if how == "service" else {"service": service, "renew": "true"}
    assert code_of(asked("serviceValidate", ticket=ticket, **wrong)) in {"INVALID_SERVICE", "INVALID_TICKET_SPEC"}
    assert code_of(asked("serviceValidate", ticket=ticket, service=service)) == "INVALID_TICKET"


def test_ticket_grows_old(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    ticket = ticket_of(sign_in("pupil"), service)
    CasTicket.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    assert code_of(asked("serviceValidate", ticket=ticket, service=service)) == "INVALID_TICKET"
    assert sweep_cas_tickets(now=clock.now()) == 1


def test_ticket_dies_with_its_session(school: School, sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    ticket = ticket_of(sign_in("pupil"), service)
    end_other_sign_ins(account_id=school.account("pupil").pk, kept_session_key=None, now=clock.now())
    assert code_of(asked("serviceValidate", ticket=ticket, service=service)) == "INVALID_TICKET"


def test_missing_words_are_said(library: CasService) -> None:
    assert code_of(asked("serviceValidate")) == "INVALID_REQUEST"
    assert code_of(asked("serviceValidate", ticket="ST-1")) == "INVALID_REQUEST"


def test_stranger_signs_in_first_and_comes_back(school: School, library: CasService, outside: Outside) -> None:
    client, service = Client(), f"{outside.url}/lib/"
    door = client.get("/cas/login", {"service": service, "renew": "true"})
    wanted = parse_qs(urlsplit(door.headers["Location"]).query)["next"][0]
    entered = client.post("/sign-in/", {"username": "pupil", "password": PASSWORD, "next": wanted})
    assert entered.headers["Location"] == wanted
    page = client.get(wanted)
    assert page.status_code == 200
    url = page.context["url"]
    assert url.startswith(service)
    root = asked("serviceValidate", ticket=parse_qs(urlsplit(url).query)["ticket"][0], service=service, renew="true")
    assert root.find(f".//{NS}user") is not None


def test_renew_asks_again(sign_in: Enter, library: CasService, outside: Outside) -> None:
    client = sign_in("pupil")
    answer = client.get("/cas/login", {"service": f"{outside.url}/lib/", "renew": "true", "asked": "made-up"})
    assert answer.headers["Location"].startswith("/account/confirm/?")
    wanted = parse_qs(urlsplit(answer.headers["Location"]).query)["next"][0]
    assert client.get(wanted).status_code == 302  # nobody has shown anything since
    client.post("/account/confirm/", {"password": PASSWORD, "next": wanted})
    ticket = parse_qs(urlsplit(client.get(wanted).context["url"]).query)["ticket"][0]
    root = asked("serviceValidate", ticket=ticket, service=f"{outside.url}/lib/", renew="true")
    assert root.find(f".//{NS}user") is not None


def test_services_learn_when_somebody_last_showed_who_they_are(sign_in: Enter, library: CasService, outside: Outside) -> None:
    client, service = sign_in("pupil"), f"{outside.url}/lib/"
    session, at = client.session, clock.now() - timedelta(hours=1)
    session["proof"] |= {"begun": at.timestamp(), "verified": at.timestamp()}
    session.save()
    SignIn.objects.update(begun_at=at)

    def age() -> timedelta:
        root = asked("p3/serviceValidate", ticket=ticket_of(client, service), service=service)
        return clock.now() - datetime.fromisoformat(root.findtext(f".//{NS}authenticationDate"))

    assert age() > timedelta(minutes=59)
    client.post("/account/confirm/", {"password": PASSWORD, "next": "/"})
    assert age() < timedelta(minutes=1)


def test_the_service_outlives_a_first_password(school: School, library: CasService, outside: Outside) -> None:
    Account.objects.filter(person_id=school.people["pupil"]).update(must_change_password=True)
    client, service = Client(), f"{outside.url}/lib/"
    client.post("/sign-in/", {"username": "pupil", "password": PASSWORD})
    step = client.get("/cas/login", {"service": service}).headers["Location"]
    assert step.startswith("/account/password/?next=%2Fcas%2Flogin")
    changed = client.post(step, {"old": PASSWORD, "new": "Zhongwen-8842-x", "again": "Zhongwen-8842-x"})
    page = client.get(changed.headers["Location"])
    ticket = parse_qs(urlsplit(page.context["url"]).query)["ticket"][0]
    root = asked("p3/serviceValidate", ticket=ticket, service=service)
    assert root.findtext(f".//{NS}isFromNewLogin") == "false"


def test_gateway_shows_nothing(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    assert Client().get("/cas/login", {"service": service, "gateway": "true"}).headers["Location"] == service
    assert ticket_of(sign_in("pupil"), service, gateway="true")


def test_post_goes_only_to_the_service(sign_in: Enter, library: CasService, outside: Outside) -> None:
    answer = sign_in("pupil").get("/cas/login", {"service": f"{outside.url}/lib/", "method": "POST"})
    assert answer.headers["Content-Security-Policy"].endswith(f"form-action {outside.url}")
    assert 'name="ticket" value="ST-' in answer.content.decode()


def test_header_carries_the_ticket(sign_in: Enter, library: CasService, outside: Outside) -> None:
    answer = sign_in("pupil").get("/cas/login", {"service": f"{outside.url}/lib/", "method": "HEADER"})
    assert answer.headers["ticket"].startswith("ST-")


def test_only_people_of_the_branch_get_in(sign_in: Enter, library: CasService, outside: Outside) -> None:
    for key, status in (("pupil", 302), ("parent", 302), ("head", 302), ("officer", 403), ("far_teacher", 403)):
        assert sign_in(key).get("/cas/login", {"service": f"{outside.url}/lib/"}).status_code == status, key


def test_disabled_service_gets_nothing(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    client = sign_in("pupil")
    ticket = ticket_of(client, service)
    CasService.objects.update(is_enabled=False)
    assert code_of(asked("serviceValidate", ticket=ticket, service=service)) == "UNAUTHORIZED_SERVICE"
    assert client.get("/cas/login", {"service": service}).status_code == 403


def test_pairwise_names_differ_by_service(school: School, sign_in: Enter, library: CasService, outside: Outside) -> None:
    CasService.objects.update(user="pairwise")
    names = []
    for path in ("lib", "lab"):
        service = f"{outside.url}/{path}/"
        if path == "lab":
            CasService.objects.create(
                name="实验室", origin=outside.url, path="/lab/", org_id=library.org_id, user="pairwise", created_at=clock.now()
            )
        names += [asked("serviceValidate", ticket=ticket_of(sign_in("pupil"), service), service=service).findtext(f".//{NS}user")]
    assert names[0] != names[1]
    assert school.account("pupil").person.number not in names


def test_proxies_hand_on(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service, back = f"{outside.url}/lib/", f"{outside.url}/lib/pgt"
    CasService.objects.create(
        name="论文库", origin=outside.url, path="/papers", org_id=library.org_id, user="username", created_at=clock.now()
    )
    root = asked("serviceValidate", ticket=ticket_of(sign_in("pupil"), service), service=service, pgtUrl=back)
    pgtiou = root.findtext(f".//{NS}proxyGrantingTicket")
    call = next(call for call in outside.calls if call[1] == "/lib/pgt")
    assert call[2]["pgtIou"] == [pgtiou]
    target = f"{outside.url}/papers/x"
    for path, is_taken in (("proxyValidate", True), ("serviceValidate", False), ("p3/proxyValidate", True)):
        granted = asked("proxy", pgt=call[2]["pgtId"][0], targetService=target)
        ticket = granted.findtext(f".//{NS}proxyTicket")
        assert ticket.startswith("PT-")
        answer = asked(path, ticket=ticket, service=target)
        if is_taken:
            assert answer.findtext(f".//{NS}user") == "pupil"
            assert [proxy.text for proxy in answer.iter(f"{NS}proxy")] == [back]
        else:
            assert code_of(answer) == "INVALID_TICKET_SPEC"
    assert (
        asked("proxy", pgt=call[2]["pgtId"][0], targetService="https://evil.example/")[0].attrib["code"] == "UNAUTHORIZED_SERVICE"
    )
    SignIn.objects.all().delete()
    assert asked("proxy", pgt=call[2]["pgtId"][0], targetService=target)[0].attrib["code"] == "INVALID_TICKET"


@pytest.mark.parametrize(
    "back", ["https://evil.example/pgt", "{url}/other", "{url}/lib/../other", "http://169.254.169.254/lib/", "file:///etc/passwd"]
)
def test_proxy_callback_is_one_of_the_service(back: str, sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    question = {"ticket": ticket_of(sign_in("pupil"), service), "service": service, "pgtUrl": back.format(url=outside.url)}
    assert code_of(asked("serviceValidate", **question)) == "INVALID_PROXY_CALLBACK"
    assert outside.calls == []
    assert not CasTicket.objects.filter(kind="PGT").exists()


def test_callback_that_says_no_grants_nothing(sign_in: Enter, library: CasService, outside: Outside) -> None:
    outside.status = 404
    service = f"{outside.url}/lib/"
    question = {"ticket": ticket_of(sign_in("pupil"), service), "service": service, "pgtUrl": f"{service}pgt"}
    assert code_of(asked("serviceValidate", **question)) == "INVALID_PROXY_CALLBACK"
    assert not CasTicket.objects.filter(kind="PGT").exists()


def test_saml_1_answers_an_artifact(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    ticket = ticket_of(sign_in("pupil"), service)
    body = CASClientWithSAMLV1.get_saml_assertion(ticket)
    answer = Client(enforce_csrf_checks=True).post(
        f"/cas/samlValidate?{urlencode({'TARGET': service})}", body, content_type="text/xml"
    )
    assert b"saml1p:Success" in answer.content
    assert "张三" in answer.content.decode()
    again = Client().post(f"/cas/samlValidate?{urlencode({'TARGET': service})}", body, content_type="text/xml")
    assert b"saml1p:RequestDenied" in again.content


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<a",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b"<a>" * 20_000,
        b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>',
    ],
)
def test_bad_xml_is_no_ticket(body: bytes, library: CasService, outside: Outside) -> None:
    answer = Client().post(f"/cas/samlValidate?TARGET={outside.url}/lib/", body, content_type="text/xml")
    assert answer.status_code == 200
    assert b"RequestDenied" in answer.content


def test_services_are_told_when_a_session_ends(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    client = sign_in("pupil")
    ticket = ticket_of(client, service)
    asked("serviceValidate", ticket=ticket, service=service)
    ticket_of(sign_in("head"), service)
    sign_in_id = CasTicket.objects.get(sealed__isnull=False).sign_in_id
    client.post("/sign-out/")
    run_pending()
    assert tell_cas_services(sign_in_id=sign_in_id) == 0
    (call,) = [call for call in outside.calls if call[0] == "POST"]
    assert call[1] == "/lib/"
    notice = call[2]["logoutRequest"][0]
    assert CASClientWithSAMLV1.verify_logout_request(notice.encode(), ticket)


def test_notice_is_tried_again(sign_in: Enter, library: CasService, outside: Outside) -> None:
    service = f"{outside.url}/lib/"
    asked("serviceValidate", ticket=ticket_of(sign_in("pupil"), service), service=service)
    row = CasTicket.objects.get()
    outside.status = 503
    with pytest.raises(outward.OutwardFailed):
        tell_cas_service(ticket_id=row.pk, now=clock.now())
    outside.status = 200
    assert tell_cas_service(ticket_id=row.pk, now=clock.now()) == 200
    assert tell_cas_service(ticket_id=row.pk, now=clock.now()) == 0


def test_sign_out_goes_on_only_to_a_service(sign_in: Enter, library: CasService, outside: Outside) -> None:
    for name in ("service", "url"):
        client = sign_in("pupil")
        assert client.get("/cas/logout", {name: f"{outside.url}/lib/"}).headers["Location"] == f"{outside.url}/lib/"
        assert client.get("/account/").status_code == 302
    assert sign_in("pupil").get("/cas/logout", {"service": "https://evil.example/"}).status_code == 200


BAD = [
    "",
    "javascript:alert(1)",
    "//{host}/lib/",
    "https://evil.example/lib/",
    "{url}.evil.example/lib/",
    "http://{host}@evil.example/lib/",
    "http://evil.example\\@{host}/lib/",
    "http://{host}\\.evil.example/lib/",
    "http://evil.example#{url}/lib/",
    "http://evil.example?{url}/lib/",
    "{url}/library/",
    "{url}/lib",
    "{url}/lib/../other/",
    "{url}/lib/%2e%2e/other/",
    "{url}/lib/%252e%252e/other/",
    "{url}/lib/..%2fother/",
    "{url}/lib/..;/other/",
    "{url}/lib/.%09./other",
    "ftp://{host}/lib/",
    "data:text/html,{url}/lib/",
    "http://{host}:80@evil.example/lib/",
    "{url}/lib/\r\nSet-Cookie: a=b",
    " {url}/lib/",
    "http:/{host}/lib/",
    "http:{host}/lib/",
    "http://127.0.0.1:99999/lib/",
    "http://127.0.0.1./lib/",
    "http://[::1/lib/",
    "http://１２７.0.0.1/lib/",
    "{url}/LIB/",
]


@pytest.mark.parametrize("service", BAD)
def test_no_ticket_leaves_for_another_address(service: str, sign_in: Enter, library: CasService, outside: Outside) -> None:
    address = service.format(url=outside.url, host=outside.url.removeprefix("http://"))
    answer = sign_in("pupil").get("/cas/login", {"service": address})
    if address:
        assert answer.status_code == 403
    assert "ticket=" not in answer.headers.get("Location", "")
    assert not CasTicket.objects.exists()
    gone = Client().get("/cas/login", {"service": address, "gateway": "true"})
    assert not gone.headers.get("Location", "").startswith(("http", "//"))
    out = Client().get("/cas/logout", {"service": address})
    assert out.status_code == 200


def test_changed_tickets_are_worth_nothing(school: School, sign_in: Enter, library: CasService, outside: Outside) -> None:
    random, service = Random(20261129), f"{outside.url}/lib/"
    sign_in("pupil")
    row = SignIn.objects.select_related("account__person").get()
    ticket = issue_ticket(service=library, address=service, sign_in=row, is_fresh=False, now=clock.now())
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. %\x00'\"张"
    for _try in range(300):
        place = random.randrange(len(ticket))
        match random.randrange(4):
            case 0:
                changed = ticket[:place] + random.choice(letters) + ticket[place + 1 :]
            case 1:
                changed = ticket[:place] + ticket[place + 1 :]
            case 2:
                changed = ticket[:place] + random.choice(letters) + ticket[place:]
            case _other:
                changed = random.choice(["PT-", "PGT-", "PGTIOU-", "st-", ""]) + ticket[3:]
        if changed == ticket:
            continue
        assert code_of(asked("proxyValidate", ticket=changed, service=service)) in {"INVALID_TICKET", "INVALID_REQUEST"}, changed
        assert b"yes" not in Client().get("/cas/validate", {"ticket": changed, "service": service}).content
    assert asked("serviceValidate", ticket=ticket, service=service).find(f".//{NS}user") is not None
