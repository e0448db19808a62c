"""Identity providers above: an OpenID provider, a CAS server and a real LDAP server, honest and not."""

import json
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.test import Client
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from shuren.identity.models import Account, SignIn, Upstream, UpstreamLink, UpstreamSession
from shuren.identity.services.upstream.register import NewUpstream, register_upstream
from shuren.identity.tests.conftest import NOW, PASSWORD, School
from shuren.identity.tests.federation.conftest import Outside
from shuren.identity.tests.test_second_factors import gone_stale, with_app
from shuren.kernel import audit, clock, ids
from shuren.kernel.data import SYSTEM

Notice = apps.get_model("messaging.Notice")
Enter = Callable[..., Client]
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


def registered(school: School, **facts: object) -> Upstream:
    new = NewUpstream(name="省平台", org_id=school.orgs["school"], **facts)
    return Upstream.objects.get(pk=register_upstream(actor=SYSTEM, upstream=new, now=NOW))


def path_of(upstream: Upstream, more: str = "") -> str:
    return f"/upstream/{ids.encode('upstream', upstream.pk)}/{more}"


@pytest.fixture
def province(school: School, outside: Outside) -> Upstream:
    """An OpenID provider that names people by their number."""
    found = {
        "issuer": outside.url,
        "authorization_endpoint": f"{outside.url}/authorize",
        "token_endpoint": f"{outside.url}/token",
        "jwks_uri": f"{outside.url}/jwks",
    }
    outside.bodies["/.well-known/openid-configuration"] = json.dumps(found).encode()
    outside.bodies["/jwks"] = json.dumps(KeySet([KEY]).as_dict(private=False)).encode()
    return registered(school, kind="oidc", address=outside.url, client_id="city", secret="s3cret", claim="person_number")


def begun(upstream: Upstream, client: Client) -> dict[str, str]:
    """What the browser is sent to the provider with."""
    answer = client.get(path_of(upstream), {"next": "/account/"})
    assert answer.status_code == 302, answer.content.decode()
    return {key: values[0] for key, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def id_token(upstream: Upstream, nonce: str, *, key: RSAKey = KEY, header: dict | None = None, **claims: object) -> str:
    second = int(clock.now().timestamp())
    facts = {
        "iss": upstream.address,
        "aud": "city",
        "sub": "a-stable-subject",
        "iat": second,
        "exp": second + 300,
        "nonce": nonce,
        "sid": "their-session",
    } | claims
    return jwt.encode(header or {"alg": "RS256", "kid": "one"}, {k: v for k, v in facts.items() if v is not None}, key)


def come_back(upstream: Upstream, client: Client, outside: Outside, token: str, state: str, **more: str):
    outside.tokens = json.dumps({"access_token": "x", "token_type": "Bearer", "id_token": token}).encode()
    return client.get(path_of(upstream, "back/"), {"code": "abc", "state": state, **more})


@pytest.fixture(autouse=True)
def posting(monkeypatch: pytest.MonkeyPatch, outside: Outside) -> None:
    """The fake provider's token endpoint answers a POST with what the test prepared."""
    outside.tokens = b"{}"
    outside.answers_post = lambda path: outside.tokens if path == "/token" else b"ok"


def test_person_of_the_roster_comes_in(school: School, province: Upstream, outside: Outside) -> None:
    client = Client()
    asked = begun(province, client)
    assert asked["code_challenge_method"] == "S256"
    number = school.account("pupil").person.number
    answer = come_back(province, client, outside, id_token(province, asked["nonce"], person_number=number), asked["state"])
    assert answer.status_code == 302, answer.content.decode()
    assert answer.headers["Location"] == "/account/"
    assert client.get("/account/").status_code == 200
    call = next(call for call in outside.calls if call[1] == "/token")
    assert call[2]["code_verifier"]
    assert UpstreamLink.objects.get().account == school.account("pupil")
    # the next time the number is not needed
    other = Client()
    asked = begun(province, other)
    assert come_back(province, other, outside, id_token(province, asked["nonce"]), asked["state"]).status_code == 302


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"iss": "https://evil.example"}, 400),
        ({"aud": "another"}, 400),
        ({"aud": ["city", "another"]}, 400),
        ({"nonce": "another"}, 400),
        ({"nonce": None}, 400),
        ({"exp": 1}, 400),
        ({"exp": None}, 400),
        ({"iat": 1}, 400),
        ({"sub": None, "sid": None}, 400),
        ({"key": OTHER}, 400),
        ({"person_number": "P-none"}, 403),
        ({"person_number": ""}, 403),
        ({"person_number": None, "email": "Zhou@example.org"}, 403),
    ],
)
def test_bent_tokens_bring_nobody_in(claims: dict, status: int, school: School, province: Upstream, outside: Outside) -> None:
    client = Client()
    asked = begun(province, client)
    facts = {"person_number": school.account("pupil").person.number} | claims
    answer = come_back(province, client, outside, id_token(province, facts.pop("nonce", asked["nonce"]), **facts), asked["state"])
    assert answer.status_code == status
    assert not SignIn.objects.exists()


