"""Where a person may go, from what their roles allow."""

from dataclasses import dataclass

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the side navigation."""

    label: str
    url: str
    icon: str
    is_current: bool = False
    count: int = 0


def navigation_of(request: HttpRequest) -> list[Entry]:
    return []
