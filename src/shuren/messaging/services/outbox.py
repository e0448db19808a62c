"""Messages to the outside: written in the caller's transaction, sent by a job, recorded where there is no gateway."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction

from shuren.messaging.data import Channel, Letter, OutboxState
from shuren.messaging.models import OutboxMessage
from shuren.messaging.rules import masked_address, masked_text
from shuren.messaging.selectors import gateway_settings
from shuren.messaging.services.gateways import GatewayFailed, deliver_letter
from shuren.trust import api as trust
from shuren.work import api as work

_PURPOSE = "messaging.outbox"
_KEPT_FOR = timedelta(days=30)


@transaction.atomic
def send(
    *,
    channel: Channel,
    to: str,
    text: str,
    key: str,
    title: str = "",
    words: Mapping[str, str] | None = None,
    now: datetime,
) -> int:
    """Write a message to `to` (phone number, e-mail address or the vendor's user id); returns its id.

    A key sends once: asked again, the standing message's id comes back. `words` fill the vendor's template. Where the
    channel has no gateway the message is recorded and goes nowhere.
    """
    has_gateway = gateway_settings(channel.value) is not None
    new = _message(channel, key, Letter(to, text, title, tuple((words or {}).items())), has_gateway, now)
    columns = {field: getattr(new, field) for field in ("channel", "to_masked", "text_masked", "body_sealed", "state", "at")}
    message, is_new = OutboxMessage.objects.get_or_create(key=new.key, defaults=columns)
    if is_new and has_gateway:
        _enqueue(message.pk)
    return message.pk


@transaction.atomic
def send_many(*, channel: Channel, letters: Mapping[str, Letter], now: datetime) -> int:
    """`send` for many letters by their keys, in a few writes; returns how many were not sent or recorded before."""
    has_gateway = gateway_settings(channel.value) is not None
    standing = set(OutboxMessage.objects.filter(key__in=[key[:100] for key in letters]).values_list("key", flat=True))
    new = [_message(channel, key, letter, has_gateway, now) for key, letter in letters.items() if key[:100] not in standing]
    made = OutboxMessage.objects.bulk_create(new, batch_size=500)
    if has_gateway:
        for message in made:
            _enqueue(message.pk)
    return len(made)


def _message(channel: Channel, key: str, letter: Letter, has_gateway: bool, now: datetime) -> OutboxMessage:
    told = {"to": letter.to, "text": letter.text, "title": letter.title, "words": dict(letter.words)}
    return OutboxMessage(
        key=key[:100],
        channel=channel.value,
        to_masked=masked_address(letter.to),
        text_masked=masked_text(letter.text),
        body_sealed=trust.seal(json.dumps(told, ensure_ascii=False).encode(), purpose=_PURPOSE),
        state=(OutboxState.WAITING if has_gateway else OutboxState.RECORDED).value,
        at=now,
    )


def _enqueue(message_id: int) -> None:
    work.enqueue("shuren.messaging.jobs.deliver", {"message_id": message_id}, key=f"outbox:{message_id}", max_attempts=3)


def deliver(*, message_id: int, is_last: bool, now: datetime) -> None:
    """Hand a waiting message to its gateway and forget what it said; a failure is raised again unless it is the last."""
    message = OutboxMessage.objects.get(pk=message_id)
    if message.state != OutboxState.WAITING or message.body_sealed is None:
        return
    try:
        receipt = deliver_letter(Channel(message.channel), letter_in(bytes(message.body_sealed)), now=now)
    except GatewayFailed as fault:
        message.error = str(fault)[:200]
        if is_last:
            message.state, message.body_sealed = OutboxState.FAILED.value, None
        message.save(update_fields=["error", "state", "body_sealed"])
        if not is_last:
            raise
        return
    OutboxMessage.objects.filter(pk=message.pk).update(
        state=OutboxState.SENT.value, receipt=receipt[:100], error="", sent_at=now, body_sealed=None
    )


def letter_in(sealed: bytes) -> Letter:
    """The letter that a sealed body holds."""
    told = json.loads(trust.unseal(sealed, purpose=_PURPOSE))
    return Letter(told["to"], told["text"], told["title"], tuple(told["words"].items()))


def sweep_outbox(*, now: datetime) -> int:
    """Forget messages older than a month; returns how many."""
    return OutboxMessage.objects.filter(at__lt=now - _KEPT_FOR).delete()[0]
