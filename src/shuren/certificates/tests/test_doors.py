"""What strangers and apps reach: the Open Badges API by a bearer token, share links, the page's limit, lists and images."""

import io
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.apps import apps
from django.core.cache import cache
from django.test import Client
from PIL import Image
from tests.cast import Cast

from shuren.certificates.data import Verdict
from shuren.certificates.models import Certificate, TemplateVersion
from shuren.certificates.selectors.checking import verdict_of_document
from shuren.certificates.services.share import end_share, open_share, share_certificates
from shuren.certificates.services.write_template import add_template
from shuren.certificates.tests.conftest import new_template
from shuren.certificates.views import standard_files
from shuren.certificates.views.verify_pages import TRIES_PER_MINUTE
from shuren.directory import api as directory
from shuren.directory.data import ConsentDecision, NewConsentText
from shuren.identity import api as identity
from shuren.identity.data import ClientAuth, NewClient
from shuren.kernel import audit, clock
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound

API = "/ims/ob/v3p0"
CALLBACK = "https://backpack.example.cn/back"
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("=")


def client_for(scopes: tuple[str, ...], *, is_first_party: bool) -> str:
    new = NewClient(
        name="Backpack",
        redirect_uris=(CALLBACK,),
        scopes=frozenset({"openid", *scopes}),
        auth=ClientAuth.NONE,
        is_first_party=is_first_party,
    )
    return identity.register_client(actor=SYSTEM, client=new, now=clock.now()).client_id


def token_for(cast: Cast, key: str, scopes: tuple[str, ...], client_id: str = "") -> str:
    """The access token that a registered app gets for a person by code and PKCE, at the addresses of the discovery.

    A service of the house unless `client_id` names an app; that the person says yes to.
    """
    is_asked = bool(client_id)
    client_id = client_id or client_for(scopes, is_first_party=True)
    said = Client().get(f"{API}/discovery").json()["components"]["securitySchemes"]["OAuth2ACG"]["flows"]["authorizationCode"]
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": " ".join(("openid", *scopes)),
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    browser = cast.client(key)
    answer = browser.get(urlsplit(said["authorizationUrl"]).path, asked)
    if is_asked:
        answer = browser.post(f"/oauth/decide/?{urlencode(asked)}", {"decision": "allow"})
    code = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
        "client_id": client_id,
    }
    kind = "application/x-www-form-urlencoded"
    answer = Client().post(urlsplit(said["tokenUrl"]).path, urlencode(form), content_type=kind)
    return str(answer.json()["access_token"])


def asked(path: str, token: str) -> Any:
    return Client().get(f"{API}{path}", headers={"authorization": f"Bearer {token}"})


def test_an_app_reads_the_certificates_of_who_let_it_in(cast: Cast, certificate_id: int) -> None:
    row = Certificate.objects.get(pk=certificate_id)
    token = token_for(cast, "pupil", (standard_files.READ_SCOPE,))
    answer = asked("/credentials?limit=5", token)
    assert (answer.status_code, answer.headers["X-Total-Count"]) == (200, "1")
    (document,) = answer.json()["credential"]
    assert document["id"].endswith(row.number)
    assert verdict_of_document(document, now=clock.now()).verdict is Verdict.VALID
    assert asked("/credentials?offset=1", token).json()["credential"] == []
    assert asked("/credentials?since=2099-01-01T00:00:00Z", token).json()["credential"] == []
    assert asked("/credentials?since=yesterday", token).status_code == 400
    assert asked("/profile", token).status_code == 403


def test_an_app_sees_nobody_else_and_only_what_was_allowed(cast: Cast, certificate_id: int) -> None:
    token = token_for(cast, "classmate", (standard_files.READ_SCOPE, standard_files.PROFILE_SCOPE))
    assert asked("/credentials", token).json()["credential"] == []
    assert asked("/profile", token).json()["name"] == cast.people["classmate"].name
    assert asked("/credentials", token[:-2] + "xx").status_code == 401
    assert asked("/credentials", token_for(cast, "pupil", ())).status_code == 403


BOTH = (standard_files.READ_SCOPE, standard_files.PROFILE_SCOPE)


