"""Parents come to their child by a code from the school."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import NewPerson, Permission
from shuren.identity.data import Binding, BindingSlip, Visit
from shuren.identity.models import Account, BindingCode, Failure
from shuren.identity.rules import binding as rules
from shuren.identity.rules.passwords import Owner, password_refusals
from shuren.identity.selectors.bindings import binding_of, code_hash
from shuren.identity.services import throttle
from shuren.identity.services.credentials import create_accounts
from shuren.identity.services.passwords import PasswordRefused, set_password
from shuren.kernel import audit, clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging import api as messaging
from shuren.search.api import name_syllables


class TooManyTries(Refused):
    """Too many wrong codes came from this network within a quarter of an hour."""

    status = 429


def make_binding_codes(*, actor: Actor, person_ids: Sequence[int], now: datetime) -> list[BindingSlip]:
    """Make new codes for these pupils, two each, and take back those not used yet; the codes are in the answer only.

    `actor` needs `INVITE_GUARDIANS` on every pupil. At most 500 pupils at a time.
    """
    wanted = list(dict.fromkeys(person_ids))
    if not wanted:
        raise Invalid(_("还没有选学生。"), remedy=_("请先勾选学生。"))
    if len(wanted) > rules.MAX_WARDS:
        raise Invalid(_("一次最多给 %(limit)d 名学生做绑定码。") % {"limit": rules.MAX_WARDS}, remedy=_("请按班级分批做。"))
    _check_reach(actor, wanted, now=now)
    people = directory.people_by_ids(wanted)
    slips = [
        BindingSlip(
            person_id=person_id,
            public_id=people[person_id].public_id,
            name=people[person_id].name,
            codes=tuple(rules.binding_code() for _slot in range(rules.CODES_PER_WARD)),
        )
        for person_id in wanted
    ]
    with transaction.atomic():
        _revoke(wanted, now=now)
        BindingCode.objects.bulk_create(
            BindingCode(
                ward_id=slip.person_id,
                code_hash=code_hash(rules.bare_code(code)),
                made_by_id=actor.account_id,
                made_at=now,
                expires_at=now + rules.VALID_FOR,
            )
            for slip in slips
            for code in slip.codes
        )
        for person_id in wanted:
            audit.record(actor=actor, action="identity.binding_codes_made", target=f"person:{person_id}", now=now)
    return slips


@transaction.atomic
def revoke_binding_codes(*, actor: Actor, person_ids: Sequence[int], now: datetime) -> int:
    """Take back the codes of these pupils that nobody used yet; returns how many. Needs `INVITE_GUARDIANS` on each."""
    wanted = list(dict.fromkeys(person_ids))
    _check_reach(actor, wanted, now=now)
    revoked = _revoke(wanted, now=now)
    for person_id in wanted:
        audit.record(actor=actor, action="identity.binding_codes_revoked", target=f"person:{person_id}", now=now)
    return revoked


def find_binding(*, code: str, ward_name: str, visit: Visit, now: datetime) -> Binding:
    """The child behind a code and its name; raises `Invalid` for a wrong one, `TooManyTries` after many from one network."""
    key = f"bind:{visit.address}"
    row = Failure.objects.filter(key=key, window_began_at__gt=now - rules.FAILURE_WINDOW).first()
    if row is not None and row.count >= rules.MAX_FAILURES:
        raise TooManyTries(_("这个网络里输错的次数太多了。"), remedy=_("请过十五分钟再试。"))
    found = binding_of(code=code, ward_name=ward_name, now=now)
    if found is None:
        throttle.add(key, window=rules.FAILURE_WINDOW, now=now)
        raise Invalid(
            _("绑定码或孩子的姓名不对，或者绑定码已经用过、过期了。"), remedy=_("请对照纸条再输一次；不行的话请向班主任要新的。")
        )
    return found


@transaction.atomic
def bind_guardian(*, actor: Actor, binding: Binding, relation: str, now: datetime) -> None:
    """Make the signed-in person the child's guardian; the code is used up. Their class teachers and guardians are told.

    Publishes `directory.guardian_linked`.
    """
    if actor.person_id is None:
        raise NotFound(_("没有找到这个人。"))
    _use(binding, actor.person_id, now=now)
    directory.add_guardian(actor=SYSTEM, guardian_id=actor.person_id, ward_id=binding.ward_id, relation=relation, now=now)
    _record(actor, binding, actor.person_id, relation, now=now)


@transaction.atomic
def register_guardian(*, binding: Binding, name: str, phone: str, relation: str, password: str, now: datetime) -> int:
    """Give a guardian an account, a new person or one whom the school has listed; returns the account's id.

    Whoever stands in the roster as this child's guardian by name and phone and never had a password gets theirs by the
    code. Raises `Conflict` where somebody else of this name and phone is known, who signs in first, and `PasswordRefused`.
    """
    known = directory.person_ids_by_name_and_phone(name=name, phone=phone)
    listed = _listed_without_password(binding, known, now=now)
    if known and listed is None:
        raise Conflict(_("已经有同名同手机号的账号。"), remedy=_("请先登录，再输入绑定码；忘记密码请找班主任。"))
    reasons = password_refusals(password, owner=_owner(name, phone))
    if reasons:
        raise PasswordRefused(reasons)
    guardian_id = listed or directory.add_person(actor=SYSTEM, person=NewPerson(name=name, phone=phone), now=now).id
    _use(binding, guardian_id, now=now)
    if listed is None:
        directory.add_guardian(actor=SYSTEM, guardian_id=guardian_id, ward_id=binding.ward_id, relation=relation, now=now)
    create_accounts(actor=SYSTEM, person_ids=[guardian_id], now=now)
    set_password(actor=SYSTEM, person_id=guardian_id, password=password, must_change=False, now=now)
    account = Account.objects.get(person_id=guardian_id)
    actor = Actor(person_id=guardian_id, account_id=account.pk, name=name)
    _record(actor, binding, guardian_id, relation, now=now)
    return account.pk


def _listed_without_password(binding: Binding, known: Sequence[int], *, now: datetime) -> int | None:
    """The one of these people who is this child's guardian already, and nothing else, and never had a password."""
    guardians = {link.guardian_id for link in directory.guardians_of([binding.ward_id], day=clock.day_of(now))}
    if len(known) != 1 or known[0] not in guardians or directory.duty_paths_of(known, now=now).get(known[0]):
        return None
    account = Account.objects.filter(person_id=known[0]).first()
    is_free = account is None or (account.is_active and account.password_changed_at is None)
    return known[0] if is_free else None


