"""A form on a page: as it is drawn, and as its buttons work without a script."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.template.loader import render_to_string
from django.test import RequestFactory

from shuren.casework.data import FieldFault
from shuren.casework.rules.forms import check_form
from shuren.casework.tests.forms.drawn import field, form_of
from shuren.casework.views.form_parts import Worked, form_context, values_context, worked_patch, worked_post
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid

NOW = datetime(2026, 9, 1, 2, tzinfo=UTC)
ME = Actor(person_id=7, account_id=7, name="王芳")
FORM = form_of(
    field("org", element="org.name"),
    field("phone", title="联系电话", element="person.phone"),
    field("secret", title="家庭情况", grade="L4"),
    field("boards", "boolean", title="是否寄宿"),
    field("beds", "integer", title="床位", unit="张", shown_if="boards"),
    field("rooms", "table", title="教室", columns=[field("seats", "integer", title="座位", maximum=100), field("photo", "file")]),
    field("total", "integer", title="座位合计", calculated="sum(rooms.seats)"),
    field("files", "file", title="附件"),
    field("sign", "signature", title="签名"),
)
FILE = {"id": "0123456789abc", "name": "图.png", "size": 2048, "sha256": "00"}


@dataclass(frozen=True)
class Held:
    value: Any
    source: str


def page(data: dict[str, Any], **more: Any) -> str:
    return render_to_string("casework/_form.html", form_context(FORM, data, now=NOW, **more))


def worked(kept: dict[str, Any], post: dict[str, Any], **more: Any) -> Worked:
    request = RequestFactory().post("/", post)
    return worked_post(FORM, request, kept=kept, actor=ME, now=NOW, **more)


def test_boxes_hold_what_was_filled_in_and_say_what_is_wrong() -> None:
    faults = [
        FieldFault("rooms[0].seats", "座位", "大于 100", "应填不大于 100 的整数。"),
        FieldFault("beds", "床位", "请核对。", is_error=False),
    ]
    drawn = page({"boards": True, "beds": 12, "rooms": [{"seats": "300"}], "files": [FILE]}, faults=faults)
    assert '<a href="#f-rooms-0-seats">第 1 行 座位：大于 100。应填不大于 100 的整数。</a>' in drawn
    assert '<a href="#f-beds">床位：请核对。</a>' in drawn
    assert 'name="rooms[0].seats"' in drawn
    assert 'value="300"' in drawn
    assert "有 1 处需要修改" in drawn
    assert "2.0" in drawn
    assert 'href="/attachments/0123456789abc/"' in drawn


def test_what_the_region_holds_is_shown_with_its_source_and_not_asked() -> None:
    drawn = page({}, prefilled={"org": Held("东湖区实验小学", "机构库")}, objection_url="/object/")
    assert "东湖区实验小学" in drawn
    assert "来自机构库" in drawn
    assert 'href="/object/?field=org"' in drawn
    assert 'name="org"' not in drawn
    assert "有 1 项已从平台数据带入" in drawn


def test_what_is_not_asked_now_is_marked_so_that_a_script_can_hide_it() -> None:
    assert 'is-off" data-field="beds"' in page({"boards": False})
    assert 'is-off" data-field="beds"' not in page({"boards": True})


def test_rows_are_added_and_taken_out_without_a_script() -> None:
    post = {"rooms[0].seats": "1", "rooms[1].seats": "2", "act": "add_row:rooms"}
    added = worked({}, post)
    assert (added.blank_rows, added.is_submit) == (("rooms",), False)
    assert [row["seats"] for row in added.data["rooms"]] == ["1", "2"]
    drawn = page(check_form(FORM, added.data, today=NOW.date(), is_draft=True).data, blank_rows=added.blank_rows)
    assert 'name="rooms[2].seats"' in drawn
    taken = worked({}, {**post, "act": "remove_row:rooms[0]"})
    assert [row["seats"] for row in taken.data["rooms"]] == ["2"]


def test_a_signature_is_made_by_the_server_and_taken_back() -> None:
    done = worked({}, {"phone": "13800000000", "act": "sign:sign"})
    assert done.data["sign"]["name"] == "王芳"
    assert not done.faults
    assert check_form(FORM, done.data, today=NOW.date()).is_sound
    assert "撤销签名" in page(done.data)
    assert "sign" not in worked(done.data, {"phone": "1", "act": "unsign:sign"}).data
    forged = worked({}, {"sign": "x", "act": "save"})
    assert forged.data["sign"] is None
    refused = worked({}, {"boards": "true", "beds": "许多", "act": "sign:sign"})
    assert [fault.path for fault in refused.faults] == ["beds"]


def test_files_come_with_the_form_and_stand_in_their_cells() -> None:
    def add_file(path: str, upload: UploadedFile) -> dict[str, Any]:
        if upload.name == "bad.exe":
            raise Invalid("不能上传这种文件。", remedy="请上传图片。")
        return {**FILE, "name": upload.name}

    post = {
        "rooms[0].seats": "1",
        "rooms[0].photo": SimpleUploadedFile("a.png", b"x"),
        "files": SimpleUploadedFile("bad.exe", b"x"),
        "act": "submit",
    }
    done = worked({}, post, add_file=add_file)
    assert done.data["rooms"] == [{"seats": "1", "photo": [{**FILE, "name": "a.png"}]}]
    assert [(fault.path, fault.reason, fault.remedy) for fault in done.faults] == [
        ("files", "不能上传这种文件。", "请上传图片。")
    ]
    assert not done.is_submit
    gone = worked({}, {"files": FILE["id"], "act": f"remove_file:files:{FILE['id']}"}, files={FILE["id"]: FILE})
    assert gone.data["files"] == []


def test_a_patch_takes_nothing_that_is_not_the_fillers_own() -> None:
    body = (
        '{"revision": 4, "data": {"org": "别的学校", "phone": "1", "files": [{"id": "zzzzzzzzzzzzz"}], "sign": {"person": "x"}}}'
    )
    request = RequestFactory().patch("/", body, content_type="application/json")
    revision, data = worked_patch(FORM, request, kept={"org": "一小"}, actor=ME, now=NOW, locked=["org"])
    assert (revision, data) == (4, {"org": "一小", "phone": "1", "files": [], "sign": None, "rooms": None})


@pytest.mark.parametrize(("is_masked", "phone", "secret"), [(False, "13812345678", "低保"), (True, "138****5678", "***")])
def test_personal_values_are_masked_for_whoever_may_not_see_them(is_masked: bool, phone: str, secret: str) -> None:
    data = {
        "org": "一小",
        "phone": "13812345678",
        "secret": "低保",
        "boards": True,
        "beds": 1200,
        "rooms": [{"seats": 45}],
        "total": 45,
    }
    drawn = render_to_string("casework/_values.html", values_context(FORM, data, now=NOW, is_masked=is_masked, changed=["beds"]))
    assert phone in drawn
    assert secret in drawn
    assert ("个人信息已部分隐去" in drawn) == is_masked
    assert ("13812345678" in drawn) != is_masked
    assert "1,200 张" in drawn
    assert "有改动" in drawn
    assert "一小" in drawn
