"""Records of messaging that other apps may hold."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class NoticeData:
    """One notice to one person; `read_at` is None until they opened it."""

    id: int
    public_id: str
    title: str
    body: str
    url: str
    at: datetime
    read_at: datetime | None
