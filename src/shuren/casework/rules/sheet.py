"""A form being filled: names are worked out when somebody asks for them, so that what depends on what needs no order."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from typing import Any

from shuren.casework.data import FieldFault
from shuren.casework.rules.answers import Lookup, part_of
from shuren.casework.rules.expressions import compile_expression
from shuren.casework.rules.specs.form import FieldSpec, FieldType, FormSpec
from shuren.casework.rules.values import Wrong, fault_of, not_a_table, read_single, table_fault, table_rows


class Cells(ABC):
    """Values of a few fields, worked out once each; one that depends on itself is not answered (and told when loaded)."""

    def __init__(self, fields: Mapping[str, FieldSpec], told: Mapping[str, Any], today: date, path: str = "") -> None:
        self.fields, self.told, self.today, self.path = fields, told, today, path
        self.wrongs: dict[str, Wrong] = {}
        self._values: dict[str, Any] = {}
        self._shown: dict[str, bool] = {}
        self._busy: set[str] = set()

    @property
    @abstractmethod
    def lookup(self) -> Lookup:
        """Where expressions find the names they read."""

    def _is_shown(self, field: FieldSpec) -> bool:
        return not field.shown_if or compile_expression(field.shown_if).holds(self.lookup, today=self.today) is True

    def is_shown(self, key: str) -> bool:
        if key not in self._shown:
            mark = f"?{key}"
            if key not in self.fields or mark in self._busy:
                return False
            self._busy.add(mark)
            self._shown[key] = self._is_shown(self.fields[key])
            self._busy.discard(mark)
        return self._shown[key]

    def is_required(self, field: FieldSpec) -> bool:
        if isinstance(field.required, bool):
            return field.required
        return compile_expression(field.required).holds(self.lookup, today=self.today) is True

    def cell(self, key: str) -> Any:
        if key not in self._values:
            if key in self._busy:
                return None
            self._busy.add(key)
            self._values[key] = self._worked_out(self.fields[key]) if self.is_shown(key) else None
            self._busy.discard(key)
        return self._values[key]

    def _worked_out(self, field: FieldSpec) -> Any:
        told = self.told.get(field.key)
        if field.calculated:
            told = compile_expression(field.calculated).answer(self.lookup, today=self.today)
        try:
            return read_single(field, told, on=self.today)
        except Wrong as wrong:
            self.wrongs[field.key] = wrong
            return None

    def kept(self, field: FieldSpec) -> Any:
        """The value, or what was typed where it cannot be read."""
        value = self.cell(field.key)
        return self.told.get(field.key) if field.key in self.wrongs and not field.calculated else value

    def faults_of(self, field: FieldSpec) -> list[FieldFault]:
        self.cell(field.key)
        wrong = self.wrongs.get(field.key)
        return [fault_of(field, f"{self.path}{field.key}", wrong)] if wrong else []


class SheetRow(Cells):
    """A row of a table: its own columns first, then the fields of the form."""

    def __init__(self, sheet: "Sheet", field: FieldSpec, number: int, told: Mapping[str, Any]) -> None:
        super().__init__({column.key: column for column in field.columns}, told, sheet.today, f"{field.key}[{number}].")
        self._sheet = sheet

    @property
    def lookup(self) -> Lookup:
        return self

    def value(self, name: str) -> Any:
        return self.cell(name) if name in self.fields else self._sheet.value(name)

    def part(self, name: str, part: str) -> Any:
        return part_of(self.cell(name), part) if name in self.fields else self._sheet.part(name, part)

    def filled(self, *, is_draft: bool = False) -> dict[str, Any]:
        cells = {key: self.kept(field) if is_draft else self.cell(key) for key, field in self.fields.items()}
        return {key: value for key, value in cells.items() if value is not None}


class Sheet(Cells):
    """The whole form."""

    def __init__(self, form: FormSpec, told: Mapping[str, Any], *, today: date) -> None:
        super().__init__({field.key: field for field in form.fields}, told, today)
        self.form = form
        self._section_of = {field.key: section for section in form.sections for field in section.fields}
        self._rows: dict[str, list[SheetRow]] = {}

    @property
    def lookup(self) -> Lookup:
        return self

    def _is_shown(self, field: FieldSpec) -> bool:
        condition = self._section_of[field.key].shown_if
        if condition and compile_expression(condition).holds(self, today=self.today) is not True:
            return False
        return super()._is_shown(field)

    def value(self, name: str) -> Any:
        return self.cell(name) if name in self.fields else None

    def part(self, name: str, part: str) -> Any:
        field = self.fields.get(name)
        if field is None or field.type != FieldType.TABLE:
            return part_of(self.value(name), part)
        rows = self.rows(field) if self.is_shown(name) else []
        return [row.cell(part) if part in row.fields else None for row in rows]

    def rows(self, field: FieldSpec) -> list[SheetRow]:
        if field.key not in self._rows:
            told = table_rows(self.told.get(field.key))
            if told is None:
                self.wrongs[field.key] = not_a_table()
            elif wrong := table_fault(field, len(told)):
                self.wrongs[field.key] = wrong
            kept = (told or [])[: field.maximum_rows]
            self._rows[field.key] = [SheetRow(self, field, number, row) for number, row in enumerate(kept)]
        return self._rows[field.key]

    def _worked_out(self, field: FieldSpec) -> Any:
        if field.type != FieldType.TABLE:
            return super()._worked_out(field)
        return [row.filled() for row in self.rows(field)] or None

    def kept(self, field: FieldSpec) -> Any:
        if field.type != FieldType.TABLE or field.key in self.wrongs:
            return super().kept(field)
        return [row.filled(is_draft=True) for row in self.rows(field)] or None

    def faults_of(self, field: FieldSpec) -> list[FieldFault]:
        faults = super().faults_of(field)
        if field.type == FieldType.TABLE and self.is_shown(field.key):
            faults += [fault for row in self.rows(field) for column in field.columns for fault in row.faults_of(column)]
        return faults

    def shown(self) -> frozenset[str]:
        """The paths of all that is asked."""
        keys = [field for field in self.form.fields if self.is_shown(field.key)]
        columns = [
            f"{row.path}{column.key}"
            for field in keys
            if field.type == FieldType.TABLE
            for row in self.rows(field)
            for column in field.columns
            if row.is_shown(column.key)
        ]
        return frozenset([field.key for field in keys] + columns)
