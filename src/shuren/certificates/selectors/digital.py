"""Digital certificates within the reader's reach: one's own, those of units one runs, and those one may issue."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from shuren.certificates.models.digital import AskedKind, DigitalCertificate
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import Scope, path_q
from shuren.trust import api as trust
from shuren.trust.data import CertificateFacts


@dataclass(frozen=True, slots=True)
class DigitalRow:
    """An asking with names, its certificate if there is one, and what the reader may do with it."""

    asked: DigitalCertificate
    holder: str
    org_name: str
    certificate: CertificateFacts | None
    is_owner: bool
    may_decide: bool


@dataclass(frozen=True, slots=True)
class Reach:
    """What one reader may do: fetch and withdraw what is theirs (`owned`), decide (`decided`)."""

    person_id: int | None
    account_id: int | None
    owned: Scope
    decided: Scope

    def owns(self, row: DigitalCertificate) -> bool:
        if row.kind == AskedKind.PERSON:
            return row.person_id is not None and row.person_id == self.person_id
        return self.owned.covers(row.org.path)

    def decides(self, row: DigitalCertificate) -> bool:
        # Four eyes: whoever asks does not decide, whatever hats they wear.
        is_own = row.person_id is not None and row.person_id == self.person_id
        return self.decided.covers(row.org.path) and not is_own and row.asked_by != self.account_id

    @property
    def q(self) -> Q:
        units = Q(kind__in=[AskedKind.UNIT, AskedKind.DEVICE]) & path_q("org__path", self.owned.paths)
        own = Q(person_id=self.person_id) if self.person_id is not None else Q(pk__in=())
        return own | units | path_q("org__path", self.decided.paths)


def reach_of(*, actor: Actor, now: datetime) -> Reach:
    owned, decided = (
        directory.scope_of(actor=actor, permission=permission, now=now)
        for permission in (Permission.MANAGE_ORGS, Permission.MANAGE_KEYS)
    )
    return Reach(actor.person_id, actor.account_id, owned, decided)


def page_of_digital(*, actor: Actor, now: datetime, status: str, kind: str, number: int, size: int) -> Page[DigitalRow]:
    """Askings within reach, newest first."""
    reach = reach_of(actor=actor, now=now)
    rows = _rows().filter(reach.q)
    if status:
        rows = rows.filter(status=status)
    if kind:
        rows = rows.filter(kind=kind)
    page: Page[DigitalCertificate] = page_of(rows.order_by("-pk"), lambda row: row, number=number, size=size)
    return Page(rows=told(list(page.rows), reach), total=page.total, is_exact=page.is_exact, number=page.number, size=page.size)


def access_digital(*, actor: Actor, id: int, now: datetime) -> DigitalRow:
    """One asking, if it lies within reach; otherwise `NotFound`."""
    reach = reach_of(actor=actor, now=now)
    row = _rows().filter(reach.q, pk=id).first()
    if row is None:
        raise NotFound(_("没有找到这张数字证书。"))
    return told([row], reach)[0]


def told(rows: list[DigitalCertificate], reach: Reach) -> list[DigitalRow]:
    found = trust.certificates_by_ids([row.certificate_id for row in rows if row.certificate_id is not None])
    return [
        DigitalRow(
            asked=row,
            holder=holder_of(row),
            org_name=row.org.name,
            certificate=found.get(row.certificate_id) if row.certificate_id else None,
            is_owner=reach.owns(row),
            may_decide=reach.decides(row),
        )
        for row in rows
    ]


def holder_of(row: DigitalCertificate) -> str:
    if row.person is not None:
        return row.person.name
    return row.device or row.org.name


def _rows() -> QuerySet[DigitalCertificate]:
    return DigitalCertificate.objects.select_related("org", "person")
