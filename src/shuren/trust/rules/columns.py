"""Which columns hold sealed values: every app names its own in `sealed_columns` of its app configuration."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """`purpose` may name other columns of the row in braces, such as `trust.key/{name}/{version}`."""

    model: str
    column: str
    purpose: str

    @classmethod
    def named(cls, app: str, line: tuple[str, str, str]) -> "SealedColumn":
        model, column, purpose = line
        return cls(f"{app}.{model}", column, purpose)

    @property
    def purpose_columns(self) -> list[str]:
        return [part.partition("}")[0] for part in self.purpose.split("{")[1:]]

    def purpose_of(self, row: dict[str, Any]) -> str:
        return self.purpose.format(**{name: row[name] for name in self.purpose_columns})
