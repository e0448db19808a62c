"""What others try: every attempt is one case, and each must be refused without letting anything out."""

import base64
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client as Browser
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from shuren.identity.data import ClientAuth, GrantType
from shuren.identity.models import Authorization
from shuren.identity.rules.oauth.assertions import ASSERTION_TYPE
from shuren.identity.services.oauth.families import own_access_token
from shuren.identity.tests.conftest import School
from shuren.identity.tests.oauth.conftest import CALLBACK, App, answer_in, payload
from shuren.kernel import clock

Enter = Callable[[str], Browser]
Make = Callable[..., App]
_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

REDIRECTS = [
    "https://evil.example/cb",
    "https://read.example.cn.evil.example/cb",
    "https://read.example.cn@evil.example/cb",
    "https://evil.example@read.example.cn/cb",
    "https://read.example.cn:443@evil.example/cb",
    "https://read.example.cn\\@evil.example/cb",
    "https://read.example.cn\\.evil.example/cb",
    "https:\\\\read.example.cn\\cb",
    "https://evil.example\\read.example.cn/cb",
    "https://read.example.cn./cb",
    "https://READ.example.cn/cb",
    "HTTPS://read.example.cn/cb",
    "http://read.example.cn/cb",
    "//read.example.cn/cb",
    "read.example.cn/cb",
    "/cb",
    "",
    "https://read.example.cn",
    "https://read.example.cn/",
    "https://read.example.cn/cb/",
    "https://read.example.cn/CB",
    "https://read.example.cn//cb",
    "https://read.example.cn/./cb",
    "https://read.example.cn/x/../cb",
    "https://read.example.cn/%63b",
    "https://read.example.cn/cb%2f",
    "https://read.example.cn/cb%00",
    "https://read.example.cn/cb\x00",
    "https://read.example.cn/cb ",
    " https://read.example.cn/cb",
    "https://read.example.cn/cb\r\nSet-Cookie: a=b",
    "https://read.example.cn/cb\t",
    "https://read.example.cn/cb?",
    "https://read.example.cn/cb?next=https://evil.example",
    "https://read.example.cn/cb#",
    "https://read.example.cn/cb#@evil.example",
    "https://read.example.cn/cb;x",
    "https://read.example.cn/cb/../../evil",
    "https://read.example.cn:444/cb",
    "https://read.example.cn:443/cb",
    "https://read.example.cn:/cb",
    "https://read%2eexample.cn/cb",
    "https://read.example.cn%2f@evil.example/cb",
    "https://read.example.cn%40evil.example/cb",
    "https://evil.example?read.example.cn/cb",
    "https://evil.example#read.example.cn/cb",
    "https://evil.example/https://read.example.cn/cb",
    "https://xn--read-example.cn/cb",
    "https://réad.example.cn/cb",
    "https://read。example。cn/cb",
    "https://[::1]/cb",
    "https://127.0.0.1/cb",
    "http://127.0.0.1/cb",
    "http://localhost:8000/cb",
    "javascript:alert(1)//https://read.example.cn/cb",
    "data:text/html,https://read.example.cn/cb",
    "file:///cb",
    "urn:ietf:wg:oauth:2.0:oob",
    "cn.example.read:/cb",
    "*",
    "https://*.example.cn/cb",
    "https://read.example.cn/*",
    "null",
    "https://read.example.cn/cb,https://evil.example/cb",
    "https://read.example.cn/cb https://evil.example/cb",
]


def test_no_other_return_address_is_taken(app: App, sign_in: Enter) -> None:
    """Asked with a session and silently, so that nothing but the address stands in the way; and at the token endpoint."""
    browser = sign_in("head")
    for uri in REDIRECTS:
        answer = app.ask(browser, redirect_uri=uri, prompt="none")
        assert (answer.status_code, answer.headers.get("Location")) == (400, None)
        assert 'href="https://evil' not in answer.content.decode()
        assert not Authorization.objects.exists()
        assert app.post("par", **app.question(redirect_uri=uri)).status_code == 400


