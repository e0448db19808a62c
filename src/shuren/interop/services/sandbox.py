"""A synthetic school of a vendor's own, outside the region's tree: nobody else sees it, it shows nobody real."""

import secrets
from datetime import date, datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, NewOrg, NewPerson, OrgType, Role, Sex
from shuren.identity import api as identity
from shuren.interop.data import SandboxAccount
from shuren.interop.models import Sandbox, Vendor
from shuren.interop.selectors.vendors import own_vendor
from shuren.kernel import audit, clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import NotFound

# role, name, pupil number or staff number of no register
_PEOPLE: tuple[tuple[str, str, str], ...] = (
    ("class_teacher", "沙老师", ""),
    ("school_admin", "沙管理", ""),
    ("pupil", "沙小一", "1"),
    ("pupil", "沙小二", "2"),
    ("pupil", "沙小三", "3"),
    ("parent", "沙家长一", "1"),
    ("parent", "沙家长二", "2"),
)
_BORN = date(2016, 5, 4)


def make_sandbox(*, actor: Actor, now: datetime) -> list[SandboxAccount]:
    """Build the vendor's synthetic school where there is none yet, and give its people new passwords, shown once.

    Names are invented, national ids begin with 99 and fail their check digit, phones begin with 100, everybody is marked
    synthetic. The school is a tree of its own, so no officer of the region sees or counts it.
    """
    vendor = own_vendor(actor=actor, now=now)
    if vendor is None:
        raise NotFound(_("您还不是登记的服务商。"))
    with transaction.atomic():
        Vendor.objects.select_for_update().get(pk=vendor.pk)
        sandbox = Sandbox.objects.filter(vendor=vendor).first() or _build(vendor, now=now)
        accounts = _open(sandbox, now=now)
        details = {"org_id": sandbox.org_id, "accounts": len(accounts)}
        audit.record(actor=actor, action="interop.sandbox_opened", target=f"vendor:{vendor.pk}", details=details, now=now)
    return accounts


def _build(vendor: Vendor, *, now: datetime) -> Sandbox:
    name = _("沙箱学校（%(vendor)s）") % {"vendor": vendor.name[:80]}
    begun = clock.day_of(now) - timedelta(days=30)
    school = NewOrg(parent_id=None, type=OrgType.SCHOOL, name=name, is_apart=True)
    school_id = directory.add_org(actor=SYSTEM, org=school, now=now).id
    room = NewOrg(parent_id=school_id, type=OrgType.CLASS, name="四年级1班", grade="4")
    class_id = directory.add_org(actor=SYSTEM, org=room, now=now).id
    pupils: dict[str, int] = {}
    for number, (role, person, mark) in enumerate(_PEOPLE, start=1):
        person_id = _add(person, number, is_pupil=role == "pupil", now=now)
        _place(person_id, role, school_id=school_id, class_id=class_id, begun=begun, now=now)
        if role == "pupil":
            pupils[mark] = person_id
        elif role == "parent":
            directory.link_guardian(
                actor=SYSTEM, guardian_id=person_id, ward_id=pupils[mark], relation="父母", begin_date=begun, now=now
            )
    path = directory.orgs_by_ids([school_id])[school_id].path
    return Sandbox.objects.create(vendor=vendor, org_id=school_id, org_path=path, made_at=now)


def _add(name: str, number: int, *, is_pupil: bool, now: datetime) -> int:
    person = NewPerson(
        name=name,
        sex=Sex.FEMALE if number % 2 else Sex.MALE,
        birth_date=_BORN if is_pupil else None,
        phone="" if is_pupil else f"1000000{number:04}",
        grade="4" if is_pupil else "",
        is_synthetic=True,
    )
    return directory.add_person(actor=SYSTEM, person=person, now=now).id


def _place(person_id: int, role: str, *, school_id: int, class_id: int, begun: date, now: datetime) -> None:
    if role in ("pupil", "class_teacher"):
        kind = EnrollmentRole.STUDENT if role == "pupil" else EnrollmentRole.TEACHER
        directory.enrol(
            actor=SYSTEM, person_id=person_id, class_id=class_id, role=kind, is_primary=True, begin_date=begun, now=now
        )
    if role != "class_teacher":
        directory.affiliate(actor=SYSTEM, person_id=person_id, org_id=school_id, role=Role(role), begin_date=begun, now=now)


def _open(sandbox: Sandbox, *, now: datetime) -> list[SandboxAccount]:
    found = directory.enrollments_of_paths([sandbox.org_path])
    people = [person.id for person in directory.people_of_org(sandbox.org_path)] + [row.person_id for row in found]
    person_ids = sorted(set(people))
    names = directory.people_by_ids(person_ids)
    usernames = {person_id: f"sandbox-{sandbox.pk}-{place}" for place, person_id in enumerate(person_ids, start=1)}
    identity.create_accounts(actor=SYSTEM, person_ids=person_ids, usernames=usernames, now=now)
    opened = []
    for person_id in person_ids:
        password = secrets.token_urlsafe(12)
        identity.set_password(actor=SYSTEM, person_id=person_id, password=password, must_change=False, now=now)
        options = directory.role_options(person_id, now=now)
        role = options[-1].role if options else Role.PARENT
        opened.append(SandboxAccount(role.value, names[person_id].name, usernames[person_id], password))
    return opened
