"""Sending heads to witnesses and to places elsewhere.

Every try stays in the outbox `HeadDelivery`, not in the audit trail: its entry would make the next head, and so for ever.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings

from shuren.kernel.outward import Answer, OutwardFailed, OutwardRefused, call
from shuren.trust.models import Cosignature, HeadDelivery, TreeHead
from shuren.trust.rules.log.checkpoint import NoteBroken, NoteKey, read_checkpoint, read_key, signed_by, with_signatures
from shuren.trust.rules.log.signatures import verification_with
from shuren.trust.rules.log.witness import request_text
from shuren.trust.selectors.log import consistency, with_cosignatures

Post = Callable[[str, bytes], Answer]

_OK = range(200, 300)


class NotDelivered(Exception):
    """The head did not get there; the text is kept in the outbox."""


class Place(Protocol):
    """Somewhere that keeps heads. Another kind of place is another class with this one function."""

    def deliver(self, head: TreeHead, *, now: datetime) -> str:
        """Hand the head over and return what was answered; raises `NotDelivered`."""


@dataclass(frozen=True, slots=True)
class Witness:
    """Another installation, or any C2SP witness, that cosigns."""

    address: str
    key: NoteKey
    post: Post

    def deliver(self, head: TreeHead, *, now: datetime) -> str:
        old = self._known_size()
        answer = self._ask(head, old)
        if answer.status == 409:
            told = answer.body.decode("ascii", "replace").strip()
            if not told.isdigit() or int(told) > head.size:
                # The witness has seen a longer log than ours, or another one of this size: somebody rolled us back.
                raise NotDelivered(f"409: the witness knows another history, {told[:40]} leaves")
            answer = self._ask(head, int(told))
        if answer.status not in _OK:
            raise NotDelivered(f"{answer.status}: {answer.body[:200].decode('utf-8', 'replace').strip()}")
        return self._keep(head, answer.body.decode("utf-8", "replace"), now=now)

    def _known_size(self) -> int:
        last = Cosignature.objects.filter(witness=self.key.name).order_by("-head__size").select_related("head").first()
        return last.head.size if last else 0

    def _ask(self, head: TreeHead, old: int) -> Answer:
        path = consistency(old=old, new=head.size)
        body = request_text(old_size=old, path=path, note=head.note)
        return self.post(f"{self.address.rstrip('/')}/add-checkpoint", body.encode())

    def _keep(self, head: TreeHead, text: str, *, now: datetime) -> str:
        for line in text.splitlines():
            signed = with_signatures(read_checkpoint(head.note), [line])
            at = signed_by(signed, self.key, verify=verification_with(self.key))
            if at is not None:
                # Asked twice, a witness signs twice: the first line may be on record already, and stays.
                Cosignature.objects.get_or_create(head=head, witness=self.key.name, defaults={"line": line, "at": at})
                return f"cosigned {at:%Y-%m-%dT%H:%M:%SZ}"
        raise NotDelivered("the witness's signature does not hold")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, best on a medium that is written once: one file per head, never written over."""

    folder: Path

    def deliver(self, head: TreeHead, *, now: datetime) -> str:
        path = self.folder / f"{head.size:016d}.checkpoint"
        data = with_cosignatures(head).note.encode()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if path.exists():
                standing = read_checkpoint(path.read_text(encoding="utf-8"))
                if standing.text.encode() != read_checkpoint(head.note).text.encode():
                    raise NotDelivered(f"{path.name} is there already and says something else")
                return f"kept as {path.name}"
            draft = path.with_suffix(".draft")
            with draft.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except (OSError, ValueError) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}") from error
        return f"kept as {path.name}"


@dataclass(frozen=True, slots=True)
class Web:
    """An address that takes the checkpoint as text: a chain's gateway, a notary, a bulletin board."""

    address: str
    post: Post

    def deliver(self, head: TreeHead, *, now: datetime) -> str:
        answer = self.post(self.address, with_cosignatures(head).note.encode())
        if answer.status not in _OK:
            raise NotDelivered(f"{answer.status}: {answer.body[:200].decode('utf-8', 'replace').strip()}")
        return answer.body[:200].decode("utf-8", "replace").strip()


def place_of(target: str, *, post: Post) -> Place:
    """The place a target of the settings means; raises `NotDelivered` for one that cannot be read."""
    if target.startswith("file:"):
        return Folder(Path(target.removeprefix("file:")))
    address, blank, key = target.partition(" ")
    if not blank:
        return Web(address, post)
    try:
        return Witness(address, read_key(key), post)
    except NoteBroken as error:
        raise NotDelivered(str(error)) from error


def post_outward(url: str, body: bytes) -> Answer:
    """POST through the guarded door; raises `NotDelivered`."""
    try:
        return call(url, method="POST", body=body, headers={"Content-Type": "text/plain; charset=utf-8"})
    except (OutwardRefused, OutwardFailed) as error:
        raise NotDelivered(f"{type(error).__name__}: {error}") from error


def deliver_heads(*, now: datetime, post: Post = post_outward) -> dict[str, int]:
    """Send the newest head to every place that has not got it; witnesses first, so that anchors carry their lines.

    A place that was away gets the newest head only: it proves all before it.
    """
    sent = failed = 0
    for target in [*settings.SHUREN_EVIDENCE_WITNESSES, *settings.SHUREN_EVIDENCE_ANCHORS]:
        due = HeadDelivery.objects.filter(target=target[:300]).select_related("head").order_by("-head__size").first()
        if due is None or due.delivered_at is not None:
            continue
        if _deliver(due, now=now, post=post):
            sent += 1
        else:
            failed += 1
    return {"sent": sent, "failed": failed}


def _deliver(due: HeadDelivery, *, now: datetime, post: Post) -> bool:
    try:
        due.answer = place_of(due.target, post=post).deliver(due.head, now=now)[:300]
        due.delivered_at = now
    except NotDelivered as error:
        due.answer = str(error)[:300]
    due.attempts += 1
    due.save(update_fields=["answer", "delivered_at", "attempts"])
    return due.delivered_at is not None
