"""Digital certificates asked for, allowed or refused, fetched, withdrawn and taken back."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.certificates.models.digital import AskedKind, AskedStatus, DigitalCertificate
from shuren.certificates.rules.dns_names import is_domain, lies_under
from shuren.certificates.selectors.digital import DigitalRow, access_digital, holder_of, reach_of
from shuren.certificates.selectors.issuer import own_host
from shuren.certificates.selectors.regions import revoked_codes
from shuren.directory import api as directory
from shuren.directory.data import OrgType, Permission
from shuren.kernel import audit, events
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging import api as messaging
from shuren.trust import api as trust
from shuren.trust.data import CertificateFacts, CertificateKind, KeyAlgorithm, KeyFile, RevocationReason, SubjectName

REMINDED_BEFORE = timedelta(days=30)
# A renewal is asked for when the end is near, or every certificate would have a row of heirs.
RENEWED_BEFORE = timedelta(days=60)


@transaction.atomic
def ask_certificate(
    *,
    actor: Actor,
    kind: AskedKind,
    org_id: int | None,
    device: str,
    dns_name: str,
    algorithm: KeyAlgorithm,
    request: str,
    now: datetime,
    renews: int | None = None,
) -> int:
    """Ask for a certificate: for oneself, or for a unit and its devices that one runs; returns the asking's id.

    `request` is PKCS#10 in PEM; without it a key is made when the certificate is fetched. Publishes
    `certificates.digital_asked`.
    """
    former = _renewable(actor, renews, now) if renews is not None else None
    row = DigitalCertificate(kind=kind, device=device, dns_name=dns_name, algorithm=algorithm, request=request)
    if former is not None:
        row.kind, row.device, row.dns_name = former.asked.kind, former.asked.device, former.asked.dns_name
        row.org_id, row.person_id, row.renews = former.asked.org_id, former.asked.person_id, former.asked
    elif kind is AskedKind.PERSON:
        row.org_id, row.person_id = _own_org(actor, now), actor.person_id
    else:
        row.org_id = _managed_org(actor, org_id, now)
    if row.kind == AskedKind.DEVICE and not row.device.strip():
        raise Invalid(_("没有填设备名称。"), remedy=_("请填写设备名称，例如“东门闸机”。"))
    _refuse_own_names(row)
    if request:
        trust.spki_of_request(request.encode())
    row.asked_by, row.asked_at = actor.account_id, now
    row.save(force_insert=True)
    tell_step(row, "certificates.digital_asked", actor=actor, now=now)
    return row.pk


@transaction.atomic
def allow_certificate(*, actor: Actor, id: int, authority: str, days: int, now: datetime, domain: str = "") -> None:
    """Certify the asker's key, or let them fetch one; `certificates.digital_allowed` tells them.

    A device's host name must lie under `domain`, of which whoever decides has made sure that it is the asker's.
    """
    found = _deciding(actor, id, now)
    row = _standing(found, AskedStatus.ASKED)
    _refuse_own_names(row)
    if row.dns_name and not (is_domain(domain) and lies_under(row.dns_name, domain)):
        raise Invalid(
            _("设备域名“%(name)s”不在您核实的域名下。") % {"name": row.dns_name},
            remedy=_("请核实并填写属于申请单位的域名；核实不了就不要批准。"),
        )
    if trust.authority(authority).code in revoked_codes():
        raise Conflict(_("这个证书机构已被吊销，不能再签发。"), remedy=_("请另选签发机构。"))
    row.authority, row.days, row.decided_at, row.status = authority, days, now, AskedStatus.ALLOWED
    if row.request:
        facts = trust.issue_certificate(
            authority=authority,
            kind=CertificateKind(row.kind),
            subject=subject_of(row),
            request=row.request.encode(),
            days=days,
            actor=actor,
            now=now,
        )
        row.certificate_id, row.status = facts.id, AskedStatus.ISSUED
    row.save()
    tell_step(row, "certificates.digital_allowed", actor=actor, now=now, dns_name=row.dns_name, domain=domain.strip())
    notify_holder(row, _("“%(holder)s”的数字证书已批准，请查看并下载。") % {"holder": holder_of(row)}, now=now)


@transaction.atomic
def refuse_certificate(*, actor: Actor, id: int, reason: str, now: datetime) -> None:
    """Refuse with a reason that the asker reads; publishes `certificates.digital_refused`."""
    row = _standing(_deciding(actor, id, now), AskedStatus.ASKED)
    if not reason.strip():
        raise Invalid(_("没有填理由。"), remedy=_("请写明不批准的理由，申请人会看到。"))
    row.status, row.refusal, row.decided_at = AskedStatus.REFUSED, reason.strip()[:200], now
    row.save()
    tell_step(row, "certificates.digital_refused", actor=actor, now=now)
    title = _("“%(holder)s”的数字证书没有批准。") % {"holder": holder_of(row)}
    notify_holder(row, title, body=row.refusal, now=now)


@transaction.atomic
def fetch_key(*, actor: Actor, id: int, passphrase: str, now: datetime) -> KeyFile:
    """Make the key of an allowed asking, certify it, and hand both over, once; publishes `certificates.digital_fetched`."""
    found = access_digital(actor=actor, id=id, now=now)
    if not found.is_owner:
        raise Refused(_("只有申请人能领取密钥。"))
    row = _standing(found, AskedStatus.ALLOWED)
    facts, file = trust.issue_with_key(
        authority=row.authority,
        kind=CertificateKind(row.kind),
        subject=subject_of(row),
        algorithm=KeyAlgorithm(row.algorithm),
        passphrase=passphrase,
        days=row.days or 365,
        actor=actor,
        now=now,
    )
    row.certificate_id, row.status = facts.id, AskedStatus.ISSUED
    row.save()
    tell_step(row, "certificates.digital_fetched", actor=actor, now=now)
    return file


@transaction.atomic
def withdraw_asking(*, actor: Actor, id: int, now: datetime) -> None:
    """The asker no longer wants it; publishes `certificates.digital_withdrawn`."""
    found = access_digital(actor=actor, id=id, now=now)
    if not found.is_owner:
        raise Refused(_("只有申请人能撤回申请。"))
    row = _standing(found, AskedStatus.ASKED, AskedStatus.ALLOWED)
    row.status = AskedStatus.WITHDRAWN
    row.save()
    tell_step(row, "certificates.digital_withdrawn", actor=actor, now=now)


@transaction.atomic
def revoke_digital(*, actor: Actor, id: int, reason: RevocationReason, now: datetime) -> None:
    """Take the certificate back: by its holder, or by whoever issues; publishes `certificates.digital_revoked`."""
    found = access_digital(actor=actor, id=id, now=now)
    if not (found.is_owner or found.may_decide):
        raise Refused(_("您不能吊销这张证书。"))
    row = _standing(found, AskedStatus.ISSUED)
    trust.revoke_certificate(id=row.certificate_id or 0, reason=reason, actor=actor, now=now)
    tell_step(row, "certificates.digital_revoked", actor=actor, now=now)
    notify_holder(row, _("“%(holder)s”的数字证书已吊销，不能再用。") % {"holder": holder_of(row)}, now=now)


def remind_of_ends(*, now: datetime) -> int:
    """Tell holders once, thirty days before their certificate ends; returns how many were told."""
    count, after = 0, 0
    while found := trust.certificates_ending(begin=now, end=now + REMINDED_BEFORE, after=after, limit=500):
        rows = DigitalCertificate.objects.filter(certificate_id__in=[facts.id for facts in found], reminded_at__isnull=True)
        for row in rows.select_related("org", "person"):
            count += _reminded(row, found, now)
        after = found[-1].id
    return count


@transaction.atomic
def _reminded(row: DigitalCertificate, found: list[CertificateFacts], now: datetime) -> int:
    ends = next(facts.ends_at for facts in found if facts.id == row.certificate_id)
    if not DigitalCertificate.objects.filter(pk=row.pk, reminded_at__isnull=True).update(reminded_at=now):
        return 0
    details = {"id": row.pk, "certificate_id": row.certificate_id, "ends": f"{ends:%Y-%m-%d}"}
    audit.record(actor=SYSTEM, action="certificates.digital_reminded", target=f"digital:{row.pk}", details=details, now=now)
    words = {"holder": holder_of(row), "day": details["ends"]}
    notify_holder(row, _("“%(holder)s”的数字证书将于 %(day)s 到期，请及时续期。") % words, now=now)
    return 1


def subject_of(row: DigitalCertificate) -> SubjectName:
    """What stands in the certificate, from the directory and nowhere else."""
    if row.person is not None:
        return SubjectName(common_name=row.person.name, organization=row.org.name, serial_number=row.person.number)
    if row.kind == AskedKind.UNIT:
        return SubjectName(common_name=row.org.name, organization=row.org.name, serial_number=row.org.code)
    names = (row.dns_name,) if row.dns_name else ()
    return SubjectName(common_name=row.device, organization=row.org.name, dns_names=names)


def _refuse_own_names(row: DigitalCertificate) -> None:
    """Whoever holds a server's certificate for our own host can pass for the platform; old software reads the name there too."""
    if row.kind == AskedKind.DEVICE and any(lies_under(name, own_host()) for name in (row.dns_name, row.device)):
        raise Refused(_("不能给本平台自己的域名申请证书。"), remedy=_("请填写设备自己的域名。"))


