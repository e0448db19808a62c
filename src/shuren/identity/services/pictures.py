"""Picture passwords: a card for the class, three pictures for each child, and coming in with them."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from random import SystemRandom

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import EnrollmentRole, OrgData, OrgType, Permission, PersonData
from shuren.identity.data import SignInOutcome, SignInRefusal, Visit
from shuren.identity.models import Account, PictureCard, PicturePassword
from shuren.identity.rules import locks
from shuren.identity.rules.pictures import drawn_pictures, is_young
from shuren.identity.rules.risk import is_inside
from shuren.identity.selectors.places import networks_of_school
from shuren.identity.services import throttle
from shuren.identity.services.credentials import create_accounts
from shuren.kernel import audit, clock
from shuren.kernel.data import ANONYMOUS, Actor
from shuren.kernel.errors import Invalid, NotFound, Refused
from shuren.trust import api as trust

_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
_MAX_CLASS = 100


@dataclass(frozen=True, slots=True)
class PictureSlip:
    """One child's pictures, shown this once."""

    name: str
    pictures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassCard:
    """What is printed for a class: the code on the wall, and a slip for every child."""

    code: str
    org: OrgData
    slips: tuple[PictureSlip, ...]


def access_picture_class(*, actor: Actor, id: int, now: datetime) -> OrgData:  # the word of all access functions
    """A class of grade 1 or 2 whose class teacher the actor is, or for which they hand out passwords."""
    org = directory.orgs_by_ids([id]).get(id)
    teachers = directory.class_teachers_of([id], day=clock.day_of(now)).get(id, [])
    if org is None or org.type is not OrgType.CLASS or actor.person_id is None or actor.person_id not in teachers:
        org = directory.access_org(actor=actor, id=id, permission=Permission.ISSUE_CREDENTIALS, now=now)
    if org.type is not OrgType.CLASS:
        raise NotFound(_("没有找到这个班。"))
    return org


def make_class_card(*, actor: Actor, class_id: int, now: datetime) -> ClassCard:
    """Draw new pictures for every child of the class and a new code for its wall; older ones are void.

    Raises `Refused` for classes above grade 2 and where the school's network is not written down.
    """
    org = access_picture_class(actor=actor, id=class_id, now=now)
    if not is_young(grade=org.grade, name=org.name):
        raise Refused(_("图片登录只给小学一、二年级用。"), remedy=_("三年级以上请发放密码。"))
    if not networks_of_class(org):
        raise Refused(_("学校还没有登记校内网络，图片登录不能用。"), remedy=_("请学校管理员先登记校内网络地址。"))
    pupils = pupils_of_class(org, now=now)
    if not pupils:
        raise Invalid(_("这个班还没有学生。"), remedy=_("请先导入名册。"))
    with transaction.atomic():
        create_accounts(actor=actor, person_ids=[pupil.id for pupil in pupils], now=now)
        accounts = dict(Account.objects.filter(person_id__in=[pupil.id for pupil in pupils]).values_list("person_id", "pk"))
        random, code = SystemRandom(), "".join(secrets.choice(_LETTERS) for _place in range(8))
        PictureCard.objects.update_or_create(class_id=org.id, defaults={"code": code, "made_at": now})
        slips = tuple(PictureSlip(pupil.name, drawn_pictures(random)) for pupil in pupils)
        PicturePassword.objects.filter(account_id__in=accounts.values()).delete()
        PicturePassword.objects.bulk_create(
            PicturePassword(
                account_id=accounts[pupil.id],
                class_id=org.id,
                pictures_hash=_hash(accounts[pupil.id], slip.pictures),
                made_at=now,
            )
            for pupil, slip in zip(pupils, slips, strict=True)
        )
        details = {"count": len(slips)}
        audit.record(actor=actor, action="identity.class_card_made", target=f"org:{org.id}", details=details, now=now)
    return ClassCard(code, org, slips)


def open_class(*, code: str, address: str, now: datetime) -> tuple[OrgData, list[PersonData]]:
    """The class behind the code on the wall and its children.

    Outside the school's network it does not exist, nor once the class has left grade 2.
    """
    card = PictureCard.objects.filter(code=code.strip().lower()[:16]).first()
    org = directory.orgs_by_ids([card.class_id]).get(card.class_id) if card else None
    if org is None or not is_young(grade=org.grade, name=org.name) or not is_inside(address, networks_of_class(org)):
        raise NotFound(_("这里打不开这个班。"), remedy=_("图片登录只能在学校里用。在家请用账号和密码。"))
    standing = set(PicturePassword.objects.filter(class_id=org.id).values_list("account__person_id", flat=True))
    return org, [pupil for pupil in pupils_of_class(org, now=now) if pupil.id in standing]


def check_pictures(*, code: str, person_id: int, pictures: tuple[str, ...] | None, visit: Visit, now: datetime) -> SignInOutcome:
    """Whether the child's three pictures fit. Wrong ones make this child's tile wait, nobody else's."""
    _org, pupils = open_class(code=code, address=visit.address, now=now)
    if person_id not in {pupil.id for pupil in pupils}:
        raise NotFound(_("没有找到这位同学。"))
    row = PicturePassword.objects.select_related("account").get(account__person_id=person_id)
    key = f"picture:{throttle.origin_of(account_id=row.account_id, visit=visit).pair}"
    together = f"picture:account:{row.account_id}"
    until = throttle.blocked_until(key, now=now)
    if until is None and throttle.is_spent(together, most=locks.MAX_PICTURE_FAILURES, window=locks.STRANGE_WINDOW, now=now):
        until = now + locks.STRANGE_WINDOW
    if until:
        return SignInOutcome(None, SignInRefusal.LOCKED, until)
    if pictures is None or not compare_digest(row.pictures_hash, _hash(row.account_id, pictures)):
        with transaction.atomic():
            until = throttle.count_key(key, now=now)
            throttle.add(together, window=locks.STRANGE_WINDOW, now=now)
            audit.record(
                actor=ANONYMOUS,
                action="identity.pictures_refused",
                target=f"account:{row.account_id}",
                details={"address": visit.address},
                now=now,
            )
        return SignInOutcome(None, SignInRefusal.LOCKED if until else SignInRefusal.WRONG, until)
    if not row.account.is_active:
        return SignInOutcome(None, SignInRefusal.INACTIVE)
    throttle.forget_key(key)
    return SignInOutcome(row.account_id)


def networks_of_class(org: OrgData) -> tuple[str, ...]:
    """The networks of the school (or group) that the class belongs to, the nearest that wrote any down."""
    chain = [org, *reversed(directory.ancestors_of(org.id))]
    return next((found for found in (networks_of_school(above.id) for above in chain) if found), ())


def pupils_of_class(org: OrgData, *, now: datetime) -> list[PersonData]:
    rows = directory.enrollments_of_paths([org.path], role=EnrollmentRole.STUDENT, day=clock.day_of(now))
    found = list(dict.fromkeys(row.person_id for row in rows))[:_MAX_CLASS]
    people = directory.people_by_ids(found)
    return [people[person_id] for person_id in found if person_id in people]


def _hash(account_id: int, pictures: tuple[str, ...]) -> str:
    return trust.blind_index(f"{account_id}:{','.join(pictures)}", purpose="identity.pictures")