def test_a_child_gives_nothing_away_without_a_guardian(cast: Cast, certificate_id: int) -> None:
    """An app of others: the child's own click opens nothing; the guardian's yes does, is on record, and is taken back."""
    client_id = client_for(BOTH, is_first_party=False)
    token, pupil = token_for(cast, "pupil", BOTH, client_id), cast.people["pupil"].id
    answer = asked("/credentials", token)
    assert answer.status_code == 403
    assert "三好学生" not in answer.content.decode()
    assert asked("/profile", token).json()["name"] == "张*"
    assert not audit.entries(action="certificates.told_to_app").exists()
    assert not disclosures(pupil)
    notice = NewConsentText(
        org_id=cast.orgs["school"].id,
        purpose="sign_in",
        recipient=client_id,
        recipient_name="Backpack",
        elements=("person.name",),
        title_zh="使用证书夹",
        body_zh="把证书交给证书夹。",
    )
    text_id = directory.publish_consent_text(actor=cast.actor("head"), text=notice, now=clock.now())

    def decide(decision: ConsentDecision) -> None:
        directory.decide_consent(actor=cast.actor("parent"), person_id=pupil, text_id=text_id, decision=decision, now=clock.now())

    decide(ConsentDecision.GIVEN)
    assert len(asked("/credentials", token).json()["credential"]) == 1
    assert asked("/profile", token).json()["name"] == "张三"
    assert disclosures(pupil) == [(client_id, "sign_in", "name")]
    told = audit.entries(action="certificates.told_to_app", target=f"person:{pupil}")
    assert [entry.details.get("certificates") for entry in told if "certificates" in entry.details] == [[certificate_id]]
    assert "张三" not in "".join(str(entry.details) for entry in told)
    decide(ConsentDecision.WITHDRAWN)
    assert asked("/credentials", token).status_code == 403
    assert asked("/profile", token).status_code == 403


def disclosures(person_id: int) -> list[tuple[str, str, str]]:
    rows = apps.get_model("directory.Disclosure").objects.filter(person_id=person_id)
    return list(rows.values_list("recipient", "purpose", "elements"))


def test_a_grown_up_in_office_answers_by_the_click(cast: Cast, certificate_id: int) -> None:
    token = token_for(cast, "head", BOTH, client_for(BOTH, is_first_party=False))
    assert asked("/profile", token).json()["name"] == "陈立新"
    assert asked("/credentials", token).json()["credential"] == []


def test_a_link_shows_until_it_ends(cast: Cast, certificate_id: int) -> None:
    pupil = cast.actor("pupil")
    holder = cast.people["pupil"].id
    secret = share_certificates(actor=pupil, holder_id=holder, days=7, now=cast.now)
    page = Client().get(f"/shared/{secret}/")
    assert "三好学生" in page.content.decode()
    assert (page.headers["Referrer-Policy"], page.headers["X-Robots-Tag"]) == ("no-referrer", "noindex")
    with pytest.raises(NotFound):
        open_share(secret, now=cast.now + timedelta(days=7, seconds=1))
    row = open_share(secret, now=cast.now + timedelta(days=6))
    with pytest.raises(NotFound):
        end_share(actor=cast.actor("classmate"), share_id=row.pk, now=cast.now)
    end_share(actor=cast.actor("parent"), share_id=row.pk, now=cast.now)
    assert Client().get(f"/shared/{secret}/").status_code == 404
    assert secret not in "".join(str(entry.details) for entry in audit.entries())


def test_the_page_is_no_toy_for_machines(db: None) -> None:
    cache.clear()
    client = Client(REMOTE_ADDR="10.9.8.7")
    # The minute may turn meanwhile.
    answers = [client.get("/verify/AAAAAAAAAAAAAAAAA/").status_code for _turn in range(2 * TRIES_PER_MINUTE + 3)]
    assert answers[:TRIES_PER_MINUTE] == [200] * TRIES_PER_MINUTE
    assert 429 in answers[TRIES_PER_MINUTE:]
    assert Client(REMOTE_ADDR="10.9.8.8").get("/verify/AAAAAAAAAAAAAAAAA/").status_code == 200


def test_what_was_given_is_taken_along_and_written_down(cast: Cast, certificate_id: int) -> None:
    client = cast.client("school_admin")
    answer = client.get("/certificates/given/?export=csv")
    text = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode("utf-8-sig")
    assert "三好学生" in text
    assert "张三" in text
    assert audit.entries(action="certificates.exported").count() == 1


def png(size: tuple[int, int] = (64, 64), form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, "navy").save(stream, form)
    return stream.getvalue()


@pytest.mark.parametrize("content", [png(), png(form="JPEG")])
def test_images_are_drawn_anew(cast: Cast, content: bytes) -> None:
    made = add_template(
        actor=cast.actor("head"), org_id=cast.orgs["school"].id, template=new_template(image=content), now=cast.now
    )
    kept = bytes(TemplateVersion.objects.get(template_id=made).image or b"")
    assert kept.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "content",
    [b"<svg onload='x()'/>", b"\x89PNG\r\n\x1a\n" + bytes(40), png(form="GIF"), b"%PDF-1.7", b"x" * (2 * 1024 * 1024 + 1)],
)
def test_what_is_no_picture_is_refused(cast: Cast, content: bytes) -> None:
    with pytest.raises(Invalid):
        add_template(actor=cast.actor("head"), org_id=cast.orgs["school"].id, template=new_template(image=content), now=cast.now)
