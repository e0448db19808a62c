"""Editions of code sets are taken and undone one after another, and again and again whoever does it is struck.

After every stroke readers know the old words or the new ones, whole; the same import, or the same undoing, brings it to its end.
"""

from dataclasses import replace
from pathlib import Path

from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.standards import api as standards
from shuren.standards.data import CodeData
from tests.faults.houses import House
from tests.faults.moments import Moment, moments

_SETS = ("jyt.xq", "jyt.xb")
_IN_FORCE = "SELECT number, import_id FROM standards_edition WHERE undone_at IS NULL ORDER BY number"
_TOLD = "SELECT count(*) FROM kernel_auditentry WHERE action = 'standards.edition_{act}'"


def takes(edition: int) -> int:
    """Both sets get a code that is called after the edition."""
    standards.forget_registry()
    sets = []
    for name in _SETS:
        found = standards.code_set(name)
        sets.append(replace(found, codes={**found.codes, "ZZ": CodeData("ZZ", f"版本{edition}", f"Edition {edition}")}))
    base, now = standards.editions_base(), clock.now()
    told = {"title": "版本.csv", "code_sets": sets, "counts": {"code": 2}, "breaks": {}}
    return standards.take_edition(actor=SYSTEM, base=base, import_id=edition, now=now, **told)


def undoes(number: int) -> None:
    standards.forget_registry()
    standards.undo_edition(actor=SYSTEM, number=number, now=clock.now())


def known() -> list[str]:
    standards.forget_registry()
    return [standards.code_label(name, "ZZ", "zh") if standards.is_code(name, "ZZ") else "" for name in _SETS]


class Registrar:
    """The words as readers find them."""

    def __init__(self, house: House) -> None:
        self.house, self.wrong, self.struck = house, list[str](), 0

    def words(self, moment: Moment | None, *whole: str) -> None:
        """Both sets say the same, and it is one of these."""
        found = self.house.does(known).answer
        if len(set(found)) != 1 or found[0] not in whole:
            self.wrong.append(f"{moment}: {found} and not one of {whole}")

    def turn(self, edition: int, taking: Moment | None, undoing: Moment | None) -> list[int]:
        """An edition comes and goes; returns how many steps each took."""
        new = f"版本{edition}"
        came = self.house.does(takes, edition, moment=taking)
        self.words(taking, "", new)
        number = self.house.does(takes, edition).answer
        self.words(taking, new)
        if self.house.rows(_IN_FORCE) != [(number, edition)]:
            self.wrong.append(f"{taking}: {self.house.rows(_IN_FORCE)} are in force")
        went = self.house.does(undoes, number, moment=undoing)
        self.words(undoing, "", new)
        self.house.does(undoes, number)
        self.words(undoing, "")
        told = [self.house.rows(_TOLD.format(act=act)) for act in ("taken", "undone")]
        if told != [[(edition,)]] * 2:
            self.wrong.append(f"{edition}: {told} entries")
        self.struck += came.is_struck + went.is_struck
        return [came.steps, went.steps]


def strike(empty: House, folder: Path, count: int) -> dict[str, object]:
    """So many moments of both; what was struck and what was wrong."""
    house = House(empty.installation.copy(folder / "registrar"))
    registrar = Registrar(house)
    steps = registrar.turn(1, None, None)
    for number, plan in enumerate(zip(*(moments(count // 2, last=last) for last in steps), strict=True), start=2):
        registrar.turn(number, *plan)
    house.installation.remove()
    return {"steps": steps, "struck": registrar.struck, "faults": registrar.wrong}