def test_unsigned_token_brings_nobody_in(school: School, province: Upstream, outside: Outside) -> None:
    client = Client()
    asked = begun(province, client)
    head, body, _signature = id_token(province, asked["nonce"], person_number=school.account("pupil").person.number).split(".")
    for token in (f"eyJhbGciOiJub25lIn0.{body}.", f"{head}.{body}.", "", "x.y.z"):
        assert come_back(province, client, outside, token, asked["state"]).status_code == 400
        asked = begun(province, client)
    assert not SignIn.objects.exists()


def test_state_is_of_this_browser_and_once(school: School, province: Upstream, outside: Outside) -> None:
    number = school.account("pupil").person.number
    client, stranger = Client(), Client()
    asked = begun(province, client)
    token = id_token(province, asked["nonce"], person_number=number)
    assert come_back(province, stranger, outside, token, asked["state"]).status_code == 400
    assert come_back(province, client, outside, token, "another").status_code == 400
    assert come_back(province, client, outside, token, asked["state"]).status_code == 400
    asked = begun(province, client)
    token = id_token(province, asked["nonce"], person_number=number)
    assert come_back(province, client, outside, token, asked["state"], iss="https://evil.example").status_code == 400
    assert not SignIn.objects.exists()


@pytest.mark.parametrize("key", ["officer", "far_teacher"])
def test_provider_of_a_school_cannot_name_others(key: str, school: School, province: Upstream, outside: Outside) -> None:
    client = Client()
    asked = begun(province, client)
    token = id_token(province, asked["nonce"], person_number=school.account(key).person.number)
    assert come_back(province, client, outside, token, asked["state"]).status_code == 403
    assert not SignIn.objects.exists()


def test_linking_needs_both_sides(school: School, province: Upstream, outside: Outside) -> None:
    Upstream.objects.update(matching="linked")
    client = Client()
    asked = begun(province, client)
    number = school.account("pupil").person.number
    door = come_back(province, client, outside, id_token(province, asked["nonce"], person_number=number), asked["state"])
    assert door.headers["Location"].startswith("/sign-in/?next=")
    assert not UpstreamLink.objects.exists()
    client.post("/sign-in/", {"username": "pupil", "password": PASSWORD, "next": "/upstream/link/"})
    assert client.get("/upstream/link/").status_code == 200
    assert client.post("/upstream/link/").status_code == 302
    assert client.post("/upstream/link/").status_code == 400
    other = Client()
    asked = begun(province, other)
    assert come_back(province, other, outside, id_token(province, asked["nonce"]), asked["state"]).status_code == 302
    assert other.get("/account/").status_code == 200