def _own_org(actor: Actor, now: datetime) -> int:
    if actor.person_id is None:
        raise Refused(_("这个账号不属于任何人。"))
    hats = directory.role_options(actor.person_id, now=now)
    orgs = directory.orgs_by_ids([hat.org_id for hat in hats if hat.org_id is not None])
    org = next(iter(orgs.values()), None) or directory.root_org()
    if org is None:
        raise NotFound(_("还没有机构。"))
    if org.type is OrgType.CLASS:
        # A class is no employer: what stands in the certificate is its school.
        return directory.ancestors_of(org.id)[-1].id
    return org.id


def _managed_org(actor: Actor, org_id: int | None, now: datetime) -> int:
    reach = reach_of(actor=actor, now=now)
    org = directory.orgs_by_ids([org_id]).get(org_id) if org_id is not None else None
    if org is None or not reach.owned.covers(org.path):
        raise NotFound(_("没有找到这个机构。"))
    return org.id


def _renewable(actor: Actor, id: int, now: datetime) -> DigitalRow:
    found = access_digital(actor=actor, id=id, now=now)
    facts = found.certificate
    if not found.is_owner or facts is None or facts.revoked_at is not None:
        raise Conflict(_("这张证书不能续期。"), remedy=_("请重新申请。"))
    if facts.ends_at - now > RENEWED_BEFORE:
        raise Conflict(_("证书离到期还早。"), remedy=_("到期前 %(days)s 天内可以续期。") % {"days": RENEWED_BEFORE.days})
    return found


