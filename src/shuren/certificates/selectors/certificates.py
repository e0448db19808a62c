"""Certificates: those of a person, those that an org gave, and one by its number."""

import json
import zlib
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.certificates.data import CertificateData, CertificateKind, CertificateStatus
from shuren.certificates.models import Batch, Certificate
from shuren.certificates.rules.numbers import read_number
from shuren.certificates.rules.proofs import with_proof
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.scope import path_q


def status_of(row: Certificate, *, now: datetime) -> CertificateStatus:
    if row.revoked_at is not None:
        return CertificateStatus.REVOKED
    is_over = row.valid_until is not None and row.valid_until < day_of(now)
    return CertificateStatus.EXPIRED if is_over else CertificateStatus.VALID


def certificate_data(row: Certificate, *, now: datetime) -> CertificateData:
    return CertificateData(
        id=row.pk,
        public_id=ids.encode("certificate", row.pk),
        number=row.number,
        kind=CertificateKind(row.kind),
        name=row.version.name,
        name_en=row.version.name_en,
        holder_id=row.holder_id,
        holder_name=row.holder_name,
        issuer_id=row.org_id,
        issuer_name=row.issuer_name,
        narrative=row.narrative,
        given_at=row.given_at,
        valid_until=row.valid_until,
        status=status_of(row, now=now),
        revoked_at=row.revoked_at,
        revoked_reason=row.revoked_reason,
    )


def credential_of(row: Certificate) -> dict[str, Any]:
    """The Open Badges credential with its proof, byte for byte what was signed when it was given."""
    document: dict[str, Any] = json.loads(zlib.decompress(bytes(row.credential)))
    return with_proof(document, row.proof, bytes(row.signature))


def certificates_in_scope(
    *,
    actor: Actor,
    search: str = "",
    status: str = "",
    template_id: int | None = None,
    batch_id: int | None = None,
    now: datetime,
) -> QuerySet[Certificate]:
    """Given in the branches where the actor gives certificates, newest first; search by whole name or number."""
    scope = directory.scope_of(actor=actor, permission=Permission.ISSUE_CERTIFICATES, now=now)
    rows = Certificate.objects.filter(path_q("org_path", scope.paths)).select_related("version").defer("credential")
    if search:
        rows = rows.filter(Q(holder_name=search) | Q(number=read_number(search) or search))
    if status == CertificateStatus.REVOKED:
        rows = rows.filter(revoked_at__isnull=False)
    elif status:
        is_over = Q(valid_until__lt=day_of(now))
        rows = rows.filter(is_over if status == CertificateStatus.EXPIRED else ~is_over | Q(valid_until__isnull=True))
        rows = rows.filter(revoked_at__isnull=True)
    if template_id is not None:
        rows = rows.filter(version__template_id=template_id)
    if batch_id is not None:
        rows = rows.filter(batch_id=batch_id)
    return rows.order_by("-given_at", "-id")


def access_certificate(*, actor: Actor, id: int, now: datetime, for_giving: bool = False) -> Certificate:
    """The certificate: for its holder, the holder's guardians, and those who give certificates where it was given.

    With `for_giving` only for the last. Otherwise `NotFound`.
    """
    row = Certificate.objects.select_related("version").filter(pk=id).first()
    if row is not None:
        scope = directory.scope_of(actor=actor, permission=Permission.ISSUE_CERTIFICATES, now=now)
        if scope.covers(row.org_path) or (not for_giving and row.holder_id in holders_for(actor, now=now)):
            return row
    raise NotFound(_("没有找到这份证书。"))


def holders_for(actor: Actor, *, now: datetime) -> list[int]:
    """Whose certificates the actor keeps: their own, and those of their wards unless another hat is on."""
    if actor.person_id is None:
        return []
    wards = directory.wards_of([actor.person_id], day=day_of(now)) if actor.role in (None, "parent") else []
    return [actor.person_id, *(link.ward_id for link in wards)]


def certificates_of(person_ids: Collection[int]) -> QuerySet[Certificate]:
    """All certificates of these people, newest first; callers have asked for their reach before."""
    rows = Certificate.objects.filter(holder_id__in=list(person_ids)).select_related("version").defer("credential")
    return rows.order_by("-given_at", "-id")


def certificate_by_number(text: str) -> Certificate | None:
    """The certificate of a number as somebody typed it; open to everybody, since numbers cannot be guessed."""
    number = read_number(text)
    return Certificate.objects.select_related("version").filter(number=number).first() if number else None


def access_batch(*, actor: Actor, id: int, now: datetime) -> Batch:
    row = Batch.objects.select_related("version", "org").filter(pk=id).first()
    scope = directory.scope_of(actor=actor, permission=Permission.ISSUE_CERTIFICATES, now=now)
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这一批证书。"))
    return row


def revoked_indexes(status_list: int) -> list[int]:
    rows = Certificate.objects.filter(status_list_id=status_list, revoked_at__isnull=False)
    return list(rows.values_list("status_index", flat=True))
