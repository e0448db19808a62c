"""Records of messaging that other apps may hold."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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


class Channel(StrEnum):
    """Ways to reach somebody outside this installation."""

    SMS = "sms"
    EMAIL = "email"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    WECHAT = "wechat"


class OutboxState(StrEnum):
    """`RECORDED`: there is no gateway, so the message is written down and goes nowhere."""

    WAITING = "waiting"
    SENT = "sent"
    RECORDED = "recorded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class OutboxData:
    """A message to the outside as an administrator may see it: whom and what it says are masked."""

    id: int
    channel: Channel
    to: str
    text: str
    state: OutboxState
    error: str
    at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Letter:
    """What a gateway is handed: `words` fill the vendor's own template where it demands one."""

    to: str
    text: str
    title: str = ""
    words: tuple[tuple[str, str], ...] = ()
