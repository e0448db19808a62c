"""A stranger asks to offer apps; an officer decides; the vendor opens their account."""

import re
import secrets
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import NewPerson, OrgData, Role
from shuren.identity import api as identity
from shuren.interop.data import Applicant, Secret, VendorStatus
from shuren.interop.models import Vendor, VendorMember
from shuren.interop.selectors.vendors import access_vendor, branches_to_ask, token_digest, vendor_row_of_token
from shuren.kernel import audit, events
from shuren.kernel.data import ANONYMOUS, SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, ShurenError
from shuren.messaging.api import send
from shuren.messaging.data import Channel
from shuren.trust.api import blind_index

MAX_OPEN = 2_000
CODE_HOLDS = timedelta(days=1)
# Within a day from one network, and waiting to be proved by one address of e-mail.
MAX_NEAR = 5
MAX_UNPROVED = 3
MAX_TRIES = 5


class TooManyApplications(ShurenError):
    """Somebody files one application after another (429)."""

    status = 429


def register_vendor(*, applicant: Applicant, org_id: int, address: str = "", now: datetime) -> str:
    """File an application with the branch `org_id`; returns the token that alone opens it, which is kept nowhere.

    Anybody may, a few times a day from one network `address`. A unified social credit code (GB 32100-2015) applies once; a
    refused vendor may ask again, and so may anybody once an application lapsed whose e-mail address nobody proved within a
    day. Whether its check character is right is shown to the officer, for some in real use are not.
    """
    if not re.fullmatch(r"[0-9A-Z]{18}", applicant.credit_code):
        raise Invalid(_("统一社会信用代码要有 18 位数字和大写字母。"), remedy=_("请照营业执照填写。"))
    branch = next((org for org in branches_to_ask() if org.id == org_id), None)
    if branch is None:
        raise NotFound(_("没有找到这个地区。"))
    drop_lapsed(now=now)
    origin = _origin(address)
    _check_room(applicant, origin, now)
    token = secrets.token_urlsafe(32)
    facts = _facts(applicant, branch, now) | {"origin": origin, "token_digest": token_digest(token)}
    try:
        with transaction.atomic():
            standing = Vendor.objects.select_for_update().filter(credit_code=applicant.credit_code).first()
            if standing is not None and standing.status != VendorStatus.REFUSED:
                raise Conflict(_("这家单位已经申请过。"), remedy=_("请用申请时得到的网址查看进度，或联系审核的教育局。"))
            row, _made = Vendor.objects.update_or_create(credit_code=applicant.credit_code, defaults=facts)
            details = {"org_id": branch.id, "credit_code": applicant.credit_code}
            audit.record(actor=ANONYMOUS, action="interop.vendor_registered", target=f"vendor:{row.pk}", details=details, now=now)
            _send_code(row, now=now)
    except IntegrityError as fault:
        raise Conflict(_("这家单位已经申请过。")) from fault
    return token


def _facts(applicant: Applicant, branch: OrgData, now: datetime) -> dict[str, Any]:
    """A fresh application, whatever stood in the row before."""
    return {
        "name": applicant.name.strip(),
        "contact_name": applicant.contact_name.strip(),
        "email": applicant.email,
        "phone": applicant.phone,
        "website": applicant.website,
        "org_id": branch.id,
        "org_path": branch.path,
        "status": VendorStatus.PENDING,
        "registered_at": now,
        "decided_at": None,
        "decided_by": None,
        "reason": "",
        "code_digest": "",
        "code_tries": 0,
        "email_checked_at": None,
    }


def _origin(address: str) -> str:
    """A keyed hash of the network that somebody comes from: an IPv4 address, or the /64 of an IPv6 one; empty for none."""
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return ""
    near = parsed if parsed.version == 4 else ip_network((parsed, 64), strict=False)
    return blind_index(str(near), purpose="interop.vendor_origin")


def _check_room(applicant: Applicant, origin: str, now: datetime) -> None:
    near = Vendor.objects.filter(origin=origin, registered_at__gt=now - CODE_HOLDS)
    if origin and near.count() >= MAX_NEAR:
        raise TooManyApplications(_("从这里提交的申请太多。"), remedy=_("请明天再来，或联系当地教育局。"))
    waiting = Vendor.objects.filter(status=VendorStatus.PENDING)
    if waiting.filter(email__iexact=applicant.email, email_checked_at__isnull=True).count() >= MAX_UNPROVED:
        raise TooManyApplications(_("这个邮箱有几份申请还没有核实。"), remedy=_("请先打开申请页面，填写邮件里的 6 位数字。"))
    if waiting.count() >= MAX_OPEN:
        raise Conflict(_("等待审核的申请太多，暂时不能再收。"), remedy=_("请过几天再来。"))


def drop_lapsed(*, now: datetime) -> int:
    """Forget applications whose e-mail address nobody proved within a day, so that nobody holds a code or a place with them.

    Returns how many.
    """
    lapsed = Vendor.objects.filter(
        status=VendorStatus.PENDING, email_checked_at__isnull=True, registered_at__lte=now - CODE_HOLDS
    )
    with transaction.atomic():
        rows = list(lapsed.select_for_update())
        for row in rows:
            details = {"org_id": row.org_id, "credit_code": row.credit_code}
            audit.record(actor=SYSTEM, action="interop.vendor_lapsed", target=f"vendor:{row.pk}", details=details, now=now)
        Vendor.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _send_code(row: Vendor, *, now: datetime) -> None:
    code = f"{secrets.randbelow(1_000_000):06}"
    row.code_digest, row.code_sent_at, row.code_tries = code_digest(row.pk, code), now, 0
    row.save(update_fields=["code_digest", "code_sent_at", "code_tries"])
    text = _("您的邮箱验证码是 %(code)s，一天内有效。请在申请页面填写。") % {"code": code}
    send(
        channel=Channel.EMAIL,
        to=row.email,
        title=_("应用服务商申请"),
        text=text,
        key=f"vendor-code:{row.pk}:{now.timestamp():.0f}",
        now=now,
    )


