"""One decision about an app of the register, whatever it speaks: each protocol refuses it for each of the reasons."""

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client

from shuren.identity import api as identity
from shuren.identity.data import AppFault, ClientStatus, GrantType, NewClient
from shuren.identity.models import AppConsent, CasService, CasTicket, SamlService, SamlSession, SignIn
from shuren.identity.models import Client as ClientRow
from shuren.identity.rules.oauth.asking import challenge_of
from shuren.identity.services.cas.register import NewCasService, register_cas_service
from shuren.identity.services.release import recipient_of
from shuren.identity.services.saml.keys import xmlsec_path
from shuren.identity.services.saml.register import NewSamlService, register_saml_service
from shuren.identity.tests.federation.saml_sp import Provider
from shuren.identity.tests.federation.test_saml import asked as asked_by_saml
from shuren.interop import api
from shuren.interop.data import AppStatus
from shuren.interop.models import App, CallCount, Installation, QuotaWindow
from shuren.interop.services import count_calls
from shuren.interop.services.govern import suspend_app
from shuren.interop.tests.conftest import Stage, VendorServer
from shuren.interop.tests.test_chain import install, listed_app
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid

TROUBLES = ("switched_off", "suspended", "delisted", "not_chosen", "over_quota")
OF_THE_APP = tuple(trouble for trouble in TROUBLES if trouble != "not_chosen")


@dataclass
class Ready:
    """An app that a school chose, and a pupil of the school who is signed in."""

    stage: Stage
    app_id: int
    client_id: str
    secret: str
    callback: str
    browser: Client
    verifier: str

    def post(self, path: str, **form: str) -> Any:
        basic = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return Client().post(
            f"/oauth/{path}/",
            urlencode(form),
            content_type="application/x-www-form-urlencoded",
            headers={"authorization": f"Basic {basic}"},
        )

    def question(self, **more: str) -> dict[str, str]:
        return {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.callback,
            "scope": "openid",
            "state": "s",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **more,
        }

    def authorize(self, **more: str) -> Any:
        return self.browser.get("/oauth/authorize/?" + urlencode(self.question(**more)))

    def allow(self, **more: str) -> dict[str, str]:
        answer = self.browser.post("/oauth/decide/?" + urlencode(self.question(**more)), {"decision": "allow"})
        assert answer.status_code == 302, answer.content.decode()[:2000]
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def redeem(self, code: str) -> Any:
        return self.post(
            "token", grant_type="authorization_code", code=code, redirect_uri=self.callback, code_verifier=self.verifier
        )


@pytest.fixture
def ready(stage: Stage, server: VendorServer) -> Ready:
    app_id = listed_app(stage, server)
    install(stage, app_id)
    client_id = App.objects.get(pk=app_id).client_id or ""
    grants = [GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CLIENT_CREDENTIALS, GrantType.DEVICE_CODE]
    ClientRow.objects.filter(client_id=client_id).update(grant_types=grants, scopes=["openid", "webhooks"])
    secret = identity.add_client_secret(actor=SYSTEM, client_id=client_id, now=clock.now())
    browser = stage.cast.client("pupil")
    return Ready(stage, app_id, client_id, secret, f"{server.url}/callback", browser, secrets.token_urlsafe(48))


@contextmanager
def trouble(ready: Ready, kind: str) -> Iterator[None]:
    """Let one thing go wrong, and mend it: the switch at the client, the state of the app alone, the choice, the quota."""
    app, client = App.objects.filter(pk=ready.app_id), ClientRow.objects.filter(client_id=ready.client_id)
    chosen = Installation.objects.filter(app_id=ready.app_id)
    quotas = app.values("quota_per_minute", "quota_per_day").get()
    if kind == "switched_off":
        client.update(status=ClientStatus.DISABLED)
    elif kind == "not_chosen":
        chosen.update(ended_at=clock.now())
    elif kind == "over_quota":
        app.update(quota_per_minute=1, quota_per_day=1)
        count_calls.forget_blocks()
        while api.count_call(api.apps_by_ids([ready.app_id])[ready.app_id], now=clock.now()).is_allowed:
            count_calls.forget_blocks()
    else:
        app.update(status=AppStatus(kind))
    yield
    client.update(status=ClientStatus.ACTIVE)
    chosen.update(ended_at=None)
    app.update(status=AppStatus.ACTIVE, **quotas)
    QuotaWindow.objects.filter(app_id=ready.app_id).delete()
    count_calls.forget_blocks()


def refused_by_all(ready: Ready, ask: Callable[[], Any], kinds: tuple[str, ...] = TROUBLES) -> list[Any]:
    found = []
    for kind in kinds:
        with trouble(ready, kind):
            found.append(ask())
    return found


