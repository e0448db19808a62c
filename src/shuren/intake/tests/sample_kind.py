"""A kind of import for tests: every row must say 是 in the column 好."""

from collections.abc import Iterator

from shuren.intake import api
from shuren.intake.data import Finding, Table
from shuren.kernel.errors import Refused
from shuren.work.data import JobContext

applied: list[int] = []


def check(job: JobContext, import_id: int) -> None:
    path = api.import_file(import_id)
    if api.form_of(path) == "zip":
        with api.open_package(path) as package:
            errors = api.record_findings(import_id, (f for n in package.names for f in _faults(package.open_table(n))))
    else:
        errors = api.record_findings(import_id, _faults(api.open_table(path, expected={"好"}, file_name="样例.csv")))
    api.record_checked(import_id, counts={"rows": 1}, difference={"added": 1}, is_acceptable=not errors)


def _faults(table: Table) -> Iterator[Finding]:
    yield from table.findings
    if "好" not in table.header:
        yield Finding(table.file, table.sheet, table.header_row, "", "", "缺少列“好”", "请使用模板。")
        return
    place = table.header.index("好")
    for row in table.rows:
        yield from row.findings
        if row.values[place] not in {"是", "提醒"}:
            yield Finding(table.file, table.sheet, row.number, "好", row.values[place], "不是“是”", "请改为“是”。")
        if row.values[place] == "提醒":
            yield Finding(table.file, table.sheet, row.number, "好", "提醒", "请再看一眼", "", is_error=False)


def apply(job: JobContext, import_id: int) -> None:
    applied.append(import_id)
    api.record_applied(import_id, {"applied": 1})


def refuse(job: JobContext, import_id: int) -> None:
    raise Refused("您没有导入到该学校的权限。", remedy="请联系管理员。")


def crash(job: JobContext, import_id: int) -> None:
    raise RuntimeError("boom")


def say_nothing(job: JobContext, import_id: int) -> None:
    return None
