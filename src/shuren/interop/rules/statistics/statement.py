"""What a frozen report states, as bytes that anybody can make again from its JSON."""

import json
from collections.abc import Mapping


def statement_of(
    *,
    form: str,
    template: str,
    unit: str,
    year: int,
    version: int,
    values: Mapping[str, object],
    explanations: Mapping[str, object],
    parts: Mapping[str, object],
    reason: str,
) -> bytes:
    """JSON without spaces, keys in order, UTF-8. `parts` holds the digest of every report that a sum was made of."""
    told = {
        "form": form,
        "template": template,
        "unit": unit,
        "year": year,
        "version": version,
        "values": values,
        "explanations": explanations,
        "parts": parts,
        "reason": reason,
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
