"""Handing out, org by org: drawn, hashed, printed and sealed first, then set in one transaction with the file's row.

So a kill at any moment loses nothing that somebody holds: before the transaction nobody's password has changed, and a
file without a row is written over by the next run.
"""

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, PersonData, Role
from shuren.identity.data import BatchReach, LeftOutReason, Recipients, Slip, SlipForm
from shuren.identity.models import Account, CredentialBatch, CredentialFile, LeftOut
from shuren.identity.rules.batches import MAX_PART, REST, STAFF_ROLES, Standing, is_due, recipients_at
from shuren.identity.selectors.accounts import actor_of_account
from shuren.identity.selectors.batches import write_sealed
from shuren.identity.services.batches.paper import Addressee, paper_of
from shuren.identity.services.credentials import create_accounts, draw_slips, set_first_passwords, who_is_left_out
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Refused


def open_batch(*, batch_id: int, now: datetime) -> OrgData:
    """The branch a batch is for, if its asker may still hand out passwords there; raises `Refused` or `NotFound`."""
    batch = CredentialBatch.objects.get(pk=batch_id)
    return directory.access_org(actor=_asker(batch), id=batch.org_id, permission=Permission.ISSUE_CREDENTIALS, now=now)


def hand_out(
    *, batch_id: int, org: OrgData, now: datetime, keep: Callable[[], None], tell: Callable[[int, int], None] = lambda *_: None
) -> int:
    """Give those who stand in `org` itself their first passwords; returns how many got one.

    `keep` is called in the last transaction, so that the run which comes after a kill does not come back here; `tell`
    after each person, with how many are ready and of how many.
    """
    batch = CredentialBatch.objects.get(pk=batch_id)
    actor = _asker(batch)
    addressees = _addressees(org, tuple(map(Recipients, batch.recipients.split())), now=now)
    left_out = who_is_left_out(actor=actor, person_ids=list(addressees), now=now)
    due = [one for one in _due(batch, addressees.values()) if one.person.id not in left_out]
    for start in range(0, len(due), MAX_PART):
        _hand_out_part(batch, actor, org, due[start : start + MAX_PART], now=now, tell=tell)
    with transaction.atomic():
        _list_left_out(batch, org, left_out)
        skipped = len(addressees) - len(due) - len(left_out)
        CredentialBatch.objects.filter(pk=batch_id).update(skipped=F("skipped") + skipped)
        keep()
    return len(due)


def _hand_out_part(
    batch: CredentialBatch,
    actor: Actor,
    org: OrgData,
    part: list[Addressee],
    *,
    now: datetime,
    tell: Callable[[int, int], None],
) -> None:
    create_accounts(actor=actor, person_ids=[one.person.id for one in part], now=now)
    slips = draw_slips([one.person for one in part])
    hashes = {slip.person_id: _hashed(slip, at, len(slips), tell) for at, slip in enumerate(slips, start=1)}
    number = CredentialFile.objects.filter(batch=batch, org_id=org.id).count() + 1
    paper = paper_of(SlipForm(batch.form), org=org, part=number, addressees=part, slips=slips, site=batch.site, now=now)
    size = write_sealed(batch.pk, org.id, number, paper)
    with transaction.atomic():
        set_first_passwords(actor=actor, hashes=hashes, now=now)
        CredentialFile.objects.create(batch=batch, org_id=org.id, part=number, people=len(part), size=size, made_at=now)
        details = {"batch": batch.pk, "people": len(part)}
        audit.record(actor=actor, action="identity.batch_file_made", target=f"org:{org.id}", details=details, now=now)


def _asker(batch: CredentialBatch) -> Actor:
    account = Account.objects.with_person().filter(pk=batch.asked_by_id, is_active=True).first()
    if account is None:
        raise Refused(_("发起这批发放的账号已经停用。"), remedy=_("请由现在的管理员重新发起。"))
    return actor_of_account(account, role=batch.role or None)


def _addressees(org: OrgData, recipients: tuple[Recipients, ...], *, now: datetime) -> dict[int, Addressee]:
    """In class order, each pupil followed by their parents."""
    held = recipients_at(org.type, recipients)
    if Recipients.STAFF in held:
        return {one.id: Addressee(one) for one in directory.members_of_org(org.id, roles=STAFF_ROLES)}
    pupils = directory.members_of_org(org.id, roles={Role.PUPIL}) if held else []
    parents: dict[int, list[PersonData]] = {}
    if Recipients.PARENTS in held:
        links = directory.guardians_of([pupil.id for pupil in pupils])
        people = directory.people_by_ids([link.guardian_id for link in links])
        for link in links:
            parents.setdefault(link.ward_id, []).extend(filter(None, [people.get(link.guardian_id)]))
    found: dict[int, Addressee] = {}
    for pupil in pupils:
        if Recipients.PUPILS in held:
            found.setdefault(pupil.id, Addressee(pupil))
        for parent in parents.get(pupil.id, ()):
            found.setdefault(parent.id, Addressee(parent, pupil.name))
    return found


def _due(batch: CredentialBatch, addressees: Iterable[Addressee]) -> list[Addressee]:
    met = list(addressees)
    accounts = Account.objects.filter(person_id__in=[one.person.id for one in met])
    standings = {
        account.person_id: Standing(account.has_usable_password(), account.first_sign_in_at, account.password_changed_at)
        for account in accounts.only("person_id", "password", "first_sign_in_at", "password_changed_at")
    }
    reach = BatchReach(batch.reach)
    return [one for one in met if is_due(standings.get(one.person.id, Standing()), reach=reach, begun_at=batch.created_at)]


def _hashed(slip: Slip, at: int, total: int, tell: Callable[[int, int], None]) -> str:
    begun = time.monotonic()
    hashed = make_password(slip.password)
    tell(at, total)
    time.sleep(REST * (time.monotonic() - begun))
    return hashed


def _list_left_out(batch: CredentialBatch, org: OrgData, left_out: dict[int, LeftOutReason]) -> None:
    rows = [LeftOut(batch=batch, person_id=key, org_id=org.id, reason=reason.value) for key, reason in left_out.items()]
    LeftOut.objects.bulk_create(rows, ignore_conflicts=True)
