"""Certificates that a pack brings along: what the region's template says where it has none of that name."""

import re
from typing import Literal

from pydantic import Field

from shuren.casework.rules.specs.words import Spec
from shuren.directory.data import OrgType

# What the wording may name without anybody filling it in: of the holder, and of every case.
OF_HOLDER = frozenset({"name", "school", "class", "date"})
OF_CASE = frozenset({"办件编号", "事项", "办理单位"})
_PLACE = re.compile(r"\{([^{}]*)\}")


class CertificateSpec(Spec):
    """One certificate, called by the `name` that ends say. In `wording` braces hold a title of the form, or what is always known.

    `levels` are the org types that may give it besides the region itself; without `seal_text` the giver's name stands there.
    """

    name: str = Field(min_length=1, max_length=60)
    name_en: str = Field(default="", max_length=120)
    kind: Literal["honour", "diploma", "growth"] = "diploma"
    criteria: str = Field(min_length=1, max_length=500)
    wording: str = Field(min_length=1, max_length=600)
    layout: Literal["formal", "bright", "plain"] = "formal"
    seal_text: str = Field(default="", max_length=30)
    valid_months: int | None = Field(default=None, ge=1, le=600)
    levels: tuple[OrgType, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """Everything in braces, once."""
        return tuple(dict.fromkeys(_PLACE.findall(self.wording)))
