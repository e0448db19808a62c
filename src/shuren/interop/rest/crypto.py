"""The cryptography service: every app has keys of its own that never leave the installation."""

import base64
import binascii
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema
from pydantic import Field

from shuren.interop.rest.callers import ERRORS, calling_app
from shuren.interop.services.serve_crypto import (
    Operation,
    Task,
    app_key_versions,
    make_app_key,
    revoke_app_key,
    rotate_app_key,
    serve,
)
from shuren.kernel import clock
from shuren.kernel.errors import Invalid
from shuren.trust.data import DigestAlgorithm, KeyAlgorithm, KeyStatus, PublicKey

router = Router(tags=["crypto"])

Base64 = Annotated[str, Field(max_length=1_400_000, description="base64 (RFC 4648, with padding); at most 1 MiB decoded")]
KeyName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$", description="such as report-2026")]
MAX_BATCH = 100
DIGEST_BYTES = 32


class KeyIn(Schema):
    """A key to make."""

    key: KeyName
    algorithm: KeyAlgorithm


class KeyOut(Schema):
    """A key as its app sees it: the public part as PEM."""

    key: str
    version: int
    algorithm: KeyAlgorithm
    public_key: str


class KeyVersionIn(Schema):
    """One version of a key."""

    version: Annotated[int, Field(ge=1, le=1_000_000, examples=[1])]


class KeyVersionOut(Schema):
    """A version as it stands: `active` signs, `retired` verifies what it signed, `revoked` is believed no more."""

    version: int
    algorithm: KeyAlgorithm
    status: KeyStatus
    public_key: str
    created_at: datetime
    retired_at: datetime | None


class KeyVersionsOut(Schema):
    """All versions of a key, newest first."""

    key: str
    versions: list[KeyVersionOut]


class SignIn(Schema):
    """What to sign, with which of the app's keys."""

    key: KeyName
    data: Base64


class VerifyIn(Schema):
    """What was signed, and the signature."""

    key: KeyName
    data: Base64
    signature: Base64


class SealIn(Schema):
    """What to seal or unseal, bound to a purpose."""

    purpose: Annotated[str, Field(min_length=1, max_length=200, examples=["student-phone"])]
    data: Base64


class DigestIn(Schema):
    """What to hash."""

    algorithm: DigestAlgorithm
    data: Base64


class DataOut(Schema):
    """The outcome of one item, in base64."""

    data: str


class VerdictOut(Schema):
    """Whether a signature holds."""

    is_valid: bool


class SignBatch(Schema):
    """Up to 100 items, answered in their order."""

    items: Annotated[list[SignIn], Field(min_length=1, max_length=MAX_BATCH)]


class VerifyBatch(Schema):
    """Up to 100 items, answered in their order."""

    items: Annotated[list[VerifyIn], Field(min_length=1, max_length=MAX_BATCH)]


class SealBatch(Schema):
    """Up to 100 items, answered in their order."""

    items: Annotated[list[SealIn], Field(min_length=1, max_length=MAX_BATCH)]


class DigestBatch(Schema):
    """Up to 100 items, answered in their order."""

    items: Annotated[list[DigestIn], Field(min_length=1, max_length=MAX_BATCH)]


class DataBatchOut(Schema):
    """The outcomes, in the order asked."""

    items: list[DataOut]


class VerdictBatchOut(Schema):
    """The verdicts, in the order asked."""

    items: list[VerdictOut]


@router.post("/keys", response={200: KeyOut, **ERRORS}, operation_id="make_crypto_key", summary="Make a key of the app's own")
def make_key(request: HttpRequest, body: KeyIn) -> KeyOut:
    """The private part never leaves the installation; 409 where the name is taken."""
    made = make_app_key(app=calling_app(request), key=body.key, algorithm=body.algorithm, now=clock.now())
    return KeyOut(key=body.key, version=made.version, algorithm=made.algorithm, public_key=made.pem)


@router.get(
    "/keys/{key}",
    response={200: KeyVersionsOut, **ERRORS},
    operation_id="get_crypto_key",
    summary="All versions of a key of the app's own",
)
def key_versions(request: HttpRequest, key: KeyName) -> KeyVersionsOut:
    """404 where the app has no key of this name."""
    return _versions(key, app_key_versions(app=calling_app(request), key=key))


