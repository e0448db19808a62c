"""A document as tidy sheets: one row per figure, one column per kind of number, "*" where a figure is withheld."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

Row = tuple[str | int | float | None, ...]
SheetRows = tuple[str, tuple[str, ...], list[Row]]
HIDDEN = "*"


def report_sheets(document: Mapping[str, Any]) -> list[SheetRows]:
    """Title, header and rows of every sheet; the first one says what the workbook is."""
    sheets: list[SheetRows] = [(_("说明"), (_("项目"), _("内容")), _about(document))]
    if document["is_withheld"]:
        return sheets
    interval = (_("数值"), _("标准误"), _("95%区间下限"), _("95%区间上限"))
    sheets.append((_("总体"), (_("指标"), *interval), _overall(document)))
    sheets.append((_("水平分布"), (_("水平"), _("起点分数"), *interval), _levels(document)))
    sheets.append(
        (_("比较"), (_("单位"), _("级别"), _("人数"), *interval, _("与本单位之差"), _("差的标准误")), _units(document["above"]))
    )
    sheets.append((_("领域"), (_("类别"), _("领域"), _("人数"), _("得分率"), _("得分率的标准误"), *interval), _domains(document)))
    if document["children"]:
        sheets.append((_("下级单位"), (_("单位"), _("级别"), _("人数"), *interval), _children(document)))
    if document["items"]:
        words = (_("题号"), _("题目"), _("内容领域"), _("认知领域"))
        numbers = (_("作答人数"), _("得分率"), _("95%区间下限"), _("95%区间上限"), _("与上一级之差"), _("区分度"), _("未作答率"))
        sheets.append((_("题目"), (*words, *numbers), _items(document)))
    if document["contrasts"]:
        sheets.append((_("群体比较"), (_("变量"), _("群体"), _("人数"), *interval), _contrasts(document)))
    if document["trend"]:
        sheets.append((_("历年"), (_("时间"), _("测评"), _("人数"), *interval, _("变化"), _("变化的标准误")), _trend(document)))
    return sheets


def pupil_sheets(document: Mapping[str, Any]) -> list[SheetRows]:
    """A pupil's workbook: the score, the parts, the items to look at again."""
    score, run = document["score"], document["run"]
    about: list[Row] = [
        (_("姓名"), document["pupil"]["name"]),
        (_("测评"), run["title"]),
        (_("分数"), score["value"]),
        (_("95%区间下限"), score["low"]),
        (_("95%区间上限"), score["high"]),
        (_("水平"), document["level"]["name"]),
        (_("数据来源"), run["source_note"]),
    ]
    parts: list[Row] = [
        (row["kind_name"], row["name"], row["items"], row["gained"], row["stake"], row["rate"], row["verdict"])
        for row in [*document["domains"], *document["units"]]
    ]
    header = (_("类别"), _("名称"), _("题数"), _("得分"), _("满分"), _("得分率"), _("判断"))
    sheets: list[SheetRows] = [(_("成绩"), (_("项目"), _("内容")), about), (_("各部分"), header, parts)]
    if document["shows_items"]:
        wrong: list[Row] = [
            (row["number"], row["label"], row["content"], row["gained"], row["stake"], row["state"])
            for row in document["wrong_items"]
        ]
        sheets.append((_("错题"), (_("题号"), _("题目"), _("内容领域"), _("得分"), _("满分"), _("情况")), wrong))
    return sheets


def _about(document: Mapping[str, Any]) -> list[Row]:
    run = document["run"]
    rows: list[Row] = [
        (_("单位"), document["unit"]["name"]),
        (_("级别"), document["unit"]["level_name"]),
        (_("测评"), run["title"]),
        (_("测评日期"), run["held_date"]),
        (_("数据来源"), run["source_note"]),
        (_("模拟数据"), _("是") if run["is_simulated"] else _("否")),
        (_("声明的指纹"), run["declaration_hash"]),
        (_("最小公布人数"), run["minimum_group"]),
    ]
    return rows + [(_("结论"), sentence) for sentence in document["findings"]]


def _numbers(estimate: Mapping[str, Any]) -> Row:
    return (estimate["value"], estimate["se"], estimate["low"], estimate["high"])


def _overall(document: Mapping[str, Any]) -> list[Row]:
    rows: list[Row] = [
        (_("人数"), document["n"], None, None, None),
        (_("加权人数"), document["weight"], None, None, None),
        (_("平均分"), *_numbers(document["mean"])),
        (_("标准差"), *_numbers(document["sd"])),
    ]
    told = _("第 %(share)s 百分位")
    return rows + [(told % {"share": share}, value, None, None, None) for share, value in document["percentiles"].items()]


def _levels(document: Mapping[str, Any]) -> list[Row]:
    return [(row["name"], row["from"], *_numbers(row)) for row in document["levels"]]


def _units(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    return [
        (row["name"], row["level"], row["n"], *_numbers(row["mean"]), row["difference"]["value"], row["difference"]["se"])
        for row in rows
    ]


def _domains(document: Mapping[str, Any]) -> list[Row]:
    return [
        (row["kind_name"], row["name"], *(HIDDEN for _at in range(7)))
        if row.get("is_suppressed")
        else (row["kind_name"], row["name"], row["n"], row["rate"], row.get("rate_se"), *_numbers(row["difference"]))
        for row in document["domains"]
    ]


def _children(document: Mapping[str, Any]) -> list[Row]:
    return [
        (row["name"], row["level"], HIDDEN, HIDDEN, HIDDEN, HIDDEN, HIDDEN)
        if row["is_withheld"]
        else (row["name"], row["level"], row["n"], *_numbers(row["mean"]))
        for row in document["children"]
    ]


def _items(document: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    for row in document["items"]:
        head = (row["code"], row.get("label", ""), row.get("content", ""), row.get("cognitive", ""))
        if row.get("is_suppressed"):
            found.append((*head, *(HIDDEN for _at in range(7))))
            continue
        rate, difference = row["rate"], row.get("difference", {})
        numbers = (row["n"], rate["value"], rate["low"], rate["high"], difference.get("value"))
        found.append((*head, *numbers, row.get("discrimination"), row.get("omitted")))
    return found


def _contrasts(document: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    for contrast in document["contrasts"]:
        found += [(contrast["label"], group["label"], group["n"], *_numbers(group["mean"])) for group in contrast["groups"]]
        found.append((contrast["label"], _("末组减首组"), None, *_numbers(contrast["gap"])))
    return found


def _trend(document: Mapping[str, Any]) -> list[Row]:
    found: list[Row] = []
    for row in document["trend"]:
        change = row["change"] or {"value": None, "se": None}
        found.append((row["held_date"], row["title"], row["n"], *_numbers(row["mean"]), change["value"], change["se"]))
    return found
