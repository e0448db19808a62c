"""How the codes of a set stand above each other."""

from collections.abc import Container, Mapping

from shuren.standards.data import CodeData, CodeSetData, Parents


def parent_of(code: str, codes: Container[str], rule: Parents) -> str:
    """The code right above `code`; empty at the top, and in a set without levels."""
    if rule is Parents.NONE:
        return ""
    for length in range(len(code) - 1, 0, -1):
        if rule is Parents.PAIRS and length % 2:
            continue
        for above in (code[:length], code[:length].ljust(len(code), "0") if rule is not Parents.PREFIX else ""):
            if above and above != code and above in codes:
                return above
    return ""


def depths(code_set: CodeSetData) -> Mapping[str, int]:
    """How deep every code of a set lies, from 0."""
    found: dict[str, int] = {}
    for code in code_set.codes:
        _depth(code, code_set.codes, code_set.parents, found)
    return found


def _depth(code: str, codes: Mapping[str, CodeData], rule: Parents, found: dict[str, int]) -> int:
    if code not in found:
        above = parent_of(code, codes, rule)
        found[code] = _depth(above, codes, rule, found) + 1 if above else 0
    return found[code]