def _deciding(actor: Actor, id: int, now: datetime) -> DigitalRow:
    found = access_digital(actor=actor, id=id, now=now)
    if not found.may_decide:
        raise Refused(_("您当前的身份不能审批数字证书。"), remedy=_("请联系安全管理员；本人不能审批自己的申请。"))
    return found


def _standing(found: DigitalRow, *statuses: AskedStatus) -> DigitalCertificate:
    row = DigitalCertificate.objects.select_for_update(of=("self",)).select_related("org", "person").get(pk=found.asked.pk)
    if row.status not in statuses:
        raise Conflict(_("这个申请的状态已经变了。"), remedy=_("请刷新页面后再看。"))
    return row


def notify_holder(row: DigitalCertificate, title: str, *, body: str = "", now: datetime) -> None:
    """Tell the holder; of a unit and its devices whoever runs the unit now, where nobody does whoever runs the next above."""
    readers = [row.person_id] if row.person_id is not None else []
    if row.person_id is None:
        above = [org.id for org in reversed(directory.ancestors_of(row.org_id))]
        found = (directory.people_in_charge(id, Permission.MANAGE_ORGS, now=now) for id in [row.org_id, *above])
        readers = next((people for people in found if people), [])
    messaging.notify(person_ids=readers, title=title, body=body, url="/digital-certificates/", now=now)


def tell_step(row: DigitalCertificate, event: str, *, actor: Actor, now: datetime, **beside: str) -> None:
    """Write the step into the audit trail, with what is told `beside` it there alone, and publish it."""
    facts = {"id": row.pk, "kind": row.kind, "org_id": row.org_id, "certificate_id": row.certificate_id}
    details = facts | {key: value for key, value in beside.items() if value}
    audit.record(actor=actor, action=event, target=f"digital:{row.pk}", details=details, now=now)
    events.publish(event, facts, now=now)
