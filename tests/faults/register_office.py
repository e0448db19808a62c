"""A program: an office that takes a file of entries in, or takes it back, until somebody kills it.

`prepare COUNT` keeps half of the entries and has a file checked that changes those and adds as many; `apply` writes it,
`undo` takes it back, `settle` tells what is left to be told.
"""

import io
import sys
from types import SimpleNamespace

from shuren.casework.data import DefinitionKind
from shuren.casework.services.registers.take_back import undo_import
from shuren.casework.services.registers.take_in import KIND, apply_register, check_register, settle_import
from shuren.intake import api as intake
from shuren.intake.models import ImportRun
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from tests.faults.case_office import add_school, define

_REGISTER = {
    "key": "office.rooms",
    "title": "教室",
    "identity": ["number"],
    "label": "number",
    "sections": [
        {
            "key": "main",
            "title": "教室",
            "fields": [
                {"key": "number", "title": "编号", "type": "text", "required": True},
                {"key": "seats", "title": "座位", "type": "integer", "is_indexed": True},
            ],
        }
    ],
}


def _tell(done: int, total: int | None = None) -> None:
    sys.stdout.write(f"{done}\n")
    sys.stdout.flush()


_JOB = SimpleNamespace(progress=_tell, is_cancelled=bool)


def _checked(count: int, seats: int) -> int:
    text = "机构代码,编号,座位\n" + "".join(f"S1,R{number},{seats}\n" for number in range(count))
    content = io.BytesIO(text.encode())
    options = {"register": "office.rooms"}
    import_id = intake.start_import(
        actor=SYSTEM, kind=KIND, file_name="教室.csv", content=content, options=options, now=clock.now()
    )
    intake.record_checking(import_id)
    check_register(SimpleNamespace(progress=lambda *_: None), import_id)
    intake.request_apply(actor=SYSTEM, import_id=import_id, now=clock.now())
    return import_id


def _prepare(count: int) -> None:
    add_school()
    define(DefinitionKind.REGISTER, _REGISTER)
    first = _checked(count // 2, 1)
    apply_register(SimpleNamespace(progress=lambda *_: None, is_cancelled=bool), first)
    settle_import(first)
    _checked(count, 2)


def main(what: str, count: str = "0") -> None:
    if what == "prepare":
        _prepare(int(count))
        sys.stdout.write(count)
        return
    last = ImportRun.objects.latest("pk").pk
    _tell(0)
    if what == "apply":
        apply_register(_JOB, last)
    elif what == "undo":
        undo_import(actor=SYSTEM, import_id=last, now=clock.now())
    settle_import(last)
