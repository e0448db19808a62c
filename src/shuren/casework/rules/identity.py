"""When two entries of a register are the same thing: digests of what identifies it, and labels written alike."""

import unicodedata
from collections.abc import Mapping, Sequence
from hashlib import sha256
from json import dumps
from typing import Any

from shuren.casework.rules.specs.register import RegisterSpec

# Where an entry's folded label stands among its indexed values: no field is called so.
LABEL_FIELD = "_label"
LABEL_LENGTH = 120


def folded(text: str) -> str:
    """The text without what people write differently: full and half width, upper and lower case, spaces, dots and dashes.

    "第一 中学（东校区）" and "第一中学(东校区)" are one.
    """
    plain = unicodedata.normalize("NFKC", text).casefold()
    kept = "".join(sign for sign in plain if unicodedata.category(sign)[0] not in "ZCP")
    # Without a space between them, signs may join to another one.
    return kept if kept == text else folded(kept)


def folded_label(label: str) -> str:
    """A label as it is kept for finding others like it; what is nothing but signs stays as it is."""
    return (folded(label) or label.strip())[:LABEL_LENGTH]


def identity_of(spec: RegisterSpec, data: Mapping[str, Any], *, org_id: int) -> str:
    """The digest under which a thing stands once; empty where the register names no identity or nothing of it is filled.

    Full and half width, case and outer spaces do not make two things; inner spaces and dashes of a number do.
    """
    values = [_plain(data.get(key)) for key in spec.identity]
    if not any(values):
        return ""
    place = "" if spec.is_identity_global else str(org_id)
    return sha256(dumps([place, *values], ensure_ascii=False).encode()).hexdigest()


def shown_identity(spec: RegisterSpec, data: Mapping[str, Any]) -> Sequence[str]:
    """The values that made an entry the same as another, for the sentence that refuses it."""
    return [text for text in (str(data.get(key) or "") for key in spec.identity) if text]


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return str(value.get("id", ""))
    if isinstance(value, list):
        return "|".join(sorted(_plain(one) for one in value))
    return unicodedata.normalize("NFKC", str(value)).strip().casefold()
