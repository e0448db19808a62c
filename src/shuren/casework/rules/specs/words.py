"""What every definition is made of: keys, words in two languages, spans of time."""

from typing import Annotated, Any

from django.utils.translation import get_language
from pydantic import BaseModel, ConfigDict, Field, model_validator

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
# `<pack>.<name>`: what another definition calls it by.
DefinitionKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$", max_length=100)]
RowId = Annotated[str, Field(pattern=r"^[A-Z]{3}-[0-9]{2}$")]


class Spec(BaseModel):
    """A part of a definition: unknown keys are faults, and nothing changes once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(Spec):
    """A text in Chinese and English; a plain string is Chinese alone."""

    zh: str
    en: str = ""

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, told: Any) -> Any:
        return {"zh": told} if isinstance(told, str) else told

    def text(self, language: str) -> str:
        return self.en if language.startswith("en") and self.en else self.zh

    def __str__(self) -> str:
        return self.text(get_language() or "zh-hans")


class Span(Spec):
    """A span of time of exactly one unit; working days follow the calendar of Chinese holidays."""

    working_days: int | None = Field(default=None, ge=0, le=1000)
    days: int | None = Field(default=None, ge=0, le=3660)
    hours: int | None = Field(default=None, ge=0, le=10_000)

    @model_validator(mode="after")
    def _one(self) -> "Span":
        if sum(unit is not None for unit in (self.working_days, self.days, self.hours)) != 1:
            raise ValueError("exactly one of working_days, days, hours")
        return self