def test_sign_out_above_ends_sessions_here(school: School, sign_in: Enter, province: Upstream, outside: Outside) -> None:
    client, local = Client(), sign_in("pupil")
    asked = begun(province, client)
    number = school.account("pupil").person.number
    come_back(province, client, outside, id_token(province, asked["nonce"], person_number=number), asked["state"])
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    good = {"events": event, "jti": "1"}
    for bad in (
        id_token(province, "with-a-nonce", **good),
        id_token(province, None, jti="1"),
        id_token(province, None, **good, key=OTHER),
        id_token(province, None, **good, aud="another"),
        id_token(province, None, events=event),
        "",
    ):
        assert Client().post(path_of(province, "backchannel/"), {"logout_token": bad}).status_code == 400
    assert client.get("/account/").status_code == 200
    told = Client(enforce_csrf_checks=True).post(
        path_of(province, "backchannel/"), {"logout_token": id_token(province, None, **good)}
    )
    assert told.status_code == 200
    assert client.get("/account/").status_code == 302
    assert local.get("/account/").status_code == 200


def test_sign_out_above_ends_sessions_that_needed_a_second_factor(
    school: School, sign_in: Enter, province: Upstream, outside: Outside
) -> None:
    sign_in("pupil")
    totp = with_app(school, "pupil")
    client, begun_at = Client(), clock.now()
    asked = begun(province, client)
    number = school.account("pupil").person.number
    token = id_token(province, asked["nonce"], person_number=number)
    assert come_back(province, client, outside, token, asked["state"]).headers["Location"] == "/sign-in/verify/"
    assert not UpstreamSession.objects.exists()
    assert "their-session" not in json.dumps(client.session["pending"])
    assert client.post("/sign-in/verify/", {"code": totp.at(clock.now())}).headers["Location"] == "/account/"
    noted = UpstreamSession.objects.get()
    assert SignIn.objects.get(pk=noted.sign_in_id).methods == "upstream totp"
    assert begun_at <= noted.begun_at <= clock.now()
    event = {"http://schemas.openid.net/event/backchannel-logout": {}}
    told = id_token(province, None, events=event, jti="1", sub=None)
    assert Client().post(path_of(province, "backchannel/"), {"logout_token": told}).status_code == 200
    assert client.get("/account/").status_code == 302


def proved_elsewhere(province: Upstream, client: Client, outside: Outside) -> None:
    """The provider has said who this is, and no account here is linked to them."""
    Upstream.objects.update(matching="linked")
    asked = begun(province, client)
    answer = come_back(province, client, outside, id_token(province, asked["nonce"]), asked["state"])
    assert answer.headers["Location"].startswith("/sign-in/?next=")


def test_linking_asks_for_a_fresh_proof(school: School, sign_in: Enter, province: Upstream, outside: Outside) -> None:
    client = sign_in("pupil")
    proved_elsewhere(province, client, outside)
    gone_stale(client)
    assert client.get("/upstream/link/").headers["Location"].startswith("/account/confirm/?next=%2Fupstream%2Flink%2F")
    assert client.post("/upstream/link/").headers["Location"].startswith("/account/confirm/?")
    assert not UpstreamLink.objects.exists()
    client.post("/account/confirm/", {"password": PASSWORD, "next": "/upstream/link/"})
    assert client.post("/upstream/link/").headers["Location"] == "/account/"
    assert UpstreamLink.objects.get().account == school.account("pupil")
    told = Notice.objects.get(person_id=school.people["pupil"], title="您的账号多了一种登录方式")
    assert ("省平台" in told.body, told.url) == (True, "/account/security/")


def test_nothing_is_linked_before_the_first_password_is_changed(
    school: School, sign_in: Enter, province: Upstream, outside: Outside
) -> None:
    Account.objects.filter(person_id=school.people["pupil"]).update(must_change_password=True)
    client = sign_in("pupil")
    proved_elsewhere(province, client, outside)
    assert client.post("/upstream/link/").headers["Location"] == "/account/password/"
    assert not UpstreamLink.objects.exists()


