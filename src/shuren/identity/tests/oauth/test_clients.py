from dataclasses import replace
from datetime import timedelta

import pytest
from django.test import Client as Browser

from shuren.directory.data import OrgType
from shuren.identity import api
from shuren.identity.data import ClientAuth, GrantType, NewClient, SubjectType
from shuren.identity.models import Client, ClientSecret
from shuren.identity.selectors.bearers import Secret, proved_by
from shuren.identity.services.oauth.families import own_access_token
from shuren.identity.tests.conftest import School
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid
from shuren.kernel.models import AuditEntry

SERVICE = NewClient(
    name="校车排班",
    grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
    scopes=frozenset({"directory.read", "reports.read"}),
)
WEB = NewClient(name="阅读", redirect_uris=("https://read.example.cn/cb",), scopes=frozenset({"openid", "profile"}))


def test_a_secret_is_shown_once_and_kept_as_a_hash(school: School) -> None:
    registered = api.register_client(actor=SYSTEM, client=SERVICE, now=clock.now())
    kept = ClientSecret.objects.get(client_id=registered.id)
    assert len(registered.client_secret) >= 43
    assert registered.client_secret not in (kept.digest, kept.hint)
    trail = AuditEntry.objects.get(action="identity.client_registered")
    assert registered.client_secret not in str(trail.details)


def test_secrets_change_over_without_a_pause(school: School) -> None:
    now = clock.now()
    registered = api.register_client(actor=SYSTEM, client=SERVICE, now=now)
    second = api.add_client_secret(actor=SYSTEM, client_id=registered.client_id, now=now)

    def opens(secret: str, days: int) -> bool:
        moment = now + timedelta(days=days)
        found = proved_by(Secret(registered.client_id, secret, ClientAuth.BASIC), now=moment)
        return found is not None and found.pk == registered.id

    assert [opens(registered.client_secret, 1), opens(second, 1)] == [True, True]
    assert [opens(registered.client_secret, 8), opens(second, 8)] == [False, True]
    assert api.drop_old_secrets(actor=SYSTEM, client_id=registered.client_id, now=now) == 1
    assert [opens(registered.client_secret, 0), opens(second, 0)] == [False, True]
    for _turn in range(2):
        api.add_client_secret(actor=SYSTEM, client_id=registered.client_id, now=now)
    with pytest.raises(Conflict):
        api.add_client_secret(actor=SYSTEM, client_id=registered.client_id, now=now)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(WEB, name=" "),
        replace(WEB, redirect_uris=()),
        replace(WEB, redirect_uris=("http://read.example.cn/cb",)),
        replace(WEB, redirect_uris=("https://read.example.cn/cb#x",)),
        replace(WEB, redirect_uris=("https://user@read.example.cn/cb",)),
        replace(WEB, redirect_uris=("https://READ.example.cn/cb",)),
        replace(WEB, redirect_uris=("https://read.example.cn/a/../cb",)),
        replace(WEB, redirect_uris=("https://read.example.cn\\@evil.cn/cb",)),
        replace(WEB, redirect_uris=("https://read.example.cn./cb",)),
        replace(WEB, redirect_uris=("javascript:alert(1)",)),
        replace(WEB, redirect_uris=("cn.example.read:/cb",)),
        replace(WEB, redirect_uris=("https://a.cn/cb", "https://b.cn/cb")),
        replace(WEB, scopes=frozenset()),
        replace(WEB, scopes=frozenset({"two words"})),
        replace(WEB, grant_types=frozenset()),
        replace(WEB, id_token_alg="HS256"),
        replace(WEB, id_token_alg="none"),
        replace(WEB, jwks={"keys": []}),
        replace(WEB, auth=ClientAuth.PRIVATE_KEY_JWT),
        replace(WEB, auth=ClientAuth.PRIVATE_KEY_JWT, jwks={"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
        replace(WEB, auth=ClientAuth.PRIVATE_KEY_JWT, jwks_uri="http://read.example.cn/jwks"),
        replace(WEB, backchannel_logout_uri="http://read.example.cn/out"),
        replace(SERVICE, auth=ClientAuth.NONE),
        replace(SERVICE, redirect_uris=("https://a.cn/cb",)),
    ],
)
def test_what_cannot_be_registered(school: School, wrong: NewClient) -> None:
    with pytest.raises(Invalid):
        api.register_client(actor=SYSTEM, client=wrong, now=clock.now())
    assert not Client.objects.exists()


