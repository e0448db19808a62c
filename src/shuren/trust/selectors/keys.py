"""Public parts of the keys of this installation."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from shuren.kernel.errors import NotFound
from shuren.trust.data import KeyAlgorithm, KeyStatus, KeyStore, PublicKey
from shuren.trust.models import Key
from shuren.trust.rules.signing import jwk_of, pem_of


def key_of(name: str) -> PublicKey | None:
    """The active version of the key, or None when nothing signs under this name (yet, or any more)."""
    row = active_row(name)
    return public_part(row) if row else None


def public_key_of(name: str, *, version: int | None = None) -> PublicKey:
    """The active version, or any version by its number; raises `NotFound`."""
    row = active_row(name) if version is None else Key.objects.filter(name=name, version=version).first()
    if row is None:
        raise missing(name)
    return public_part(row)


def key_versions(name: str) -> list[PublicKey]:
    """All versions of the key, newest first."""
    return [public_part(row) for row in Key.objects.filter(name=name).order_by("-version")]


def public_jwks(names: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """The JSON Web Key Set (RFC 7517 §5) of these keys: active and retired versions, so that old tokens still verify.

    SM2 keys are left out: JOSE does not know them.
    """
    rows = Key.objects.filter(name__in=names).exclude(status=KeyStatus.REVOKED).exclude(algorithm=KeyAlgorithm.SM2)
    found = [public_part(row) for row in rows.order_by("name", "-version")]
    return {"keys": [jwk_of(key.pem, key.algorithm, key_id=key.key_id) for key in found]}


def active_row(name: str) -> Key | None:
    return Key.objects.filter(name=name, status=KeyStatus.ACTIVE).first()


def missing(name: str) -> NotFound:
    return NotFound(_("没有名为“%(name)s”的密钥。") % {"name": name}, remedy=_("请先在“密钥”页生成它。"))


def public_part(row: Key) -> PublicKey:
    return PublicKey(
        name=row.name,
        version=row.version,
        algorithm=KeyAlgorithm(row.algorithm),
        status=KeyStatus(row.status),
        store=KeyStore(row.store),
        spki=bytes(row.public),
        pem=pem_of(bytes(row.public)),
        key_id=row.key_id,
        created_at=row.created_at,
        retired_at=row.retired_at,
    )


def names_under(prefix: str, *, limit: int, after: str = "") -> list[str]:
    """Names of active keys that begin with `prefix`, by name; the next page begins after the last one."""
    rows = Key.objects.filter(status=KeyStatus.ACTIVE, name__gt=after or prefix, name__lt=prefix + "\U0010ffff")
    return list(rows.order_by("name").values_list("name", flat=True)[:limit])