def test_authorize(ready: Ready) -> None:
    assert ready.authorize().status_code == 200
    answers = refused_by_all(ready, ready.authorize)
    assert [answer.status_code for answer in answers] == [400, 403, 403, 403, 403]
    texts = [answer.content.decode() for answer in answers[1:]]
    assert all(text in page for text, page in zip(("停用", "停用", "没有选用", "超出了配额"), texts, strict=True))
    assert "code" in ready.allow()


def test_authorize_without_a_page(ready: Ready) -> None:
    ready.allow()
    quiet = refused_by_all(ready, lambda: ready.authorize(prompt="none"), TROUBLES[1:])
    errors = [dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["error"] for answer in quiet]
    assert errors == ["invalid_client", "invalid_client", "access_denied", "temporarily_unavailable"]
    assert "code=" in ready.authorize(prompt="none").headers["Location"]


def test_consent_is_not_kept_for_an_app_that_may_not(ready: Ready) -> None:
    url = "/oauth/decide/?" + urlencode(ready.question())
    answers = refused_by_all(ready, lambda: ready.browser.post(url, {"decision": "allow"}))
    assert [answer.status_code for answer in answers] == [400, 403, 403, 403, 403]
    assert not AppConsent.objects.exists()


def test_pushed_requests(ready: Ready) -> None:
    form = {key: value for key, value in ready.question().items() if key != "client_id"}
    assert ready.post("par", **form).status_code == 201
    answers = refused_by_all(ready, lambda: ready.post("par", **form), OF_THE_APP)
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_token_of_a_code(ready: Ready) -> None:
    code = ready.allow()["code"]
    answers = refused_by_all(ready, lambda: ready.redeem(code), OF_THE_APP)
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert ready.redeem(code).status_code == 200


def test_token_of_its_own(ready: Ready) -> None:
    answers = refused_by_all(ready, lambda: ready.post("token", grant_type="client_credentials"), OF_THE_APP)
    assert [answer.json()["error"] for answer in answers] == ["invalid_client"] * 3 + ["temporarily_unavailable"]


def test_refresh(ready: Ready) -> None:
    held = ready.redeem(ready.allow()["code"]).json()["refresh_token"]
    answers = refused_by_all(ready, lambda: ready.post("token", grant_type="refresh_token", refresh_token=held))
    assert [answer.status_code for answer in answers] == [401, 401, 401, 400, 429]
    assert answers[3].json()["error"] == "access_denied"
    assert ready.post("token", grant_type="refresh_token", refresh_token=held).status_code == 200


def test_introspection(ready: Ready) -> None:
    token = ready.redeem(ready.allow()["code"]).json()["access_token"]
    answers = refused_by_all(ready, lambda: ready.post("introspect", token=token), OF_THE_APP)
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert ready.post("introspect", token=token).json()["active"] is True


def test_calls_with_a_token(ready: Ready) -> None:
    token = ready.redeem(ready.allow()["code"]).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    answers = refused_by_all(ready, lambda: Client().get("/oauth/userinfo/", headers=headers), OF_THE_APP)
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert Client().get("/oauth/userinfo/", headers=headers).status_code == 200


def test_devices(ready: Ready) -> None:
    answers = refused_by_all(ready, lambda: ready.post("device", scope="openid"), OF_THE_APP)
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    shown = ready.post("device", scope="openid").json()
    form = {"user_code": shown["user_code"], "decision": "allow"}
    pages = refused_by_all(ready, lambda: ready.browser.post("/device/", form))
    assert [page.status_code for page in pages] == [403] * 5
    assert not AppConsent.objects.exists()
    assert ready.browser.post("/device/", form).status_code == 200
    polled = {"grant_type": GrantType.DEVICE_CODE.value, "device_code": shown["device_code"]}
    waits = refused_by_all(ready, lambda: ready.post("token", **polled), OF_THE_APP)
    assert [answer.status_code for answer in waits] == [401, 401, 401, 429]
    assert ready.post("token", **polled).status_code == 200


@pytest.fixture
def library(ready: Ready) -> CasService:
    new = NewCasService(
        name="图书馆",
        address="https://lib.example.org/app/",
        org_id=ready.stage.cast.orgs["city"].id,
        may_proxy=True,
        client_id=ready.client_id,
    )
    return CasService.objects.get(pk=register_cas_service(actor=SYSTEM, service=new, now=clock.now()))


ADDRESS = "https://lib.example.org/app/"


def ticket(ready: Ready) -> str:
    answer = ready.browser.get("/cas/login", {"service": ADDRESS})
    return parse_qs(urlsplit(answer.headers["Location"]).query)["ticket"][0]


def test_cas_login(ready: Ready, library: CasService) -> None:
    answers = refused_by_all(ready, lambda: ready.browser.get("/cas/login", {"service": ADDRESS}))
    assert [answer.status_code for answer in answers] == [403] * 5
    assert not CasTicket.objects.exists()
    assert ticket(ready)


