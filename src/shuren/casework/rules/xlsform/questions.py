"""The rows of a survey: what each asks, which lie in groups and repeats, and what their names are here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from shuren.casework.rules.specs.form import FieldType
from shuren.casework.rules.xlsform.sheets import Book, Line
from shuren.casework.rules.xpath import Ref

GROUP, REPEAT, NOTE, CALCULATE = "group", "repeat", "note", "calculate"
_TYPES = {
    "text": FieldType.TEXT,
    "string": FieldType.TEXT,
    "integer": FieldType.INTEGER,
    "int": FieldType.INTEGER,
    "decimal": FieldType.DECIMAL,
    "date": FieldType.DATE,
    "geopoint": FieldType.PLACE,
    "image": FieldType.FILE,
    "photo": FieldType.FILE,
    "file": FieldType.FILE,
    "audio": FieldType.FILE,
    "video": FieldType.FILE,
    "acknowledge": FieldType.BOOLEAN,
}
_SELECTS = {"select_one": FieldType.CODE, "select_multiple": FieldType.CODES}
# What the house notes by itself.
_NOTED = {
    *("start", "end", "today", "deviceid", "subscriberid", "simserial", "phonenumber", "username", "email", "audit"),
    *("start-geopoint", "background-audio"),
}
_OPENING = re.compile(r"(begin|end)[ _](group|repeat)")
_SELECT = re.compile(r"(select)[ _](one|multiple)\s+(\S+)(\s+or[ _]other)?")
_KEY_LENGTH = 60
_DEEPEST = 20


@dataclass(slots=True)
class Node:
    """A question, note, group or repeat; `type` is the field's, `options` the list that a select offers."""

    kind: str
    line: Line
    key: str = ""
    type: FieldType = FieldType.TEXT
    options: str = ""
    nodes: list["Node"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.line.text("name")


def tree_of(book: Book) -> list[Node]:
    """The questions in their groups; what cannot be taken over is found in the book."""
    root = Node(GROUP, Line("survey", 0, {}))
    open_nodes = [root]
    for line in book.survey:
        if line.text("disabled").casefold() in ("yes", "true", "1"):
            continue
        told = " ".join(line.text("type").split())
        bracket = _OPENING.fullmatch(told.casefold())
        if bracket is None:
            if (node := _question(book, line, told)) is not None:
                open_nodes[-1].nodes.append(node)
        elif bracket[1] == "begin" and len(open_nodes) > _DEEPEST:
            book.refuse(line, "type", _("分组套得太深。"), _("最多套 %(count)d 层。") % {"count": _DEEPEST})
        elif bracket[1] == "begin":
            node = Node(bracket[2], line, key_of(line), FieldType.TABLE)
            open_nodes[-1].nodes.append(node)
            open_nodes.append(node)
        elif len(open_nodes) > 1 and open_nodes[-1].kind == bracket[2]:
            open_nodes.pop()
        else:
            book.refuse(line, "type", _("这里没有可以结束的分组。"), _("检查 begin 和 end 是否成对。"))
    for node in open_nodes[1:]:
        book.refuse(node.line, "type", _("这个分组没有结束。"), _("加一行对应的 end。"))
    return root.nodes


def _question(book: Book, line: Line, told: str) -> Node | None:
    kind = told.casefold()
    if not kind:
        if line.text("name") or line.words("label"):
            book.refuse(line, "type", _("没有写类型。"), _("在 type 列写上题型。"))
        return None
    if kind in _NOTED:
        book.leave_out(line, "type", _("这一项由平台自己记录，不用采集。"))
        return None
    if kind in (NOTE, CALCULATE):
        return Node(kind, line, key_of(line), FieldType.DECIMAL)
    select = _SELECT.fullmatch(told)
    if select is not None:
        if select[4]:
            book.refuse(line, "type", _("没有“其他，请填写”这种选项。"), _("在选项里加“其他”，后面另加一道文字题。"))
        return Node("field", line, key_of(line), _SELECTS[f"{select[1]}_{select[2]}"], select[3])
    if kind not in _TYPES:
        book.refuse(line, "type", _("没有这种题型。"), _("换成文字、数字、日期、选择等题型，或删掉这一行。"))
        return None
    is_long = kind == "text" and "multiline" in line.text("appearance")
    return Node("field", line, key_of(line), FieldType.PARAGRAPH if is_long else _TYPES[kind])


def key_of(line: Line) -> str:
    """Its name as keys are written here: `Name-1` is `name_1`; one without a Latin letter or digit is called by its row."""
    plain = re.sub(r"[^a-z0-9_]", "_", line.text("name").casefold())[: _KEY_LENGTH - 2].strip("_")
    if not plain:
        return f"q{line.number}"
    return plain if plain[0].isalpha() else f"f_{plain}"


def questions_in(nodes: list[Node]) -> Iterator[tuple[Node, Node | None]]:
    """Every node that becomes a field, with the repeat it lies in."""
    for node in nodes:
        if node.kind == GROUP:
            yield from questions_in(node.nodes)
        elif node.kind == REPEAT:
            yield node, None
            yield from ((inner, node) for inner, _outer in questions_in(node.nodes))
        elif node.kind != NOTE:
            yield node, None


def names_of(book: Book, nodes: list[Node]) -> dict[str, Ref]:
    """What each name of the file is called in expressions; a name that is missing or stands twice is found."""
    # Whoever asks for the day of filling in gets it without a question.
    names: dict[str, Ref] = {"today": Ref("today()", FieldType.DATE)}
    keys: dict[str, Line] = {}
    for node, repeat in questions_in(nodes):
        if not node.name:
            book.refuse(node.line, "name", _("没有写名称。"), _("在 name 列写一个不重复的英文名称。"))
        elif node.key in keys:
            said = {"row": keys[node.key].number}
            book.refuse(node.line, "name", _("名称与第 %(row)d 行的重复。") % said, _("换一个名称；大小写不同也算重复。"))
        keys.setdefault(node.key, node.line)
        names[node.name] = Ref(f"{repeat.key}.{node.key}" if repeat else node.key, node.type)
    return names
