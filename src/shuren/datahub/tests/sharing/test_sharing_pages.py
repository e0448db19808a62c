"""The pages and the API of sharing: a county applies in its browser, the province decides, both see every use."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from shuren.datahub.data import SharingAttribute
from shuren.datahub.models import SharingApplication, SharingGrant, SharingTerms
from shuren.datahub.selectors.shared_datasets import title_of
from shuren.datahub.services.sharing.decide import revoke_sharing
from shuren.datahub.tests.sharing.conftest import SPEC, Play
from shuren.kernel import ids
from shuren.kernel.clock import day_of

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
APPLY = f"/data/sharing/datasets/{SPEC.name}/apply/"


def shown(client: Client, path: str, **query: str) -> str:
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code)
    return b"".join(response).decode()


def sent(client: Client, path: str, **told: Any) -> str:
    response = client.post(path, told)
    assert response.status_code == 302, response.content.decode()
    return str(response.headers["Location"])


def at(kind: str, row: SharingApplication | SharingGrant, rest: str = "") -> str:
    name = "sharing_application" if kind == "applications" else "sharing_grant"
    return f"/data/sharing/{kind}/{ids.encode(name, row.pk)}/{rest}"


def applied(play: Play, client: Client) -> SharingApplication:
    county = play.cast.orgs["county"].public_id
    told = {
        "unit": county,
        "purpose": "核对体质健康",
        "columns": ["name", "mark"],
        "orgs": [county],
        "ways": ["file", "query", "api"],
        "ends_on": (day_of(play.cast.now) + timedelta(days=30)).isoformat(),
    }
    place = sent(client, APPLY, **told)
    row = SharingApplication.objects.get()
    assert place == at("applications", row)
    return row


def approved(play: Play, client: Client, row: SharingApplication) -> SharingGrant:
    page = shown(client, at("applications", row, "approve/"))
    assert "姓名（name，L3）" in page
    assert "申请，用途：核对体质健康。" in page
    told = {
        "column_0": "none",
        "column_1": "name",
        "orgs": [play.cast.orgs["county"].public_id],
        "ways": ["file", "query", "api"],
        "ends_on": row.ends_on.isoformat(),
    }
    sent(client, at("applications", row, "approve/"), **told)
    return SharingGrant.objects.get()


def test_from_the_catalogue_to_every_use(play: Play) -> None:
    county, province = play.cast.client("county_officer"), play.cast.client("province_officer")
    assert APPLY in shown(county, "/data/sharing/")
    row = applied(play, county)
    assert at("applications", row) in shown(county, "/data/sharing/applications/")
    assert at("applications", row) in shown(province, "/data/sharing/to-decide/")
    assert at("applications", row, "approve/") not in shown(county, at("applications", row))
    grant = approved(play, province, row)
    assert grant.masks == {"mark": "none", "name": "name"}
    told = shown(county, at("grants", grant))
    assert f"“{title_of(SPEC)}”的共享授权" in told
    assert row.ends_on.isoformat() in told
    assert (row.ends_on + timedelta(days=1)).isoformat() not in told
    assert "姓名（只留姓）" in told

    csv = shown(county, at("grants", grant, "file/"), form="csv")
    assert csv.splitlines() == ['"mark","name"', '71,"甲**"']
    answer = county.post(at("grants", grant, "query/"), {"sql": "SELECT name, name AS again FROM probe_shared"})
    assert answer.content.decode().count("<td>甲**</td>") == 2
    rows = county.get(f"/api/v1/sharing/grants/{ids.encode('sharing_grant', grant.pk)}/rows").json()
    assert (rows["rows"], rows["total"], rows["is_exact"]) == ([{"mark": 71, "name": "甲**"}], 1, True)
    # The county's own name stands in the head of its pages, too.
    for client, own in ((county, shown(county, "/data/sharing/grants/").count("周志强")), (province, 0)):
        assert shown(client, at("grants", grant)).count("周志强") == 3 + own
        assert at("grants", grant) in shown(client, "/data/sharing/grants/")
    assert at("grants", grant, "revoke/") in shown(province, at("grants", grant))
    sent(province, at("grants", grant, "revoke/"), reason="用途已完成")
    for rest in ("file/", "query/"):
        assert county.get(at("grants", grant, rest)).status_code == 403
    assert county.get(f"/api/v1/sharing/grants/{ids.encode('sharing_grant', grant.pk)}/rows").status_code == 403
    assert "用途已完成" in shown(county, at("grants", grant))


def test_what_a_question_may_not_ask_stands_beside_it(play: Play) -> None:
    grant, county = play.granted("name:name mark"), play.cast.client("county_officer")
    for sql in ("SELECT phone FROM probe_shared", "SELECT * FROM directory_member", "DROP TABLE probe_shared", "SELEC"):
        answer = county.post(at("grants", grant, "query/"), {"sql": sql})
        assert answer.status_code == 200
        assert 'aria-invalid="true"' in answer.content.decode()
    api = f"/api/v1/sharing/grants/{ids.encode('sharing_grant', grant.pk)}/query"
    asked = {"sql": "SELECT mark, name FROM probe_shared"}
    assert county.post(api, asked, content_type="application/json").json() == {
        "columns": ["mark", "name"],
        "values": [[71, "甲**"]],
    }
    refused = county.post(api, {"sql": "SELECT number FROM probe_shared"}, content_type="application/json")
    assert refused.status_code == 400
    assert grant.traces.count() == 1


def test_others_do_not_find_it(play: Play) -> None:
    grant = play.granted("mark")
    row = grant.application
    number = ids.encode("sharing_grant", grant.pk)
    places = [at("applications", row), at("grants", grant), at("grants", grant, "file/"), f"/api/v1/sharing/grants/{number}/rows"]
    for key in ("city_officer", "head", "far_head", "class_teacher", "system_admin"):
        client = play.cast.client(key)
        assert [client.get(place).status_code for place in places] == [404] * 4
    province = play.cast.client("province_officer")
    # Who gave it sees it and its uses, and does not read through it.
    assert [province.get(place).status_code for place in places] == [200, 200, 404, 404]


def test_the_owner_withholds_by_law_and_refuses_with_a_reason(play: Play) -> None:
    county, province = play.cast.client("county_officer"), play.cast.client("province_officer")
    row = applied(play, county)
    sent(province, at("applications", row, "refuse/"), reason="用途不清")
    assert "用途不清" in shown(county, at("applications", row))
    terms = f"/data/sharing/datasets/{SPEC.name}/terms/"
    assert county.get(terms).status_code == 404
    faulty = province.post(terms, {"attribute": "none", "ground": ""})
    assert (faulty.status_code, SharingTerms.objects.count()) == (400, 0)
    sent(province, terms, attribute="none", ground="未成年人保护法第七十二条")
    assert SharingTerms.objects.get().attribute == SharingAttribute.NONE
    page = shown(county, "/data/sharing/", attribute="none")
    assert "未成年人保护法第七十二条" in page
    assert APPLY not in page
    assert county.get(APPLY).status_code == 403


def test_an_application_is_taken_back_and_branches_are_searched(play: Play) -> None:
    county = play.cast.client("county_officer")
    row = applied(play, county)
    sent(county, at("applications", row, "withdraw/"))
    assert "已撤回" in shown(county, at("applications", row))
    assert play.cast.orgs["province"].name in shown(county, APPLY)


def test_the_api_lists_what_is_shared_and_what_was_granted(play: Play) -> None:
    grant, county = play.granted("mark"), play.cast.client("county_officer")
    found = county.get("/api/v1/sharing/datasets", {"search": "体质"}).json()
    assert [(one["dataset"], one["attribute"]) for one in found["rows"]] == [(SPEC.name, "conditional")]
    (told,) = county.get("/api/v1/sharing/grants").json()["rows"]
    assert (told["is_live"], told["masks"]) == (True, {"mark": "none"})
    owner = play.cast.actor("province_officer")
    revoke_sharing(actor=owner, grant_id=grant.pk, reason="不再需要", now=play.cast.now)
    (told,) = county.get("/api/v1/sharing/grants").json()["rows"]
    assert not told["is_live"]
    assert play.cast.client("class_teacher").get("/api/v1/sharing/grants").status_code == 404