def check_email(*, token: str, code: str, now: datetime) -> None:
    """Prove by the code sent there that the applicant reads the address; five tries within a day."""
    row = vendor_row_of_token(token)
    with transaction.atomic():
        row = Vendor.objects.select_for_update().get(pk=row.pk)
        is_open = row.code_sent_at is not None and row.code_sent_at > now - CODE_HOLDS and row.code_tries < MAX_TRIES
        is_right = is_open and constant_time_compare(row.code_digest, code_digest(row.pk, code.strip()))
        row.code_tries += 1
        row.email_checked_at = now if is_right else row.email_checked_at
        row.save(update_fields=["code_tries", "email_checked_at"])
        if is_right:
            audit.record(actor=ANONYMOUS, action="interop.vendor_email_checked", target=f"vendor:{row.pk}", now=now)
    if not is_right:
        raise Invalid(_("验证码不对或已经过期。"), remedy=_("请核对邮件里的 6 位数字。"))


def code_digest(vendor_id: int, code: str) -> str:
    return blind_index(f"{vendor_id}:{code}", purpose="interop.vendor_code")


def _tell_outcome(row: Vendor, *, now: datetime) -> None:
    text = _("申请已通过，请打开申请页面领取账号。") if row.status == VendorStatus.APPROVED else _("申请没有通过：%(reason)s")
    send(
        channel=Channel.EMAIL,
        to=row.email,
        title=_("应用服务商申请"),
        text=text % {"reason": row.reason} if row.status != VendorStatus.APPROVED else text,
        key=f"vendor-outcome:{row.pk}:{now.timestamp():.0f}",
        now=now,
    )


def decide_vendor(*, actor: Actor, vendor_id: int, is_approved: bool, reason: str, now: datetime) -> None:
    """Approve or refuse an application, by an officer with `APPROVE_APPS` on its branch; approve only a proved address.

    Approval makes a person with the role of vendor on the branch and an account that only the applicant's token opens.
    Publishes `interop.vendor_approved` or `interop.vendor_refused`.
    """
    access_vendor(actor=actor, id=vendor_id, now=now)
    if not is_approved and len(reason.strip()) < 2:
        raise Invalid(_("请写明不同意的原因。"), remedy=_("对方会看到这段话。"))
    with transaction.atomic():
        row = Vendor.objects.select_for_update().get(pk=vendor_id)
        if row.status != VendorStatus.PENDING:
            raise Conflict(_("这份申请已经处理过。"), remedy=_("请刷新页面。"))
        if is_approved and row.email_checked_at is None:
            raise Conflict(_("对方还没有核实邮箱，不能通过。"), remedy=_("对方在申请页面填写邮件里的 6 位数字后再审核。"))
        row.status = VendorStatus.APPROVED if is_approved else VendorStatus.REFUSED
        row.reason, row.decided_at, row.decided_by_id = reason.strip()[:300], now, actor.person_id
        row.save(update_fields=["status", "reason", "decided_at", "decided_by"])
        details: dict[str, object] = {"reason": row.reason}
        if is_approved:
            details["person_id"] = _add_member(row, actor=actor, now=now)
            audit.record(actor=actor, action="interop.vendor_approved", target=f"vendor:{row.pk}", details=details, now=now)
            events.publish("interop.vendor_approved", {"vendor_id": row.pk}, now=now)
        else:
            audit.record(actor=actor, action="interop.vendor_refused", target=f"vendor:{row.pk}", details=details, now=now)
            events.publish("interop.vendor_refused", {"vendor_id": row.pk}, now=now)
        _tell_outcome(row, now=now)


def _add_member(row: Vendor, *, actor: Actor, now: datetime) -> int:
    """The person is made by the installation: an officer may approve vendors without managing people."""
    person = NewPerson(name=row.contact_name, email=row.email, phone=row.phone)
    person_id = directory.add_person(actor=SYSTEM, person=person, now=now).id
    directory.grant_role(
        actor=SYSTEM, person_id=person_id, role=Role.VENDOR, org_id=row.org_id, purpose=f"vendor:{row.pk}", begin_at=now, now=now
    )
    identity.create_accounts(actor=SYSTEM, person_ids=[person_id], now=now)
    VendorMember.objects.create(vendor=row, person_id=person_id, joined_at=now)
    return person_id


def open_vendor_account(*, token: str, now: datetime) -> Secret:
    """Give whoever holds the token of an approved vendor the first password, once; it must be changed at once."""
    row = vendor_row_of_token(token)
    member = VendorMember.objects.filter(vendor=row).order_by("id").first()
    if row.status != VendorStatus.APPROVED or member is None:
        raise Conflict(_("申请还没有通过，不能领取账号。"))
    with transaction.atomic():
        Vendor.objects.select_for_update().get(pk=row.pk)
        account = identity.accounts_of_people([member.person_id])[member.person_id]
        if account.is_usable:
            raise Conflict(_("账号已经领取过。"), remedy=_("请直接登录；忘记密码请联系审核的教育局。"))
        password = "-".join(secrets.token_hex(2) for _part in range(4))
        identity.set_password(actor=SYSTEM, person_id=member.person_id, password=password, must_change=True, now=now)
        target = f"vendor:{row.pk}"
        audit.record(actor=ANONYMOUS, action="interop.vendor_account_opened", target=target, now=now)
    return Secret(client_id=account.username, client_secret=password)