def _owner(name: str, phone: str) -> Owner:
    syllables = name_syllables(name)
    return Owner(names=(name, "".join(syllables), "".join(syllables[1:] + syllables[:1])), numbers=(phone,))


def _use(binding: Binding, guardian_id: int, *, now: datetime) -> None:
    rows = BindingCode.objects.filter(pk=binding.code_id, used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)
    if not rows.update(used_at=now, guardian_id=guardian_id):
        raise Conflict(_("这个绑定码已经用过或者过期了。"), remedy=_("请向班主任要一个新的绑定码。"))


def _record(actor: Actor, binding: Binding, guardian_id: int, relation: str, *, now: datetime) -> None:
    details = {"guardian_id": guardian_id, "relation": relation, "code": binding.code_id}
    audit.record(actor=actor, action="identity.guardian_bound", target=f"person:{binding.ward_id}", details=details, now=now)
    day = clock.day_of(now)
    classes = [row.class_id for row in directory.enrollments_of_people([binding.ward_id], day=day) if row.is_primary]
    teachers = {id for found in directory.class_teachers_of(classes, day=day).values() for id in found}
    others = {link.guardian_id for link in directory.guardians_of([binding.ward_id], day=day)} - {guardian_id}
    messaging.notify(
        person_ids=sorted(teachers | others),
        title=_("%(name)s绑定了%(ward)s") % {"name": actor.name, "ward": binding.ward_name},
        body=_("用的是学校发的绑定码，关系是%(relation)s。如果不对，请马上告诉学校。") % {"relation": relation or _("未填写")},
        url=reverse("directory:person", args=[directory.people_by_ids([binding.ward_id])[binding.ward_id].public_id]),
        key=f"bound:{binding.code_id}",
        now=now,
    )


def _check_reach(actor: Actor, person_ids: Sequence[int], *, now: datetime) -> None:
    within = directory.people_within(actor=actor, person_ids=person_ids, permission=Permission.INVITE_GUARDIANS, now=now)
    if set(person_ids) - within:
        raise NotFound(_("有学生不在您的班级或学校里。"))


def _revoke(person_ids: Sequence[int], *, now: datetime) -> int:
    rows = BindingCode.objects.filter(ward_id__in=person_ids, used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now)
    return rows.update(revoked_at=now)