def test_a_code_is_bound_to_its_return_address(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    for uri in ("https://read.example.cn/other", CALLBACK.upper(), CALLBACK + "/", "", None, "https://evil.example/"):
        assert app.redeem(app.code(browser), redirect_uri=uri).json()["error"] == "invalid_grant"


QUESTIONS: list[tuple[dict[str, str | None], str]] = [
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": "s256"}, "invalid_request"),
    ({"code_challenge_method": "S512"}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"code_challenge": "A" * 42}, "invalid_request"),
    ({"code_challenge": "A" * 44}, "invalid_request"),
    ({"code_challenge": "+" * 43}, "invalid_request"),
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "id_token"}, "unsupported_response_type"),
    ({"response_type": "id_token token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "CODE"}, "unsupported_response_type"),
    ({"response_type": "none"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"response_mode": "web_message"}, "invalid_request"),
    ({"response_mode": "query.jwt"}, "invalid_request"),
    ({"scope": "openid admin"}, "invalid_scope"),
    ({"scope": "openid email"}, "invalid_scope"),
    ({"scope": "OPENID"}, "invalid_scope"),
    ({"scope": 'openid "'}, "invalid_scope"),
    ({"scope": "openid\\"}, "invalid_scope"),
    ({"scope": "openid \u4f60"}, "invalid_scope"),
    ({"prompt": "none login"}, "invalid_request"),
    ({"prompt": "whatever"}, "invalid_request"),
    ({"max_age": "-1"}, "invalid_request"),
    ({"max_age": "1e3"}, "invalid_request"),
    ({"max_age": "\u0661"}, "invalid_request"),
    ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
    ({"request_uri": "https://evil.example/request.jwt"}, "request_uri_not_supported"),
    ({"nonce": "n" * 3000}, "invalid_request"),
    ({"state": "s" * 3000}, "invalid_request"),
]


def test_questions_that_are_refused(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    for changed, error in QUESTIONS:
        answer = answer_in(app.ask(browser, **changed))
        assert (answer["error"], answer["iss"]) == (error, "http://testserver")
        assert "code" not in answer
        assert answer["state"] == (changed.get("state") or "some-state")
        assert not Authorization.objects.exists()


def test_a_parameter_that_comes_twice_is_refused(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    for twice in ("scope", "state", "nonce", "code_challenge", "prompt", "response_type", "max_age"):
        question = urlencode(app.question()) + f"&{twice}=a&{twice}=b"
        answer = answer_in(browser.get("/oauth/authorize/?" + question))
        assert answer["error"] == "invalid_request"


@pytest.mark.parametrize("twice", ["client_id", "redirect_uri"])
def test_two_clients_or_addresses_are_nobodys(app: App, sign_in: Enter, twice: str) -> None:
    question = urlencode(app.question()) + "&" + urlencode({twice: app.question()[twice]})
    assert sign_in("head").get("/oauth/authorize/?" + question).status_code == 400


def test_unknown_clients_are_not_sent_anywhere(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    for client_id in ("", "nobody", "' OR 1=1 --", "%00", "../admin", "x" * 5000):
        assert app.ask(browser, client_id=client_id, prompt="none").status_code == 400


VERIFIERS = [None, "", "x", "a" * 42, "a" * 43, "a" * 128, "a" * 129, "\u00e9" * 50, "challenge", "upper", "trailing"]


def test_a_stolen_code_is_worth_nothing_without_its_verifier(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    for verifier in VERIFIERS:
        code = app.code(browser)
        changed = {"challenge": app.question()["code_challenge"], "upper": app.verifier.upper(), "trailing": app.verifier + "="}
        tried = changed.get(verifier, verifier) if verifier else verifier
        assert app.redeem(code, code_verifier=tried).json() == {
            "error": "invalid_grant",
            "error_description": "the code or token is unknown, expired, used or revoked",
        }
        assert app.redeem(code).status_code == 400


def test_a_code_injected_into_another_session_fails_by_its_verifier(make_app: Make, sign_in: Enter) -> None:
    app = make_app()
    victims = app.code(sign_in("head"))
    attacker = App(app.client_id, app.secret, app.pk)
    assert attacker.redeem(victims).status_code == 400


def test_a_code_of_one_client_is_nothing_to_another(make_app: Make, sign_in: Enter) -> None:
    app, other = make_app(), make_app(redirect_uris=("https://other.example.cn/cb",))
    code = app.code(sign_in("head"))
    assert other.redeem(code, code_verifier=app.verifier).status_code == 400
    assert app.redeem(code).status_code == 200, "the rightful client is not harmed"


def mutations(token: str, count: int, seed: int) -> list[str]:
    """One letter changed, cut, doubled or moved, at seeded places."""
    random, found = Random(seed), []  # repeatable, not secret
    while len(found) < count:
        at = random.randrange(len(token))
        letter = random.choice(_BASE64)
        changed = random.choice(
            [
                token[:at] + letter + token[at + 1 :],
                token[:at] + token[at + 1 :],
                token[:at] + letter + token[at:],
                token[:at],
                token[at:],
                token[:at] + token[at].swapcase() + token[at + 1 :],
                token[::-1],
                token + letter,
            ]
        )
        if changed != token:
            found.append(changed)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_changed_tokens_are_nobodys(app: App, sign_in: Enter, seed: int) -> None:
    """Per seed 60 access tokens, 30 refresh tokens and 30 codes, each with something changed."""
    browser = sign_in("head")
    tokens, code = app.tokens(browser), app.code(browser)
    own = own_access_token(client_pk=app.pk, scopes=("directory.read",), now=clock.now())
    for tried in mutations(tokens["access_token"], 30, seed) + mutations(own, 30, seed + 100):
        assert app.post("introspect", token=tried).json() == {"active": False}
        headers = {"authorization": f"Bearer {tried}"}
        assert Browser().get("/oauth/userinfo/", headers=headers).status_code == 401
        assert Browser().get("/api/v1/orgs", headers=headers).status_code == 401
    for tried in mutations(tokens["refresh_token"], 30, seed + 200):
        assert app.refresh(tried).json()["error"] == "invalid_grant"
    for tried in mutations(code, 30, seed + 300):
        assert app.redeem(tried).json()["error"] == "invalid_grant"
    assert app.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).status_code == 200
    assert app.redeem(code).status_code == 200


def test_one_kind_of_token_does_not_do_for_another(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    tokens, code = app.tokens(browser), app.code(browser)
    as_bearer = [tokens["refresh_token"], code, tokens["id_token"], app.secret, app.client_id]
    for tried in as_bearer:
        assert Browser().get("/oauth/userinfo/", headers={"authorization": f"Bearer {tried}"}).status_code == 401
    for tried in (tokens["access_token"], code, tokens["id_token"]):
        assert app.refresh(tried).status_code == 400
    for tried in (tokens["access_token"], tokens["refresh_token"], tokens["id_token"]):
        assert app.redeem(tried).status_code == 400
    for prefix in ("sat", "srt", "sac"):
        body = tokens["access_token"][3:]
        if prefix != "sat":
            assert app.post("introspect", token=prefix + body).json() == {"active": False}


def test_tokens_in_the_address_or_a_form_are_passed_over(app: App, sign_in: Enter) -> None:
    token = app.tokens(sign_in("head"))["access_token"]
    assert Browser().get("/oauth/userinfo/", {"access_token": token}).status_code == 401
    assert Browser().post("/oauth/userinfo/", {"access_token": token}).status_code == 401
    assert Browser().get("/api/v1/orgs", {"access_token": token}).status_code == 401


def proofs(app: App, other: App) -> list[tuple[str, str | None, dict[str, str]]]:
    """Ways of proving oneself that are not this client's."""
    encoded = base64.b64encode(f"{app.client_id}:{app.secret}".encode()).decode()

    def basic(text: str) -> str:
        return "Basic " + base64.b64encode(text.encode()).decode()

    return [
        ("nothing", None, {}),
        ("only its name", None, {"client_id": app.client_id}),
        ("in the form though registered for the header", None, {"client_id": app.client_id, "client_secret": app.secret}),
        ("both ways at once", app.basic, {"client_id": app.client_id, "client_secret": app.secret}),
        ("another client's secret", basic(f"{app.client_id}:{other.secret}"), {}),
        ("its secret under another name", basic(f"{other.client_id}:{app.secret}"), {}),
        ("a name that differs in the form", app.basic, {"client_id": other.client_id}),
        ("an empty secret", basic(f"{app.client_id}:"), {}),
        ("a secret cut short", basic(f"{app.client_id}:{app.secret[:-1]}"), {}),
        ("a secret and more", basic(f"{app.client_id}:{app.secret}x"), {}),
        ("the other case", basic(f"{app.client_id}:{app.secret.swapcase()}"), {}),
        ("no colon", basic(app.client_id + app.secret), {}),
        ("not base64", "Basic !!!!", {}),
        ("another scheme", f"Bearer {encoded}", {}),
        ("a scheme nobody knows", f"Digest {encoded}", {}),
        ("SQL", basic("' OR '1'='1:' OR '1'='1"), {}),
        (
            "an assertion it is not registered for",
            None,
            {"client_assertion": "e30.e30.", "client_assertion_type": ASSERTION_TYPE},
        ),
        ("bytes that are not text", "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(), {}),
    ]


@pytest.mark.parametrize("path", ["token", "introspect", "revoke", "par", "device"])
def test_nobody_else_proves_to_be_the_client(make_app: Make, path: str) -> None:
    app, other = make_app(), make_app(redirect_uris=("https://other.example.cn/cb",))
    for how, header, form in proofs(app, other):
        asked = {"grant_type": "client_credentials", "scope": "directory.read", "token": "x", **form}
        answer = app.post(path, basic=header, **asked)
        assert answer.status_code in (400, 401), how
        assert answer.json()["error"] in ("invalid_client", "invalid_request"), how
        assert app.secret not in answer.content.decode()


GRANTS = ["password", "implicit", "", "refresh_token ", "AUTHORIZATION_CODE", "client_credentials\n", "none"]
GRANTS += ["urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:token-exchange"]


def test_grants_that_do_not_exist(app: App) -> None:
    for grant in GRANTS:
        answer = app.post("token", grant_type=grant, username="head", password="x", scope="openid")  # no secret
        assert answer.json()["error"] in ("unsupported_grant_type", "invalid_request")


def test_a_grant_that_was_not_registered(make_app: Make, sign_in: Enter) -> None:
    app = make_app(grant_types=frozenset({GrantType.AUTHORIZATION_CODE}))
    tokens = app.tokens(sign_in("head"))
    assert "refresh_token" not in tokens
    for grant in ("client_credentials", "refresh_token", GrantType.DEVICE_CODE.value):
        assert app.post("token", grant_type=grant).json()["error"] == "unauthorized_client"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data; boundary=x"])
def test_forms_come_as_forms(app: App, kind: str) -> None:
    answer = Browser().post(
        "/oauth/token/", b'{"grant_type": "client_credentials"}', content_type=kind, headers={"authorization": app.basic}
    )
    assert answer.json()["error"] == "invalid_request"


def test_a_doubled_field_at_the_token_endpoint(app: App) -> None:
    sent = "grant_type=client_credentials&scope=directory.read&scope=reports.read"
    answer = Browser().post(
        "/oauth/token/", sent, content_type="application/x-www-form-urlencoded", headers={"authorization": app.basic}
    )
    assert answer.json()["error"] == "invalid_request"


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


@pytest.fixture
def keyed(make_app: Make, key: RSAKey) -> App:
    return make_app(auth=ClientAuth.PRIVATE_KEY_JWT, jwks={"keys": [key.as_dict(private=False)]})


def assertion(app: App, key: Any, alg: str = "RS256", header: dict[str, Any] | None = None, **changed: Any) -> str:
    second = int(clock.now().timestamp())
    claims: dict[str, Any] = {
        "iss": app.client_id,
        "sub": app.client_id,
        "aud": "http://testserver/oauth/token/",
        "iat": second,
        "exp": second + 60,
        "jti": f"j{second}{len(changed)}{alg}",
        **changed,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": alg, "kid": "one", **(header or {})}, kept, key, algorithms=[alg])


def prove(app: App, text: str, path: str = "token", **changed: str) -> Any:
    form = {"grant_type": "client_credentials", "scope": "directory.read", "client_assertion_type": ASSERTION_TYPE}
    return app.post(path, basic=None, **{**form, "client_assertion": text, **changed})


def test_a_key_of_its_own_proves_a_client_once(keyed: App, key: RSAKey) -> None:
    text = assertion(keyed, key)
    assert prove(keyed, text).status_code == 200
    again = prove(keyed, text)
    assert (again.status_code, again.json()["error_description"]) == (401, "the assertion was used before")


WRONG_CLAIMS: list[dict[str, Any]] = [
    {"iss": "somebody"},
    {"sub": "somebody"},
    {"iss": None},
    {"sub": None},
    {"aud": "http://evil.example/oauth/token/"},
    {"aud": "http://testserver/oauth/token"},
    {"aud": ["http://evil.example/"]},
    {"aud": {"a": 1}},
    {"aud": None},
    {"exp": None},
    {"exp": 1},
    {"exp": "soon"},
    {"exp": True},
    {"exp": 99_999_999_999},
    {"iat": 99_999_999_999},
    {"nbf": 99_999_999_999},
    {"jti": None},
    {"jti": ""},
    {"jti": 7},
    {"jti": "j" * 600},
]


def test_assertions_with_wrong_claims(keyed: App, key: RSAKey) -> None:
    for changed in WRONG_CLAIMS:
        assert prove(keyed, assertion(keyed, key, **changed)).json()["error"] == "invalid_client"


def test_assertions_with_wrong_signatures(keyed: App, key: RSAKey) -> None:
    """alg none, a public key used as a secret, other keys, other kids, and 40 changed letters."""
    public_pem = key.as_pem(private=False)
    second = int(clock.now().timestamp())
    claims = {"iss": keyed.client_id, "sub": keyed.client_id, "aud": "http://testserver", "exp": second + 60, "jti": "n"}

    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    tried = [f"{part({'alg': alg, 'kid': 'one'})}.{part(claims)}." for alg in ("none", "None", "NONE", "nOnE", "")]
    for secret in (public_pem, public_pem.strip(), b"one"):
        signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(claims)}"
        mac = base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), "sha256")).decode().rstrip("=")
        tried.append(f"{signed}.{mac}")
    tried.append(assertion(keyed, RSAKey.generate_key(2048)))
    tried.append(assertion(keyed, ECKey.generate_key("P-256"), alg="ES256"))
    tried.append(assertion(keyed, key, header={"kid": "two"}))
    tried.append(assertion(keyed, key, header={"kid": "../../etc/passwd"}))
    stranger = RSAKey.generate_key(2048)
    tried.append(assertion(keyed, stranger, header={"jwk": stranger.as_dict(private=False)}))
    tried.append(assertion(keyed, stranger, header={"jku": "https://evil.example/jwks"}))
    tried.append(assertion(keyed, stranger, header={"x5u": "https://evil.example/x5u"}))
    good = assertion(keyed, key)
    for text in tried + mutations(good, 40, seed=9):
        answer = prove(keyed, text)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), text[:40]
    assert prove(keyed, good).status_code == 200


def test_an_assertion_of_one_client_does_not_do_for_another(make_app: Make, keyed: App, key: RSAKey) -> None:
    other = make_app(redirect_uris=("https://other.example.cn/cb",))
    assert prove(keyed, assertion(keyed, key), client_id=other.client_id).status_code == 401
    assert prove(keyed, assertion(keyed, key, jti="z"), client_assertion_type="jwt").status_code == 400


def test_ids_of_sessions_and_tokens_do_not_leak(app: App, sign_in: Enter) -> None:
    """Nothing of a code or token stands in the pages people see, and answers are not stored or told onward."""
    browser = sign_in("head")
    answer = app.ask(browser)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    tokens = app.redeem(answer_in(answer)["code"])
    assert tokens.headers["Cache-Control"] == "no-store"
    assert not {"name", "email", "person_id"} & payload(tokens.json()["id_token"]).keys()


def test_decisions_need_the_forgery_token_and_a_session(make_app: Make, school: School, sign_in: Enter) -> None:
    app = make_app(is_first_party=False)
    careful = Browser(enforce_csrf_checks=True)
    careful.cookies = sign_in("head").cookies
    where = "/oauth/decide/?" + urlencode(app.question())
    assert careful.post(where, {"decision": "allow"}).status_code == 403
    assert careful.post("/device/", {"user_code": "BBBB-BBBB", "decision": "allow"}).status_code == 403
    assert careful.post("/oauth/end-session/confirmed/", {"decision": "leave"}).status_code == 403
    assert Browser().post(where, {"decision": "allow"}).status_code == 302
    assert not Authorization.objects.exists()


def test_a_fresh_sign_in_cannot_be_talked_away(app: App, sign_in: Enter) -> None:
    browser = sign_in("head")
    for mark in ("1.x", "9999999999.x", ".", "0." + "a" * 64, "-1.a", "1", "\u0661.a"):
        answer = browser.get("/oauth/authorize/?" + urlencode(app.question(prompt="login")) + "&again_after=" + quote(mark))
        assert "/confirm/?next=" in answer.headers["Location"]


def test_expired_codes_and_tokens(app: App, sign_in: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = sign_in("head")
    tokens, code = app.tokens(browser), app.code(browser)
    late = clock.now() + timedelta(minutes=2)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert app.redeem(code).status_code == 400
    assert app.is_active(tokens["access_token"])
    much_later = late + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: much_later)
    assert not app.is_active(tokens["access_token"])
    assert app.refresh(tokens["refresh_token"]).status_code == 200