def test_native_apps_come_back_by_a_scheme_of_their_own(school: School) -> None:
    native = replace(WEB, auth=ClientAuth.NONE, redirect_uris=("cn.example.read:/cb",), subject_type=SubjectType.PUBLIC)
    registered = api.register_client(actor=SYSTEM, client=native, now=clock.now())
    assert registered.client_secret == ""
    assert api.client_by_client_id(registered.client_id) is not None


def rest(path: str, token: str, **others: str) -> int:
    return Browser().get(f"/api/v1{path}", headers={"authorization": f"Bearer {token}", **others}).status_code


def test_an_app_reads_the_api_inside_its_branch(school: School) -> None:
    now = clock.now()
    inside = api.register_client(actor=SYSTEM, client=replace(SERVICE, org_id=school.orgs["school"]), now=now)
    token = own_access_token(client_pk=inside.id, scopes=("directory.read",), now=now)
    found = Browser().get("/api/v1/orgs?search=东湖", headers={"authorization": f"Bearer {token}"}).json()
    assert {row["name"] for row in found["rows"]} == {"东湖school", "东湖class"}
    assert {row["type"] for row in found["rows"]} == {OrgType.SCHOOL, OrgType.CLASS}
    nowhere = api.register_client(actor=SYSTEM, client=SERVICE, now=now)
    blind = own_access_token(client_pk=nowhere.id, scopes=("directory.read",), now=now)
    assert Browser().get("/api/v1/orgs?search=东湖", headers={"authorization": f"Bearer {blind}"}).json()["rows"] == []


def test_scopes_and_bad_tokens_at_the_api(school: School) -> None:
    now = clock.now()
    client = api.register_client(actor=SYSTEM, client=replace(SERVICE, org_id=school.orgs["school"]), now=now)
    other = own_access_token(client_pk=client.id, scopes=("reports.read",), now=now)
    good = own_access_token(client_pk=client.id, scopes=("directory.read",), now=now)
    assert rest("/orgs", good) == 200
    assert rest("/orgs", other) == 403
    assert rest("/me/", good) == 401
    late = own_access_token(client_pk=client.id, scopes=("directory.read",), now=now - timedelta(hours=2))
    assert rest("/orgs", late) == 401
    assert rest("/orgs", good[:-1] + ("A" if good[-1] != "A" else "B")) == 401


def test_a_bad_token_is_not_made_good_by_a_session(school: School, sign_in: object) -> None:
    browser: Browser = sign_in("officer")  # type: ignore[operator]
    assert browser.get("/api/v1/orgs").status_code == 200
    answer = browser.get("/api/v1/orgs", headers={"authorization": "Bearer sat_nonsense"})
    assert (answer.status_code, "invalid_token" in answer.headers["WWW-Authenticate"]) == (401, True)


def test_a_disabled_client_is_out_at_the_next_call_and_old_tokens_stay_dead(school: School) -> None:
    now = clock.now()
    client = api.register_client(
        actor=SYSTEM, client=replace(SERVICE, org_id=school.orgs["school"]), now=now - timedelta(seconds=5)
    )
    token = own_access_token(client_pk=client.id, scopes=("directory.read",), now=now)
    assert rest("/orgs", token) == 200
    api.disable_client(actor=SYSTEM, client_id=client.client_id, now=now)
    assert rest("/orgs", token) == 401
    api.enable_client(actor=SYSTEM, client_id=client.client_id, now=now)
    assert rest("/orgs", token) == 401
    fresh = own_access_token(client_pk=client.id, scopes=("directory.read",), now=now + timedelta(seconds=2))
    assert rest("/orgs", fresh) == 200
