"""Passkeys (WebAuthn level 2): registered, used to come in or as a second factor, named and removed.

Attestation is not asked for: any authenticator will do, and none is told apart. The challenge lies in the session and
serves once, for five minutes.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from fido2.server import Fido2Server
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from shuren.identity.models import Account, Passkey
from shuren.kernel import audit
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.trust import api as trust

MAX_PASSKEYS = 10
_LASTS = timedelta(minutes=5)


class PasskeyRefused(Invalid):
    """The browser's answer does not prove the key."""


def begin_registration(*, account: Account, name: str, host: str, now: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options for `navigator.credentials.create` and the state that `finish_registration` wants back."""
    standing = [AttestedCredentialData(bytes(row.credential)) for row in account.passkeys.all()]
    if len(standing) >= MAX_PASSKEYS:
        raise Conflict(_("最多可以登记 %(count)d 个通行密钥。") % {"count": MAX_PASSKEYS}, remedy=_("请先删除不用的。"))
    options, state = _server(host).register_begin(
        PublicKeyCredentialUserEntity(id=_user_handle(account.pk), name=account.username, display_name=name),
        credentials=standing,
        resident_key_requirement=ResidentKeyRequirement.REQUIRED,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options.public_key), {**state, "at": now.timestamp(), "for": account.pk}


@transaction.atomic
def finish_registration(
    *, actor: Actor, state: Mapping[str, Any] | None, response: Mapping[str, Any], name: str, host: str, now: datetime
) -> Passkey:
    """Check the new key and keep it; raises `PasskeyRefused`."""
    assert actor.account_id is not None
    kept = _checked(state, account_id=actor.account_id, now=now)
    try:
        data = _server(host).register_complete(kept, RegistrationResponse.from_dict(response))
    except (ValueError, KeyError, TypeError, AssertionError) as fault:
        raise PasskeyRefused(_("通行密钥没有登记成功。"), remedy=_("请再试一次。")) from fault
    credential = data.credential_data
    if credential is None:
        raise PasskeyRefused(_("通行密钥没有登记成功。"), remedy=_("请再试一次。"))
    credential_id = websafe_encode(credential.credential_id)
    if Passkey.objects.filter(credential_id=credential_id).exists():
        raise Conflict(_("这个通行密钥已经登记过了。"))
    row = Passkey.objects.create(
        account_id=actor.account_id,
        credential_id=credential_id,
        credential=bytes(credential),
        sign_count=data.counter,
        name=(name.strip() or _("通行密钥"))[:60],
        created_at=now,
    )
    _record(actor, "identity.passkey_added", row, now=now)
    return row


def begin_proof(*, account_id: int | None, host: str, now: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options for `navigator.credentials.get`; without an account any passkey of this place may answer."""
    rows = Passkey.objects.filter(account_id=account_id) if account_id else []
    options, state = _server(host).authenticate_begin(
        credentials=[AttestedCredentialData(bytes(row.credential)) for row in rows] or None,
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options.public_key), {**state, "at": now.timestamp(), "for": account_id}


def finish_proof(
    *, state: Mapping[str, Any] | None, response: Mapping[str, Any], account_id: int | None, host: str, now: datetime
) -> int:
    """The account whose key answered; raises `PasskeyRefused`. A counter that did not grow tells of a copied key."""
    kept = _checked(state, account_id=account_id, now=now)
    try:
        answer = AuthenticationResponse.from_dict(response)
        row = _found(answer, account_id)
        handle = answer.response.user_handle
        if handle is not None and bytes(handle) != _user_handle(row.account_id):
            raise ValueError("the handle belongs to another account")
        _server(host).authenticate_complete(kept, [AttestedCredentialData(bytes(row.credential))], answer)
        counter = answer.response.authenticator_data.counter
    except (ValueError, KeyError, TypeError, AssertionError) as fault:
        raise PasskeyRefused(_("通行密钥没有通过验证。"), remedy=_("请再试一次，或者换一种方式登录。")) from fault
    with transaction.atomic():
        if (counter or row.sign_count) and not _counts_on(row, counter):
            _record(ANONYMOUS, "identity.passkey_copied", row, now=now)
            is_copied = True
        else:
            Passkey.objects.filter(pk=row.pk).update(used_at=now)
            is_copied = False
    if is_copied:
        raise PasskeyRefused(_("这个通行密钥可能被复制过，不能使用。"), remedy=_("请换一种方式登录，并删除这个通行密钥。"))
    return row.account_id


@transaction.atomic
def rename_passkey(*, actor: Actor, passkey_id: int, name: str, now: datetime) -> None:
    """Give one of the actor's own passkeys another name."""
    row = _own(actor, passkey_id)
    row.name = name.strip()[:60] or row.name
    row.save(update_fields=["name"])
    _record(actor, "identity.passkey_renamed", row, now=now)


@transaction.atomic
def remove_passkey(*, actor: Actor, passkey_id: int, now: datetime) -> None:
    """Forget one of the actor's own passkeys."""
    row = _own(actor, passkey_id)
    _record(actor, "identity.passkey_removed", row, now=now)
    row.delete()


def _own(actor: Actor, passkey_id: int) -> Passkey:
    row = Passkey.objects.filter(pk=passkey_id, account_id=actor.account_id or 0).first()
    if row is None:
        raise NotFound(_("没有找到这个通行密钥。"))
    return row


def _found(answer: AuthenticationResponse, account_id: int | None) -> Passkey:
    rows = Passkey.objects.filter(credential_id=websafe_encode(answer.raw_id))
    row = rows.filter(account_id=account_id).first() if account_id else rows.first()
    if row is None:
        raise ValueError("nobody registered this key here")
    return row


def _counts_on(row: Passkey, counter: int) -> bool:
    """Move the counter on; False when somebody was faster or the counter stood still (WebAuthn 6.1.1)."""
    return bool(Passkey.objects.filter(pk=row.pk, sign_count__lt=counter).update(sign_count=counter))


def _checked(state: Mapping[str, Any] | None, *, account_id: int | None, now: datetime) -> dict[str, Any]:
    if state is None or state.get("for") != account_id or not 0 <= now.timestamp() - state["at"] < _LASTS.total_seconds():
        raise PasskeyRefused(_("等待的时间太长了。"), remedy=_("请再试一次。"))
    return {"challenge": state["challenge"], "user_verification": state["user_verification"]}


def _server(host: str) -> Fido2Server:
    domain = settings.SHUREN_PASSKEY_DOMAIN or host.rsplit(":", 1)[0]
    entity = PublicKeyCredentialRpEntity(id=domain, name=settings.SHUREN_REGION_NAME)
    return Fido2Server(entity, attestation=AttestationConveyancePreference.NONE)


def _user_handle(account_id: int) -> bytes:
    """What an authenticator keeps of the account: it tells nothing and is the same for all keys of one account."""
    return websafe_decode(trust.blind_index(str(account_id), purpose="identity.user_handle"))[:32]


def _record(actor: Actor, action: str, row: Passkey, *, now: datetime) -> None:
    audit.record(actor=actor, action=action, target=f"account:{row.account_id}", details={"passkey": row.pk}, now=now)
