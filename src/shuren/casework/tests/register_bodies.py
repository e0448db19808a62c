"""Registers that tests play on."""

from typing import Any

ROOMS: dict[str, Any] = {
    "key": "demo.rooms",
    "title": {"zh": "教室台账", "en": "Classrooms"},
    "at": ["school"],
    "identity": ["number"],
    "label": "name",
    "place": "spot",
    "has_labels": True,
    "is_public": True,
    "states": [
        {"key": "planned", "title": "筹建", "to": ["in_use"]},
        {"key": "in_use", "title": "在用", "to": ["closed"], "tone": "good"},
        {"key": "closed", "title": "停用"},
    ],
    "views": [{"key": "labs", "title": "实验室", "filters": {"kind": "lab"}, "sort": "-seats"}],
    "sections": [
        {
            "key": "basics",
            "title": "基本情况",
            "fields": [
                {"key": "name", "title": "名称", "type": "text", "required": True, "grade": "L1"},
                {"key": "number", "title": "编号", "type": "text", "required": True, "is_indexed": True, "grade": "L1"},
                {
                    "key": "kind",
                    "title": "用途",
                    "type": "code",
                    "is_indexed": True,
                    "grade": "L1",
                    "options": [{"code": "class", "title": "普通教室"}, {"code": "lab", "title": "实验室"}],
                },
                {"key": "seats", "title": "座位数", "type": "integer", "minimum": 1, "maximum": 500, "is_indexed": True},
                {"key": "built", "title": "建成日期", "type": "date", "is_indexed": True},
                {"key": "spot", "title": "位置", "type": "place", "grade": "L1"},
                {"key": "keeper_phone", "title": "保管人电话", "type": "text", "grade": "L3"},
                {"key": "keeper_id", "title": "保管人证件号", "type": "text", "grade": "L4"},
            ],
        }
    ],
}

DEVICES: dict[str, Any] = {
    "key": "demo.devices",
    "title": {"zh": "设备台账", "en": "Devices"},
    "identity": ["serial"],
    "is_identity_global": True,
    "label": "name",
    "sections": [
        {
            "key": "basics",
            "title": "基本情况",
            "fields": [
                {"key": "name", "title": "设备名称", "type": "text", "required": True},
                {"key": "serial", "title": "序列号", "type": "text", "is_indexed": True},
                {"key": "room", "title": "所在教室", "type": "entry", "register": "demo.rooms"},
            ],
        }
    ],
}


def room(**changes: Any) -> dict[str, Any]:
    return {"name": "一年级1班教室", "number": "A101", "kind": "class", "seats": 45} | changes
