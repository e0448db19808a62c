"""Keys made, turned over and taken back."""

import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust.data import KeyAlgorithm, KeyStatus, KeyStore, PublicKey
from shuren.trust.models import Key
from shuren.trust.rules.signing import key_id_of
from shuren.trust.selectors.keys import key_of, missing, public_part
from shuren.trust.services.keys.stores import place_private

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)*")


@transaction.atomic
def make_key(
    *,
    name: str,
    algorithm: KeyAlgorithm,
    now: datetime,
    store: KeyStore = KeyStore.SEALED,
    reference: str = "",
    actor: Actor = SYSTEM,
) -> PublicKey:
    """Make version 1 of a key, named like `identity.oidc` or `ca.region`; publishes `trust.key_made`.

    `reference` is a path, the name of a variable or the label of a token's object, as `store` says. A file that does
    not exist is made; variables and tokens must hold the key already.
    """
    if not _NAME.fullmatch(name) or len(name) > 120:
        raise Invalid(_("密钥名称只能用小写字母、数字、短横与点。"), remedy=_("例如 identity.oidc。"))
    if Key.objects.filter(name=name).exists():
        raise Conflict(_("已有名为“%(name)s”的密钥。") % {"name": name}, remedy=_("要换新，请用“更换”。"))
    row = Key(name=name, version=1, algorithm=algorithm.value, store=store.value, reference=reference)
    return _kept(row, event="trust.key_made", actor=actor, now=now)


def ensure_key(*, name: str, algorithm: KeyAlgorithm, now: datetime) -> PublicKey:
    """The active key of this name, made on first use; two that come together agree on one."""
    try:
        return key_of(name) or make_key(name=name, algorithm=algorithm, now=now)
    except Conflict:
        found = key_of(name)
        if found is None:
            raise
        return found


@transaction.atomic
def rotate_key(*, name: str, now: datetime, actor: Actor = SYSTEM, reference: str = "") -> PublicKey:
    """Make the next version and let the present one only verify from now on; publishes `trust.key_rotated`.

    Keys outside the table need the `reference` of their next version.
    """
    versions = list(Key.objects.select_for_update().filter(name=name).order_by("-version"))
    if not versions:
        raise missing(name)
    newest = versions[0]
    if newest.store != KeyStore.SEALED and reference in {"", newest.reference}:
        raise Invalid(_("这把密钥存放在系统外。"), remedy=_("请给出新一版的存放处。"))
    Key.objects.filter(name=name, status=KeyStatus.ACTIVE).update(status=KeyStatus.RETIRED, retired_at=now)
    row = Key(name=name, version=newest.version + 1, algorithm=newest.algorithm, store=newest.store, reference=reference)
    return _kept(row, event="trust.key_rotated", actor=actor, now=now)


@transaction.atomic
def revoke_key(*, name: str, version: int, now: datetime, actor: Actor = SYSTEM) -> None:
    """Believe this version no more, neither new nor old signatures; publishes `trust.key_revoked`."""
    row = Key.objects.select_for_update().filter(name=name, version=version).first()
    if row is None:
        raise missing(name)
    row.status, row.retired_at = KeyStatus.REVOKED, row.retired_at or now
    row.save(update_fields=["status", "retired_at"])
    _tell(row, event="trust.key_revoked", actor=actor, now=now)


def _kept(row: Key, *, event: str, actor: Actor, now: datetime) -> PublicKey:
    row.status, row.created_at = KeyStatus.ACTIVE.value, now
    row.public = place_private(row)
    row.key_id = key_id_of(bytes(row.public), KeyAlgorithm(row.algorithm))
    row.save(force_insert=True)
    _tell(row, event=event, actor=actor, now=now)
    return public_part(row)


def _tell(row: Key, *, event: str, actor: Actor, now: datetime) -> None:
    facts = {"name": row.name, "version": row.version, "algorithm": row.algorithm, "key_id": row.key_id}
    audit.record(actor=actor, action=event, target=f"key:{row.pk}", details={**facts, "store": row.store}, now=now)
    events.publish(event, facts, now=now)
