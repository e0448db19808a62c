"""Items of one test as a list shows them: searched, filtered, sorted and cut in memory (a test has some hundred items)."""

from collections.abc import Sequence

from shuren.assessment.data import ItemResult


def items_matching(
    results: Sequence[ItemResult], *, search: str = "", content: str = "", cognitive: str = "", sort: str = ""
) -> list[ItemResult]:
    """The items that meet every condition, in order of position unless sorted; items without a value come last."""
    word = search.strip().lower()
    found = [
        one
        for one in results
        if (not word or word in f"{one.item.code} {one.item.label} {' '.join(one.item.knowledge_units)}".lower())
        and content in ("", one.item.content_domain)
        and cognitive in ("", one.item.cognitive_domain)
    ]
    key, is_down = sort.removeprefix("-"), sort.startswith("-")
    if key in {"mean_share", "discrimination"}:
        known = [one for one in found if getattr(one, key) is not None]
        known.sort(key=lambda one: getattr(one, key), reverse=is_down)
        return known + [one for one in found if getattr(one, key) is None]
    if key == "given":
        found.sort(key=lambda one: one.given, reverse=is_down)
    elif key == "code":
        found.sort(key=lambda one: one.item.code, reverse=is_down)
    elif is_down:
        found.reverse()
    return found
