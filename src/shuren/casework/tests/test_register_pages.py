"""The pages of registers, as people in their roles use them."""

import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from tests.cast import Cast

from shuren.casework.models import Case, Entry
from shuren.casework.services.registers.write import add_entry, move_entry
from shuren.casework.tests.conftest import Define
from shuren.casework.tests.register_bodies import DEVICES, ROOMS, room
from shuren.kernel import ids
from shuren.kernel.models import AuditEntry
from shuren.work import api as work


@pytest.fixture(autouse=True)
def registers(cast: Cast, define: Define) -> None:
    define("register", ROOMS)
    define("register", DEVICES)


@pytest.fixture
def entry(cast: Cast) -> Entry:
    data = room(spot="113.26 23.13", keeper_phone="13800000000", keeper_id="440103201501011234")
    return add_entry(
        actor=cast.actor("school_admin"), register="demo.rooms", org_id=cast.orgs["school"].id, data=data, now=cast.now
    )


@pytest.fixture
def browser(cast: Cast) -> Client:
    return cast.client("school_admin")


def url(entry: Entry, rest: str = "") -> str:
    return f"/entries/{ids.encode('entry', entry.pk)}/{rest}"


def page(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()[:3000]
    return b"".join(answer).decode()


def test_registers_are_listed_with_what_the_reader_may_do(entry: Entry, browser: Client) -> None:
    text = page(browser, "/registers/")
    assert "教室台账" in text
    assert "查看、登记、修改" in text
    assert page(browser, "/registers/?export=csv").count("\n") == 3


def test_a_list_shows_filters_sorts_and_the_views_of_the_pack(entry: Entry, browser: Client) -> None:
    text = page(browser, "/registers/demo.rooms/")
    assert "一年级1班教室" in text
    assert "普通教室" in text
    assert 'href="?f.kind=lab&amp;sort=-f.seats"' in text
    assert "440103201501011234" not in text
    assert "没有符合条件的记录" in page(browser, "/registers/demo.rooms/?f.kind=lab")
    assert "一年级1班教室" in page(browser, "/registers/demo.rooms/?f.seats_from=45&sort=f.seats&state=planned")


def test_an_export_holds_what_the_list_leaves_and_is_written_down(entry: Entry, browser: Client) -> None:
    text = page(browser, "/registers/demo.rooms/?export=csv&columns=label,f.seats,f.keeper_phone,f.keeper_id")
    assert text.splitlines()[1] == "一年级1班教室,45,13800000000,***"
    assert AuditEntry.objects.get(action="casework.register_exported").details["form"] == "csv"


def test_an_entry_shows_its_values_and_who_reads_l4_is_written_down(cast: Cast, entry: Entry, browser: Client) -> None:
    text = page(browser, url(entry))
    assert "440103201501011234" in text
    assert AuditEntry.objects.filter(action="casework.sensitive_entry_read", target=f"entry:{entry.pk}").count() == 1
    assert page(cast.client("far_head"), url(entry), 404)


def test_who_may_not_see_what_is_personal_sees_stars(cast: Cast, entry: Entry, define: Define) -> None:
    define("register", ROOMS | {"see": ["staff"]})
    text = page(cast.client("staff"), url(entry))
    assert "13800000000" not in text
    assert "440103201501011234" not in text
    assert "一年级1班教室" in text
    assert not AuditEntry.objects.filter(action="casework.sensitive_entry_read").exists()


def test_a_thing_is_written_and_changed_on_the_page(cast: Cast, browser: Client) -> None:
    assert "登记" in page(browser, "/registers/demo.rooms/new/")
    told = {"_org": cast.orgs["school"].public_id, "name": "美术教室", "number": "C1", "seats": "x", "act": "submit"}
    refused = browser.post("/registers/demo.rooms/new/", told)
    assert refused.status_code == 400
    assert "不是数" in refused.content.decode()
    answer = browser.post("/registers/demo.rooms/new/", told | {"seats": "40"})
    entry = Entry.objects.get(label="美术教室")
    assert answer.headers["Location"] == url(entry)
    assert "美术教室" in page(browser, url(entry, "edit/"))
    changed = {"_revision": "1", "name": "美术教室", "number": "C1", "seats": "41", "_reason": "加座", "act": "submit"}
    assert browser.post(url(entry, "edit/"), changed).status_code == 302
    text = page(browser, url(entry))
    assert "<del>40</del> → <ins>41</ins>" in text
    assert "加座" in text
    stale = browser.post(url(entry, "edit/"), changed | {"seats": "50"})
    assert stale.status_code == 409
    assert "刚刚被别人改过" in stale.content.decode()


def test_the_same_thing_is_refused_with_a_link_and_a_near_one_asked_about(cast: Cast, entry: Entry, browser: Client) -> None:
    told = {"_org": cast.orgs["school"].public_id, "name": "一间教室", "number": "a101", "act": "submit"}
    refused = browser.post("/registers/demo.rooms/new/", told)
    assert refused.status_code == 409
    assert url(entry) in refused.content.decode()
    near = browser.post("/registers/demo.rooms/new/", told | {"name": "一年级 1班教室", "number": "A9"})
    assert near.status_code == 409
    assert "是不是同一个" in near.content.decode()
    answer = browser.post("/registers/demo.rooms/new/", told | {"name": "一年级 1班教室", "number": "A9", "_near": "1"})
    assert answer.status_code == 302
    assert Entry.objects.count() == 2


def test_files_come_to_an_entry(cast: Cast, browser: Client, define: Define, settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    photo = {"key": "photo", "title": "照片", "type": "file", "required": True}
    sections = [{**DEVICES["sections"][0], "fields": [*DEVICES["sections"][0]["fields"], photo]}]
    define("register", DEVICES | {"sections": sections})
    told = {"_org": cast.orgs["school"].public_id, "name": "投影仪", "serial": "S1", "act": "submit"}
    assert browser.post("/registers/demo.devices/new/", told).status_code == 302
    entry = Entry.objects.get(label="投影仪")
    changed = {"_revision": "1", "name": "投影仪", "serial": "S1", "act": "submit"}
    assert "还没有上传" in browser.post(url(entry, "edit/"), changed).content.decode()
    picture = SimpleUploadedFile("正面.png", b"\x89PNG\r\n\x1a\n" + b"0" * 64)
    assert browser.post(url(entry, "edit/"), changed | {"photo": picture}).status_code == 302
    assert "正面.png" in page(browser, url(entry))


def test_a_state_is_changed_and_a_thing_removed_with_a_reason(entry: Entry, browser: Client) -> None:
    assert "改为“在用”" in page(browser, url(entry))
    assert "改为“在用”" in page(browser, url(entry, "move/?to=in_use"))
    assert browser.post(url(entry, "move/"), {"to": "in_use", "_revision": "1"}).status_code == 302
    refused = browser.post(url(entry, "remove/"), {"_revision": "2"})
    assert refused.status_code == 400
    assert browser.post(url(entry, "remove/"), {"_revision": "2", "_reason": "拆除"}).status_code == 302
    assert entry.label not in page(browser, "/registers/demo.rooms/")
    assert page(browser, url(entry, "edit/"), 404)


def test_a_removed_thing_is_found_and_restored_by_whoever_may_write(cast: Cast, entry: Entry, browser: Client) -> None:
    browser.post(url(entry, "remove/"), {"_revision": "1", "_reason": "拆除"})
    listed = page(browser, "/registers/demo.rooms/?removed=removed")
    assert entry.label in listed
    assert "批量修改" not in listed
    removed = page(browser, url(entry))
    assert "已删除" in removed
    assert url(entry, "restore/") in removed
    assert url(entry, "edit/") not in removed
    assert page(cast.client("staff"), url(entry), 404)
    assert browser.post(url(entry, "restore/"), {"_revision": "2"}).status_code == 400
    assert browser.post(url(entry, "restore/"), {"_revision": "2", "_reason": "误删"}).status_code == 302
    back = page(browser, url(entry))
    assert "误删" in back
    assert url(entry, "edit/") in back
    assert page(browser, url(entry, "restore/"), 404)


def test_related_things_are_shown_from_both_sides(cast: Cast, entry: Entry, browser: Client) -> None:
    data = {"name": "投影仪", "room": {"id": ids.encode("entry", entry.pk), "name": ""}}
    device = add_entry(actor=cast.actor("head"), register="demo.devices", org_id=cast.orgs["school"].id, data=data, now=cast.now)
    assert "它的“所在教室”是这一条" in page(browser, url(entry))
    assert url(entry) in page(browser, url(device))


def test_a_map_and_its_geojson_show_where_things_lie(entry: Entry, browser: Client) -> None:
    text = page(browser, "/registers/demo.rooms/map/")
    assert "<circle" in text
    assert url(entry) in text
    (feature,) = json.loads(page(browser, "/registers/demo.rooms/map.geojson"))["features"]
    assert feature["geometry"] == {"type": "Point", "coordinates": [113.26, 23.13]}
    assert "phone" not in str(feature)


def test_parquet_keeps_types_and_hides_what_is_sensitive(cast: Cast, entry: Entry, browser: Client) -> None:
    answer = browser.get("/registers/demo.rooms/parquet/")
    table = pq.read_table(io.BytesIO(b"".join(answer)))
    (row,) = table.to_pylist()
    assert (row["seats"], row["org"], row["keeper_id"]) == (45, "东湖区实验小学", "***")
    assert str(table.schema.field("built").type) == "date32[day]"


def test_labels_are_printed_and_scanning_one_opens_the_entry(entry: Entry, browser: Client) -> None:
    assert "共 1 条" in page(browser, "/registers/demo.rooms/labels/")
    answer = browser.get("/registers/demo.rooms/labels/?format=pdf")
    assert answer.content.startswith(b"%PDF")
    assert page(browser, "/registers/demo.devices/labels/", 404)


def test_everybody_reads_what_is_public_and_nothing_else(cast: Cast, entry: Entry) -> None:
    text = page(Client(), "/open/demo.rooms/")
    assert "一年级1班教室" in text
    assert "东湖区实验小学" in text
    assert "座位数" not in text
    assert "保管人电话" not in text
    csv = page(Client(), "/open/demo.rooms/?export=csv")
    assert "13800000000" not in csv
    assert "A101" in csv
    assert page(Client(), "/open/demo.devices/", 404)


def test_what_is_not_public_is_neither_filtered_nor_sorted_by(cast: Cast, entry: Entry) -> None:
    text = page(Client(), "/open/demo.rooms/?f.seats_from=900&sort=f.seats")
    assert "一年级1班教室" in text


def test_a_name_that_is_not_public_is_neither_shown_nor_searched(cast: Cast, define: Define) -> None:
    fields = [
        {"key": "name", "title": "姓名", "type": "text", "grade": "L3", "is_indexed": True},
        {"key": "field", "title": "专业", "type": "text", "grade": "L1"},
    ]
    sections = [{"key": "basics", "title": "基本情况", "fields": fields}]
    body = {"key": "demo.experts", "title": "专家", "label": "name", "is_public": True, "sections": sections, "see": ["staff"]}
    define("register", body)
    data = {"name": "冯学文", "field": "数学"}
    add_entry(actor=cast.actor("head"), register="demo.experts", org_id=cast.orgs["school"].id, data=data, now=cast.now)
    assert "数学" in page(Client(), "/open/demo.experts/")
    assert "冯学文" not in page(Client(), "/open/demo.experts/?export=csv")
    for asked in ("q=冯", "f.name=冯", "q=冯学文"):
        assert ("数学" in page(Client(), f"/open/demo.experts/?{asked}")) == asked.startswith("f.")
    staff = cast.client("staff")
    assert "f.name" not in page(staff, "/registers/demo.experts/").replace('value="f.name"', "")
    assert "f.name" in page(cast.client("head"), "/registers/demo.experts/").replace('value="f.name"', "")


def test_many_are_changed_after_a_preview(cast: Cast, entry: Entry, browser: Client) -> None:
    told = {"ids": ids.encode("entry", entry.pk)}
    assert "改哪一栏" in browser.post("/registers/demo.rooms/edit/", told).content.decode()
    chosen = told | {"what": "field:seats", "step": "choose"}
    assert "座位数" in browser.post("/registers/demo.rooms/edit/", chosen).content.decode()
    preview = browser.post("/registers/demo.rooms/edit/", chosen | {"step": "preview", "seats": "60"}).content.decode()
    assert "会修改 1 条" in preview
    assert browser.post("/registers/demo.rooms/edit/", chosen | {"step": "do", "seats": "60"}).status_code == 302
    entry.refresh_from_db()
    assert entry.data["seats"] == 60
    wrong = browser.post("/registers/demo.rooms/edit/", chosen | {"step": "preview", "seats": "0"})
    assert wrong.status_code == 400


def test_very_many_are_changed_by_a_job(cast: Cast, entry: Entry, browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shuren.casework.views.entry_bulk.AT_ONCE", 0)
    told = {"what": "state", "state": "in_use", "step": "do"}
    answer = browser.post("/registers/demo.rooms/edit/?f.kind=class", told)
    assert answer.headers["Location"].startswith("/jobs/")
    work.run_pending()
    entry.refresh_from_db()
    assert entry.state == "in_use"


def test_a_file_is_sent_from_the_register(cast: Cast, browser: Client, settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    assert "下载模板" in page(browser, "/registers/demo.rooms/import/")
    assert browser.get("/registers/demo.rooms/import/template/").status_code == 200
    assert browser.post("/registers/demo.rooms/import/").status_code == 400
    file = SimpleUploadedFile("教室.csv", "名称,编号\n甲,A1\n".encode())
    answer = browser.post("/registers/demo.rooms/import/", {"file": file})
    work.run_pending()
    text = page(browser, answer.headers["Location"])
    assert "写入 1 处变化" in text
    assert browser.post(f"{answer.headers['Location']}apply/").status_code == 302
    work.run_pending()
    assert Entry.objects.get().label == "甲"
    assert "撤销" in page(browser, answer.headers["Location"])
    assert browser.post(f"{answer.headers['Location']}undo/").status_code == 302
    assert not Entry.objects.filter(removed_at__isnull=True).exists()


def test_where_a_flow_decides_the_page_offers_to_ask(cast: Cast, entry: Entry, browser: Client, define: Define) -> None:
    form = {
        "key": "demo.change_form",
        "title": "教室变更",
        "about": "nothing",
        "sections": [
            {
                "key": "what",
                "title": "变更",
                "fields": [
                    {"key": "which", "title": "哪一间", "type": "entry", "register": "demo.rooms"},
                    {"key": "seats", "title": "座位数", "type": "integer"},
                ],
            }
        ],
    }
    flow = {
        "key": "demo.change",
        "title": "教室变更",
        "form": "demo.change_form",
        "filed_by": {"roles": ["school_admin", "head"]},
        "stages": [
            {
                "key": "review",
                "title": "审核",
                "who": {"role": "county_officer", "at": "county"},
                "outcomes": [{"key": "agree", "title": "同意", "to": "end:done"}],
            }
        ],
        "ends": [{"key": "done", "title": "办结", "result": "granted"}],
    }
    define("form", form)
    define("flow", flow)
    define("register", ROOMS | {"change_by": "demo.change"})
    text = page(browser, url(entry))
    assert "申请变更" in text
    assert "edit/" not in text
    assert page(browser, url(entry, "edit/"), 403)
    browser.post(url(entry, "ask/"))
    case = Case.objects.get()
    assert (case.data["seats"], case.data["which"]["name"], case.origin) == (45, "一年级1班教室", f"entry:{entry.pk}")
    assert "填写申请" in page(browser, "/registers/demo.rooms/ask/")


def test_the_api_reads_and_writes_entries_by_the_register_s_own_schema(cast: Cast, entry: Entry, browser: Client) -> None:
    schema = browser.get("/api/v1/registers/demo.rooms/schema").json()
    assert schema["properties"]["seats"]["maximum"] == 500
    assert [one["key"] for one in browser.get("/api/v1/registers").json()] == ["demo.devices", "demo.rooms"]
    found = browser.get("/api/v1/registers/demo.rooms/entries?where=kind:class&where=seats_from:40&sort=-seats").json()
    assert [row["label"] for row in found["rows"]] == ["一年级1班教室"]
    assert found["rows"][0]["data"]["keeper_id"] == "***"
    whole = browser.get(f"/api/v1{url(entry)}".rstrip("/")).json()
    assert whole["data"]["keeper_id"] == "440103201501011234"
    told = {"org_id": cast.orgs["school"].public_id, "data": {"name": "一年级１班教室", "number": "A7"}}
    made = browser.post("/api/v1/registers/demo.rooms/entries", told, content_type="application/json")
    assert (made.status_code, made.json()["near"]) == (201, [ids.encode("entry", entry.pk)])
    again = browser.post("/api/v1/registers/demo.rooms/entries", told, content_type="application/json")
    assert again.status_code == 409
    address = f"/api/v1/entries/{made.json()['id']}"
    changed = browser.patch(address, {"revision": 1, "data": {"seats": 30}}, content_type="application/json")
    assert (changed.status_code, changed.json()["data"]["seats"], changed.json()["revision"]) == (200, 30, 2)
    wrong = browser.patch(address, {"revision": 2, "data": {"seats": 0}}, content_type="application/json")
    assert wrong.status_code == 400
    assert cast.client("far_head").get(address).status_code == 404
    because = {"revision": 2, "reason": "拆除"}
    assert browser.post(f"{address}/remove", because, content_type="application/json").json()["revision"] == 3
    assert browser.get(address).status_code == 404
    listed = browser.get("/api/v1/registers/demo.rooms/entries?removed=true").json()["rows"]
    assert [(row["id"], row["revision"]) for row in listed] == [(made.json()["id"], 3)]
    because = {"revision": 3, "reason": "误删"}
    far = cast.client("far_head").post(f"{address}/restore", because, content_type="application/json")
    assert far.status_code == 404
    back = browser.post(f"{address}/restore", because, content_type="application/json")
    assert (back.status_code, back.json()["revision"], back.json()["data"]["seats"]) == (200, 4, 30)


def test_a_page_of_a_list_costs_the_same_however_many_rows(
    cast: Cast, browser: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        entry = add_entry(
            actor=cast.actor("head"),
            register="demo.rooms",
            org_id=cast.orgs["school"].id,
            data=room(number=f"N{number}"),
            now=cast.now,
        )
    move_entry(actor=cast.actor("head"), entry_id=entry.pk, state="in_use", now=cast.now)
    page(browser, "/registers/demo.rooms/")
    with django_assert_max_num_queries(22):
        page(browser, "/registers/demo.rooms/?f.kind=class&sort=-f.seats&page=2")
