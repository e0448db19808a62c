"""The cryptography service for apps of others: each sees its own keys and its own sealed values, never another's.

`app` is the id of an app in the register. What an app may do, how often, and over which door is decided above.
"""

import re
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid
from shuren.trust.data import KeyAlgorithm, PublicKey, SignatureForm
from shuren.trust.selectors.keys import key_versions, missing, names_under, public_key_of
from shuren.trust.services.keys.make import make_key, revoke_key, rotate_key
from shuren.trust.services.keys.sign import sign, verify
from shuren.trust.services.sealing import seal, unseal

_PART = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


def make_key_for(app: str, *, key: str, algorithm: KeyAlgorithm, actor: Actor, now: datetime) -> PublicKey:
    """A key of the app's own; its private part never leaves the installation."""
    return make_key(name=_name(app, key), algorithm=algorithm, now=now, actor=actor)


def rotate_key_for(app: str, *, key: str, actor: Actor, now: datetime) -> PublicKey:
    return rotate_key(name=_name(app, key), now=now, actor=actor)


def revoke_key_for(app: str, *, key: str, version: int, actor: Actor, now: datetime) -> None:
    revoke_key(name=_name(app, key), version=version, now=now, actor=actor)


def keys_for(app: str, *, limit: int = 100) -> list[PublicKey]:
    """Active keys of the app, by name, at most `limit`."""
    return [public_key_of(name) for name in names_under(_name(app, ""), limit=limit)]


def key_versions_for(app: str, *, key: str) -> list[PublicKey]:
    """All versions, newest first; `NotFound` for a key that is not the app's."""
    found = key_versions(_name(app, key))
    if not found:
        raise missing(key)
    return found


def sign_for(app: str, data: bytes, *, key: str, form: SignatureForm = SignatureForm.RAW) -> bytes:
    """A signature with the app's key; `NotFound` for a key that is not the app's."""
    return sign(data, key=_name(app, key), form=form)


def verify_for(
    app: str,
    data: bytes,
    signature: bytes,
    *,
    key: str,
    version: int | None = None,
    form: SignatureForm = SignatureForm.RAW,
) -> bool:
    return verify(data, signature, key=_name(app, key), version=version, form=form)


def seal_for(app: str, data: bytes, *, purpose: str) -> bytes:
    """Encrypt for the app, by a key of its own; only the same app opens it, for the same purpose."""
    return seal(data, purpose=_purpose(app, purpose), owner=app)


def unseal_for(app: str, sealed: bytes, *, purpose: str) -> bytes:
    """Open what `seal_for` wrote for this app and purpose; raises `SealBroken`."""
    return unseal(sealed, purpose=_purpose(app, purpose), owner=app)


def _name(app: str, key: str) -> str:
    for part in (app, key) if key else (app,):
        if not _PART.fullmatch(part):
            raise Invalid(_("密钥名称只能用小写字母、数字与短横，至多 50 个字符。"), remedy=_("例如 report-2026。"))
    return f"app.{app}.{key}"


def _purpose(app: str, purpose: str) -> str:
    if not _PART.fullmatch(app) or not purpose or len(purpose) > 200:
        raise Invalid(_("封存需要写明用途，至多 200 个字符。"), remedy=_("例如 student-phone。"))
    return f"app.{app}/{purpose}"