@router.post(
    "/keys/{key}/rotate",
    response={200: KeyOut, **ERRORS},
    operation_id="rotate_crypto_key",
    summary="Let the next version of a key sign",
)
def rotate_key(request: HttpRequest, key: KeyName) -> KeyOut:
    """Of the same algorithm. Signatures of the versions before still verify; use revoke for one that was betrayed."""
    made = rotate_app_key(app=calling_app(request), key=key, now=clock.now())
    return KeyOut(key=key, version=made.version, algorithm=made.algorithm, public_key=made.pem)


@router.post(
    "/keys/{key}/revoke",
    response={200: KeyVersionsOut, **ERRORS},
    operation_id="revoke_crypto_key",
    summary="Believe a version of a key no more",
)
def revoke_key(request: HttpRequest, key: KeyName, body: KeyVersionIn) -> KeyVersionsOut:
    """Nothing that this version signed verifies from now on, for good. Where it was the active one, rotate to sign again."""
    return _versions(key, revoke_app_key(app=calling_app(request), key=key, version=body.version, now=clock.now()))


@router.post("/sign", response={200: DataBatchOut, **ERRORS}, operation_id="sign_data", summary="Sign with the app's keys")
def sign(request: HttpRequest, body: SignBatch) -> DataBatchOut:
    """SM2, ECDSA and RSA signatures, as the algorithm of the key says."""
    return _data(request, Operation.SIGN, [Task(key=item.key, data=_bytes(item.data)) for item in body.items])


@router.post("/verify", response={200: VerdictBatchOut, **ERRORS}, operation_id="verify_signatures", summary="Check signatures")
def verify(request: HttpRequest, body: VerifyBatch) -> VerdictBatchOut:
    """Signatures of any version of the app's keys that was not revoked."""
    tasks = [Task(key=item.key, data=_bytes(item.data), signature=_bytes(item.signature)) for item in body.items]
    found = serve(app=calling_app(request), operation=Operation.VERIFY, tasks=tasks, now=clock.now())
    return VerdictBatchOut(items=[VerdictOut(is_valid=outcome.is_valid) for outcome in found])


@router.post("/seal", response={200: DataBatchOut, **ERRORS}, operation_id="seal_data", summary="Encrypt for this app alone")
def seal(request: HttpRequest, body: SealBatch) -> DataBatchOut:
    """Only the same app opens it, for the same purpose."""
    return _data(request, Operation.SEAL, [Task(purpose=item.purpose, data=_bytes(item.data)) for item in body.items])


@router.post("/unseal", response={200: DataBatchOut, **ERRORS}, operation_id="unseal_data", summary="Open what this app sealed")
def unseal(request: HttpRequest, body: SealBatch) -> DataBatchOut:
    """400 for anything that was changed, or sealed by another app or for another purpose."""
    return _data(request, Operation.UNSEAL, [Task(purpose=item.purpose, data=_bytes(item.data)) for item in body.items])


@router.post("/digest", response={200: DataBatchOut, **ERRORS}, operation_id="digest_data", summary="Hash with SHA-256 or SM3")
def digest(request: HttpRequest, body: DigestBatch) -> DataBatchOut:
    """The raw digest, 32 bytes."""
    return _data(request, Operation.DIGEST, [Task(digest=item.algorithm, data=_bytes(item.data)) for item in body.items])


@router.post(
    "/timestamp", response={200: DataBatchOut, **ERRORS}, operation_id="timestamp_digests", summary="Have the region say when"
)
def timestamp(request: HttpRequest, body: DigestBatch) -> DataBatchOut:
    """`data` is the digest of the content, not the content; the answer is a timestamp token in DER (RFC 3161)."""
    tasks = [Task(digest=item.algorithm, data=_bytes(item.data)) for item in body.items]
    if any(len(task.data) != DIGEST_BYTES for task in tasks):
        raise Invalid(_("时间戳要的是 32 字节的摘要。"), remedy=_("请先用 digest 算出摘要。"))
    return _data(request, Operation.TIMESTAMP, tasks)


def _versions(key: str, found: list[PublicKey]) -> KeyVersionsOut:
    return KeyVersionsOut(
        key=key,
        versions=[
            KeyVersionOut(
                version=one.version,
                algorithm=one.algorithm,
                status=one.status,
                public_key=one.pem,
                created_at=one.created_at,
                retired_at=one.retired_at,
            )
            for one in found
        ],
    )


def _data(request: HttpRequest, operation: Operation, tasks: list[Task]) -> DataBatchOut:
    found = serve(app=calling_app(request), operation=operation, tasks=tasks, now=clock.now())
    return DataBatchOut(items=[DataOut(data=base64.b64encode(outcome.data).decode()) for outcome in found])


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid(_("内容不是 base64。")) from None
