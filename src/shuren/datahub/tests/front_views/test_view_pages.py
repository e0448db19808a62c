"""The pages of database views, from writing one down to confirming what changed, and who sees them."""

from datetime import timedelta
from typing import Any

import pytest
from tests.cast import Cast

from shuren.datahub.models import Dataset, ViewRun, ViewSource
from shuren.datahub.rules.front_views.columns import columns_as_json, columns_found
from shuren.datahub.services.front_views.read import read_view
from shuren.kernel import ids
from shuren.trust.api import unseal

pytestmark = [pytest.mark.django_db, pytest.mark.tables]
HOME = "/data/exchange/views/"
SAID = {
    "title_zh": "低保对象",
    "title_en": "Low-income families",
    "key": "low_income",
    "host": "127.0.0.1",
    "port": "1",
    "database": "front",
    "username": "reader",
    "password": "not-to-be-seen",
    "tls": "plain",
    "schema": "open",
    "view": "v_low",
}


def written(cast: Cast, client: Any, settings: Any) -> ViewSource:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.0/8"]
    answer = client.post(f"{HOME}new/", {**SAID, "org": cast.orgs["county"].public_id})
    assert answer.status_code == 302, answer.content.decode()
    return ViewSource.objects.get()


def page(source: ViewSource) -> str:
    return f"{HOME}{ids.encode('view_source', source.pk)}/"


def test_an_officer_writes_a_view_down_chooses_columns_and_grades_them(cast: Cast, settings: Any) -> None:
    client = cast.client("province_officer")
    assert "还没有登记视图" in client.get(HOME).content.decode()
    source = written(cast, client, settings)
    assert unseal(bytes(source.password_sealed), purpose="datahub.view_source") == b"not-to-be-seen"
    assert read_view(source.runs.get().pk, now=cast.now) == "failed"
    shown = client.get(page(source)).content.decode()
    assert "连不上对方的数据库" in shown or "没有装 PostgreSQL 驱动" in shown
    told = [
        ("id", "int4", "int4"),
        ("name", "text", "text"),
        ("photo", "bytea", "bytea"),
        ("changed", "timestamptz", "timestamptz"),
    ]
    ViewSource.objects.update(columns=columns_as_json(columns_found(told)))
    reading = client.get(f"{page(source)}reading/").content.decode()
    assert "photo" not in reading
    chosen = {"taken": ["name"], "keys": ["id"], "cursor": "changed", "org": "", "every": "60"}
    assert client.post(f"{page(source)}reading/", {**chosen, "cursor": "name"}).status_code == 200
    assert client.post(f"{page(source)}reading/", chosen).status_code == 302
    words = {"lake": "name", "element": "person.name", "title_zh": "", "title_en": "", "grade": "L1", "mask": "none"}
    assert client.post(f"{page(source)}columns/1/", {**words, "lake": "org_path"}).status_code == 400
    assert client.post(f"{page(source)}columns/1/", words).status_code == 302
    offered = Dataset.objects.get(name="front.low_income")
    assert (offered.grade, offered.scope_column, offered.owner) == ("L3", "org_path", f"org:{cast.orgs['county'].id}")
    assert set(offered.columns) == {"id", "name", "changed", "org_path"}
    assert client.get(f"{page(source)}columns/99/").status_code == 404
    everything = client.get(HOME).content.decode() + client.get(page(source)).content.decode()
    assert "front.low_income" in everything
    assert "not-to-be-seen" not in everything


def test_another_place_wants_the_password_anew_and_a_public_one_its_certificate(cast: Cast, settings: Any) -> None:
    client = cast.client("province_officer")
    source = written(cast, client, settings)
    form = {**SAID, "org": cast.orgs["county"].public_id, "password": ""}
    assert "正在读取这个视图" in client.post(f"{page(source)}edit/", form).content.decode()
    ViewRun.objects.update(state="failed", ended_at=cast.now)
    assert client.post(f"{page(source)}edit/", form).status_code == 302
    assert "密码要重新填写" in client.post(f"{page(source)}edit/", {**form, "port": "2"}).content.decode()
    settings.SHUREN_PRIVATE_TARGETS = []
    refused = client.post(f"{page(source)}edit/", form).content.decode()
    assert "SHUREN_PRIVATE_TARGETS" in refused


def test_what_changed_is_shown_confirmed_once_and_told_to_programs(cast: Cast, settings: Any) -> None:
    client = cast.client("province_officer")
    source = written(cast, client, settings)
    found = columns_found([("id", "int4", "int4"), ("name", "text", "text")])
    kept = [{**one, "is_taken": True} for one in columns_as_json(found)]
    ViewSource.objects.update(columns=kept, key_columns=["id"], is_held=True, known_rows=90)
    change = {"change": "shrank", "column": "", "was": "90", "now": "40"}
    ended = {"state": "held", "begun_at": cast.now, "ended_at": cast.now + timedelta(seconds=3)}
    ViewRun.objects.update(state="dropped", ended_at=cast.now)
    told = {"kind": "read", "changes": [change], "columns": kept, "view_rows": 40, "unknown_orgs": ["77"], "misfits": {"name": 2}}
    run = ViewRun.objects.create(source=source, **ended, **told)
    address = f"{HOME}runs/{ids.encode('view_run', run.pk)}/"
    shown = client.get(address).content.decode()
    assert all(word in shown for word in ("行数少了一半以上", "90", "40", "不认识的机构代码", "name 2 个"))
    assert client.post(f"{page(source)}now/").status_code == 409
    listed = client.get(f"/api/v1/exchange/views/{ids.encode('view_source', source.pk)}/runs").json()
    assert listed["rows"][0]["changes"] == [change]
    assert client.get("/api/v1/exchange/views").json()["rows"][0]["row_count"] == 90
    assert client.post(f"{address}confirm/").status_code == 302
    assert client.post(f"{address}confirm/").status_code == 409
    source.refresh_from_db()
    assert (source.known_rows, source.is_held, source.runs.filter(ended_at__isnull=True).count()) == (40, False, 1)
    fresh = source.runs.get(ended_at__isnull=True)
    assert client.post(f"{HOME}runs/{ids.encode('view_run', fresh.pk)}/drop/").status_code == 302
    assert read_view(fresh.pk, now=cast.now) == "dropped"


def test_nobody_below_the_root_sees_a_view(cast: Cast, settings: Any) -> None:
    source = written(cast, cast.client("province_officer"), settings)
    client = cast.client("county_officer")
    assert client.get(HOME).status_code == 404
    assert client.get(page(source)).status_code == 404
    assert client.post(f"{page(source)}stop/").status_code == 404
    assert client.get("/api/v1/exchange/views").status_code == 404
    assert not ViewSource.objects.get().is_stopped
