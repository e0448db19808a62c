"""Vendors, read by themselves and by the officers of their branch."""

from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, OrgType, Permission
from shuren.interop.data import VendorData, VendorStatus
from shuren.interop.models import Vendor, VendorMember
from shuren.kernel import ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.kernel.paging import Page, page_of
from shuren.kernel.scope import path_q
from shuren.trust.api import blind_index

TOKEN_PURPOSE = "interop.vendor_token"  # noqa: S105  # names the use of a key


def vendor_data(row: Vendor) -> VendorData:
    return VendorData(
        id=row.pk,
        public_id=ids.encode("vendor", row.pk),
        name=row.name,
        credit_code=row.credit_code,
        contact_name=row.contact_name,
        email=row.email,
        phone=row.phone,
        website=row.website,
        status=VendorStatus(row.status),
        org_id=row.org_id,
        org_path=row.org_path,
        is_email_checked=row.email_checked_at is not None,
        registered_at=row.registered_at,
        decided_at=row.decided_at,
        reason=row.reason,
    )


def token_digest(token: str) -> str:
    return blind_index(token, purpose=TOKEN_PURPOSE)


def vendor_row_of_token(token: str) -> Vendor:
    """The application that `token` was given for; `NotFound` for any other text."""
    row = Vendor.objects.filter(token_digest=token_digest(token)).first() if 20 <= len(token) <= 80 else None
    if row is None:
        raise NotFound(_("没有找到这个申请。"), remedy=_("请检查网址是否完整。"))
    return row


def vendor_of_person(person_id: int | None) -> Vendor | None:
    """The approved vendor a person acts for."""
    if person_id is None:
        return None
    member = VendorMember.objects.select_related("vendor").filter(person_id=person_id).first()
    return member.vendor if member and member.vendor.status == VendorStatus.APPROVED else None


def own_vendor(*, actor: Actor, now: datetime) -> Vendor | None:
    """The vendor `actor` acts for, in a hat that may develop apps."""
    if directory.scope_of(actor=actor, permission=Permission.DEVELOP_APPS, now=now).is_empty:
        return None
    return vendor_of_person(actor.person_id)


def access_vendor(*, actor: Actor, id: int, now: datetime) -> Vendor:
    """A vendor that applied in a branch where `actor` approves apps; otherwise `NotFound`."""
    row = Vendor.objects.filter(pk=id).first()
    scope = directory.scope_of(actor=actor, permission=Permission.APPROVE_APPS, now=now)
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这个服务商。"))
    return row


def vendors_in_scope(*, actor: Actor, status: str = "", search: str = "", now: datetime) -> QuerySet[Vendor]:
    scope = directory.scope_of(actor=actor, permission=Permission.APPROVE_APPS, now=now)
    rows = Vendor.objects.filter(path_q("org_path", scope.paths)).order_by("-registered_at", "-id")
    if status in {value.value for value in VendorStatus}:
        rows = rows.filter(status=status)
    return rows.filter(name__startswith=search) if search else rows


def page_of_vendors(
    *, actor: Actor, status: str = "", search: str = "", number: int = 1, size: int = 25, now: datetime
) -> Page[VendorData]:
    return page_of(vendors_in_scope(actor=actor, status=status, search=search, now=now), vendor_data, number=number, size=size)


def branches_to_ask() -> list[OrgData]:
    """Where a stranger may apply: the region itself and the levels with an office below it, at most 200."""
    root = directory.root_org()
    if root is None:
        return []
    below = [org for org in directory.children_of(root.id) if org.type in (OrgType.CITY, OrgType.COUNTY)]
    return [root, *below][:200]