def test_owners_see_their_links_and_remove_them(school: School, sign_in: Enter, province: Upstream) -> None:
    UpstreamLink.objects.create(upstream=province, subject="a", account=school.account("pupil"), linked_at=NOW)
    theirs = UpstreamLink.objects.create(upstream=province, subject="b", account=school.account("head"), linked_at=NOW)
    client = sign_in("pupil")
    page = client.get("/account/security/").content.decode()
    (action,) = [part.split('"')[0] for part in page.split('action="') if part.startswith("/account/security/upstreams/")]
    assert "省平台 · 东湖school" in page
    assert client.post(f"/account/security/upstreams/{ids.encode('upstream_link', theirs.pk)}/unlink/").status_code == 404
    gone_stale(client)
    assert client.post(action).headers["Location"].startswith("/account/confirm/?")
    client.post("/account/confirm/", {"password": PASSWORD, "next": "/account/security/"})
    assert client.post(action).headers["Location"] == "/account/security/"
    assert client.post(action).status_code == 404
    assert list(UpstreamLink.objects.all()) == [theirs]
    assert audit.entries(action="identity.upstream_unlinked").count() == 1
    assert "省平台" not in client.get("/account/security/").content.decode()


def test_provider_under_another_name_is_not_asked(school: School, province: Upstream, outside: Outside) -> None:
    found = json.loads(outside.bodies["/.well-known/openid-configuration"])
    outside.bodies["/.well-known/openid-configuration"] = json.dumps(found | {"issuer": "https://evil.example"}).encode()
    assert Client().get(path_of(province)).status_code == 400


CAS_YES = """<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>{user}</cas:user>
</cas:authenticationSuccess></cas:serviceResponse>"""


def test_cas_server_above(school: School, outside: Outside) -> None:
    upstream = registered(school, kind="cas", address=f"{outside.url}/cas")
    number = school.account("pupil").person.number
    outside.bodies["/cas/p3/serviceValidate"] = CAS_YES.format(user=number).encode()
    client = Client()
    service = begun(upstream, client)["service"]
    state = parse_qs(urlsplit(service).query)["state"][0]
    assert client.get(path_of(upstream, "back/"), {"state": state, "ticket": "ST-1"}).status_code == 302
    (call,) = [call for call in outside.calls if call[1] == "/cas/p3/serviceValidate"]
    assert call[2]["service"] == [service]
    assert client.get("/account/").status_code == 200
    notice = (
        '<p:LogoutRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"><p:SessionIndex>{}</p:SessionIndex></p:LogoutRequest>'
    )
    for ticket, status in (("ST-2", 200), ("ST-1", 302)):
        Client(enforce_csrf_checks=True).post(path_of(upstream, "back/"), {"logoutRequest": notice.format(ticket)})
        assert client.get("/account/").status_code == status


@pytest.mark.parametrize(
    "body",
    [
        CAS_YES.replace("authenticationSuccess", "authenticationFailure"),
        CAS_YES.replace("serviceResponse", "somethingElse"),
        '<!DOCTYPE a [<!ENTITY x "{user}">]>' + CAS_YES.replace("{user}", "&x;"),
        CAS_YES.replace("{user}", ""),
        "yes\n{user}\n",
    ],
)
def test_cas_answers_that_prove_nothing(body: str, school: School, outside: Outside) -> None:
    upstream = registered(school, kind="cas", address=f"{outside.url}/cas")
    outside.bodies["/cas/p3/serviceValidate"] = body.replace("{user}", school.account("pupil").person.number).encode()
    client = Client()
    state = parse_qs(urlsplit(begun(upstream, client)["service"]).query)["state"][0]
    assert client.get(path_of(upstream, "back/"), {"state": state, "ticket": "ST-1"}).status_code == 400
    assert not SignIn.objects.exists()


def test_providers_are_offered_at_the_door(province: Upstream) -> None:
    assert "/upstream/" in Client().get("/sign-in/").content.decode()
    assert "省平台" in Client().get("/upstream/", {"q": "东湖"}).content.decode()
    assert "省平台" not in Client().get("/upstream/", {"q": "西山"}).content.decode()
    Upstream.objects.update(is_enabled=False)
    assert "/upstream/" not in Client().get("/sign-in/").content.decode()
    assert Client().get(path_of(province)).status_code == 404
