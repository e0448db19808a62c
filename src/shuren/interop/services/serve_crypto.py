"""Cryptography done for an app with its own keys, counted and audited."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.interop.data import AppData
from shuren.interop.services.count_calls import count_call
from shuren.kernel import audit
from shuren.kernel.data import Actor, AppReach
from shuren.kernel.errors import Invalid, ShurenError
from shuren.trust import api as trust
from shuren.trust.api import SealBroken
from shuren.trust.data import DigestAlgorithm, KeyAlgorithm, PublicKey

MAX_BYTES = 1024 * 1024


class TooManyCalls(ShurenError):
    """The app's quota is used up (429); `retry_after` says for how many seconds."""

    status = 429

    def __init__(self, retry_after: int) -> None:
        super().__init__(_("调用太多，超出了配额。"), remedy=_("请按 Retry-After 说的秒数等一等再调用。"))
        self.retry_after = retry_after


class Operation(StrEnum):
    """What the service does."""

    SIGN = "sign"
    VERIFY = "verify"
    SEAL = "seal"
    UNSEAL = "unseal"
    DIGEST = "digest"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One item: `key` for signatures, `purpose` for sealing, `digest` for hashing."""

    data: bytes
    key: str = ""
    purpose: str = ""
    signature: bytes = b""
    digest: DigestAlgorithm = DigestAlgorithm.SHA256


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an item came to: bytes, or for a verification the verdict."""

    data: bytes = b""
    is_valid: bool = field(default=True)


def namespace_of(app: AppData) -> str:
    """Where an app's keys lie; those of the sandbox are others."""
    return f"s{app.id}" if app.is_sandbox else f"a{app.id}"


def actor_of_app(app: AppData) -> Actor:
    """The app as actor in the audit trail."""
    reach = AppReach(client_id=app.client_id, permissions=frozenset())
    return Actor(person_id=None, account_id=None, name=app.name, role="app", app=reach)


def make_app_key(*, app: AppData, key: str, algorithm: KeyAlgorithm, now: datetime) -> PublicKey:
    """A key of the app's own; its private part never leaves the installation."""
    return trust.make_key_for(namespace_of(app), key=key, algorithm=algorithm, actor=actor_of_app(app), now=now)


def rotate_app_key(*, app: AppData, key: str, now: datetime) -> PublicKey:
    """The next version signs from now on; the ones before it still verify what they signed."""
    return trust.rotate_key_for(namespace_of(app), key=key, actor=actor_of_app(app), now=now)


def revoke_app_key(*, app: AppData, key: str, version: int, now: datetime) -> list[PublicKey]:
    """Believe a version no more, whatever it signed; all versions as they stand afterwards, newest first.

    Where it was the active one nothing signs under this name until the key is rotated.
    """
    space = namespace_of(app)
    trust.revoke_key_for(space, key=key, version=version, actor=actor_of_app(app), now=now)
    return trust.key_versions_for(space, key=key)


def app_key_versions(*, app: AppData, key: str) -> list[PublicKey]:
    """All versions of a key of the app's own, newest first; raises `NotFound` where it has none of this name."""
    return trust.key_versions_for(namespace_of(app), key=key)


def serve(*, app: AppData, operation: Operation, tasks: Sequence[Task], now: datetime) -> list[Outcome]:
    """Do every item or none; each counts as a call, the first was counted at the door. One audit entry for the batch."""
    if sum(len(task.data) for task in tasks) > MAX_BYTES:
        raise Invalid(_("一次最多处理 1 MB 内容。"), remedy=_("请分几次调用。"))
    for _item in tasks[1:]:
        allowance = count_call(app, now=now)
        if not allowance.is_allowed:
            raise TooManyCalls(allowance.retry_after)
    space = namespace_of(app)
    try:
        outcomes = [_done(space, operation, task, now=now) for task in tasks]
    except SealBroken:
        raise Invalid(_("打不开：内容被改过，或者不是这个应用为这个用途封存的。")) from None
    with transaction.atomic():
        details: dict[str, object] = {"count": len(tasks)}
        keys = sorted({task.key for task in tasks if task.key})
        if keys:
            details["keys"] = keys
        action = f"interop.crypto_{operation.value}_served"
        audit.record(actor=actor_of_app(app), action=action, target=f"app:{app.id}", details=details, now=now)
    return outcomes


def _done(space: str, operation: Operation, task: Task, *, now: datetime) -> Outcome:
    match operation:
        case Operation.SIGN:
            return Outcome(trust.sign_for(space, task.data, key=task.key))
        case Operation.VERIFY:
            return Outcome(is_valid=trust.verify_for(space, task.data, task.signature, key=task.key))
        case Operation.SEAL:
            return Outcome(trust.seal_for(space, task.data, purpose=task.purpose))
        case Operation.UNSEAL:
            return Outcome(trust.unseal_for(space, task.data, purpose=task.purpose))
        case Operation.DIGEST:
            return Outcome(trust.digest(task.data, task.digest))
        case Operation.TIMESTAMP:
            return Outcome(trust.timestamp_for(space, task.data, task.digest, now=now))