def test_cas_validation(ready: Ready, library: CasService) -> None:
    for kind in TROUBLES:
        held = ticket(ready)
        with trouble(ready, kind):
            for path in ("validate", "serviceValidate", "p3/serviceValidate", "p3/proxyValidate"):
                answer = Client().get(f"/cas/{path}", {"ticket": held, "service": ADDRESS}).content.decode()
                assert "Success" not in answer
                assert not answer.startswith("yes")
    good = Client().get("/cas/p3/serviceValidate", {"ticket": ticket(ready), "service": ADDRESS}).content.decode()
    assert "authenticationSuccess" in good


def test_cas_proxy_tickets(ready: Ready, library: CasService) -> None:
    ticket(ready)
    given = CasTicket.objects.get()
    given.kind, given.expires_at = "PGT", clock.now().replace(year=clock.now().year + 1)
    given.save()
    from_digest = "shuren.identity.services.cas.issue.ticket_digest"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(from_digest, lambda text: given.digest if text == "PGT-held" else text)

        def ask() -> str:
            return Client().get("/cas/proxy", {"pgt": "PGT-held", "targetService": ADDRESS}).content.decode()

        assert all("UNAUTHORIZED_SERVICE" in answer for answer in refused_by_all(ready, ask))
        assert "proxySuccess" in ask()


@pytest.mark.skipif(xmlsec_path() is None, reason="xmlsec1 is not installed")
def test_saml(ready: Ready) -> None:
    provider = Provider()
    new = NewSamlService(
        name="论文库", org_id=ready.stage.cast.orgs["city"].id, metadata=provider.metadata, client_id=ready.client_id
    )
    register_saml_service(actor=SYSTEM, service=new, now=clock.now())
    _client, _request_id, path = asked_by_saml(provider)

    def ask() -> Any:
        on = ready.browser.get(path)
        return ready.browser.get(on.headers["Location"])

    answers = refused_by_all(ready, ask)
    assert [answer.status_code for answer in answers] == [403] * 5
    assert not SamlSession.objects.exists()
    assert ask().status_code == 200
    assert SamlSession.objects.filter(sign_in_id__in=SignIn.objects.values("pk")).count() == 1


def test_services_are_of_the_house_or_of_an_app(ready: Ready, library: CasService) -> None:
    assert recipient_of(library) == (ready.client_id, "teaching")
    city = ready.stage.cast.orgs["city"].id
    stranger = identity.register_client(actor=SYSTEM, client=identity_client(), now=clock.now())
    for changes in (
        {},
        {"is_first_party": True, "client_id": ready.client_id},
        {"client_id": "unknown"},
        {"client_id": "unknown", "is_first_party": True},
        {"client_id": stranger.client_id},
    ):
        new = NewCasService(name="甲", address="https://other.example.org/", org_id=city, **changes)  # type: ignore[arg-type]
        with pytest.raises(Invalid, match="本单位自己"):
            register_cas_service(actor=SYSTEM, service=new, now=clock.now())


def identity_client() -> Any:
    """A client of the installation itself, which no officer approved as an app."""
    return NewClient(name="自己的", grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}))


def test_an_officer_finds_the_app_on_the_page(ready: Ready) -> None:
    keeper = ready.stage.cast.client("security_admin")
    page = keeper.get("/sign-in-policy/saml/add/").content.decode()
    assert f'<option value="{ready.client_id}">作业小助手</option>' in page
    sent = {"name": "图书馆", "address": ADDRESS, "user": "pairwise", "client_id": ready.client_id}
    assert keeper.post("/sign-in-policy/cas/add/", sent).status_code == 302
    assert "作业小助手" in keeper.get("/sign-in-policy/cas/").content.decode()
    assert not SamlService.objects.exists()


def test_the_decision_itself(ready: Ready) -> None:
    pupil = ready.stage.actor("pupil")
    assert api.admit_app(ready.client_id, actor=pupil, now=clock.now()) is None
    assert api.admit_app(ready.client_id, actor=None, now=clock.now()) is None
    far = api.admit_app(ready.client_id, actor=ready.stage.actor("west_pupil"), now=clock.now())
    gone = api.admit_app("no-such-client", actor=None, now=clock.now())
    assert far is not None
    assert far.fault is AppFault.NOT_CHOSEN
    assert gone is not None
    assert gone.fault is AppFault.STOPPED
    with trouble(ready, "over_quota"):
        refused = api.admit_app(ready.client_id, actor=pupil, now=clock.now())
        assert refused is not None
        assert refused.retry_after > 0
    count_calls.write_counts()
    assert CallCount.objects.filter(app_id=ready.app_id, outcome="refused").exists()
    suspend_app(actor=ready.stage.actor("city_officer"), app_id=ready.app_id, reason="数据外泄", now=clock.now())
    stopped = api.admit_app(ready.client_id, actor=pupil, now=clock.now())
    assert stopped is not None
    assert stopped.fault is AppFault.STOPPED
