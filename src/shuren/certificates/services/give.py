"""Certificates written, signed, put on record and told of; one given to one person."""

import hashlib
import json
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.certificates.data import CertificateKind, Recipient
from shuren.certificates.models import Batch, Certificate, StatusList, Template, TemplateVersion
from shuren.certificates.rules.canonical_form import canonical_filled
from shuren.certificates.rules.credentials import (
    CONTEXTS,
    Achievement,
    CredentialFacts,
    achievement_credential,
    did_of,
    instant,
)
from shuren.certificates.rules.numbers import new_number
from shuren.certificates.rules.proofs import options_digest, proof_options
from shuren.certificates.rules.status_list import SIZE, scattered
from shuren.certificates.rules.wording import checked_values, day_in_words, filled, months_after
from shuren.certificates.selectors.issuer import PROOF_KEY, base_url
from shuren.certificates.selectors.places import places_of
from shuren.certificates.selectors.templates import current_of, template_for_giving
from shuren.directory import api as directory
from shuren.directory.data import OrgData, Permission, PersonData
from shuren.kernel import audit, events, ids
from shuren.kernel.clock import day_of
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound
from shuren.messaging import api as messaging
from shuren.trust import api as trust
from shuren.trust.data import Business, KeyAlgorithm

BUSINESSES = {
    CertificateKind.HONOUR: Business.HONOUR,
    CertificateKind.DIPLOMA: Business.DIPLOMA,
    CertificateKind.GROWTH: Business.GROWTH,
}


@dataclass(frozen=True, slots=True)
class Item:
    """One certificate to be written; `key` makes sure that it is written once."""

    key: str
    person: PersonData
    values: dict[str, str]
    replaces_id: int | None = None


@transaction.atomic
def give_certificate(
    *,
    actor: Actor,
    org_id: int,
    template_id: int,
    recipient: Recipient,
    key: str = "",
    replaces_id: int | None = None,
    now: datetime,
) -> int:
    """Give one certificate as an org where the actor may; publishes `certificates.certificate_issued`.

    Asked again with the same `key` it answers with the certificate that was given then.
    """
    org = directory.access_org(actor=actor, id=org_id, permission=Permission.ISSUE_CERTIFICATES, now=now)
    version = current_of(template_for_giving(org=org, id=template_id))
    person = people_to_give(actor, [recipient.person_id], now)[recipient.person_id]
    key = key or f"one:{uuid.uuid4()}"
    standing = Certificate.objects.filter(key=key).values_list("pk", flat=True).first()
    if standing is not None:
        return standing
    item = Item(key, person, checked_values(recipient.values, version.fields), replaces_id)
    (row,) = write_certificates(actor=actor, org=org, version=version, items=[item], batch=None, given_at=now, now=now)
    payload = {"certificate_id": row.pk, "person_id": row.holder_id, "org_id": org.id, "kind": row.kind}
    events.publish("certificates.certificate_issued", payload, now=now)
    return row.pk


def people_to_give(actor: Actor, person_ids: Sequence[int], now: datetime) -> dict[int, PersonData]:
    """These people, all of whom lie in the actor's reach; otherwise `NotFound`."""
    within = directory.people_within(actor=actor, person_ids=person_ids, permission=Permission.ISSUE_CERTIFICATES, now=now)
    if set(person_ids) - within:
        raise NotFound(_("没有找到这个人。"))
    return directory.people_by_ids(person_ids)


def write_certificates(
    *,
    actor: Actor,
    org: OrgData,
    version: TemplateVersion,
    items: Sequence[Item],
    batch: Batch | None,
    given_at: datetime,
    now: datetime,
) -> list[Certificate]:
    """Write, sign, anchor, audit and tell of these certificates in the caller's transaction."""
    if not items:
        return []
    writer = _Writer(org=org, version=version, given_at=given_at, now=now)
    places = places_of([item.person.id for item in items], day=day_of(given_at))
    seats = take_seats(len(items))
    rows = [writer.row(item, places[item.person.id], seat) for item, seat in zip(items, seats, strict=True)]
    signatures = trust.sign_many([writer.options_digest + row.digest for row in rows], key=PROOF_KEY)
    entries = trust.anchor_many(
        business=BUSINESSES[CertificateKind(version.template.kind)],
        items=[(f"certificate:{row.number}", bytes(row.digest)) for row in rows],
        now=now,
    )
    for row, signature, entry in zip(rows, signatures, entries, strict=True):
        row.signature, row.entry_id, row.batch, row.given_by_name = signature, entry, batch, actor.name[:100]
    Certificate.objects.bulk_create(rows)
    said = {"org": org.id, "template": version.template_id, "version": version.number}
    audit.record_many(
        actor=actor,
        action="certificates.certificate_issued",
        entries=((f"certificate:{row.pk}", {"number": row.number, **said}) for row in rows),
        now=now,
    )
    _tell_people(rows, version.name, key=f"certificates:batch:{batch.pk}" if batch else f"certificate:{rows[0].pk}", now=now)
    return rows


def _tell_people(rows: Sequence[Certificate], name: str, *, key: str, now: datetime) -> None:
    holders = [row.holder_id for row in rows]
    guardians = [link.guardian_id for link in directory.guardians_of(holders, day=day_of(now))]
    messaging.notify(
        person_ids=[*holders, *guardians],
        title=_("收到一份新的证书：%(name)s") % {"name": name},
        body=_("在“我的证书”里可以查看、下载，或分享给别人。"),
        url="/my-certificates/",
        key=key,
        now=now,
    )


def take_seats(count: int) -> list[tuple[int, int]]:
    """(list, bit) for so many certificates, each its own; locks the newest list until the transaction ends."""
    seats: list[tuple[int, int]] = []
    while len(seats) < count:
        row = StatusList.objects.select_for_update().order_by("-id").first()
        if row is None or row.taken >= SIZE:
            row = StatusList.objects.create()
        taken = min(SIZE - row.taken, count - len(seats))
        seats += [(row.pk, scattered(row.taken + step, number=row.pk)) for step in range(taken)]
        row.taken += taken
        row.save(update_fields=["taken"])
    return seats


class _Writer:
    """What is the same for all certificates of a chunk is made once."""

    def __init__(self, *, org: OrgData, version: TemplateVersion, given_at: datetime, now: datetime) -> None:
        template: Template = version.template
        self.base, self.org, self.version, self.given_at = base_url(), org, version, given_at
        day = day_of(given_at)
        self.valid_until = months_after(day, version.valid_months) if version.valid_months else None
        self.achievement = Achievement(
            key=f"{ids.encode('template', template.pk)}-{version.number}",
            kind=CertificateKind(template.kind),
            name=version.name,
            criteria=version.criteria,
        )
        key = trust.ensure_key(name=PROOF_KEY, algorithm=KeyAlgorithm.ED25519, now=now)
        method = f"{did_of(self.base, org.public_id)}#{key.key_id}"
        self.options = proof_options(created=instant(given_at), method=method)
        self.options_digest = options_digest(self.options, CONTEXTS)

    def row(self, item: Item, places: dict[str, str], seat: tuple[int, int]) -> Certificate:
        words = {"name": item.person.name, "date": day_in_words(day_of(self.given_at)), **places, **item.values}
        facts = CredentialFacts(
            number=new_number(),
            holder=str(uuid.uuid4()),
            name=item.person.name,
            narrative=filled(self.version.wording, words).replace("\r\n", "\n"),
            status_list=seat[0],
            status_index=seat[1],
            given_at=self.given_at,
            valid_until=self.valid_until,
        )
        said: dict[str, Any] = {
            "achievement": self.achievement,
            "base": self.base,
            "issuer": self.org.public_id,
            "issuer_name": self.org.name,
        }
        digest = hashlib.sha256(canonical_filled(facts, **said).encode()).digest()
        document = achievement_credential(facts, **said)
        return Certificate(
            number=facts.number,
            key=item.key,
            version=self.version,
            kind=self.achievement.kind.value,
            org_id=self.org.id,
            org_path=self.org.path,
            issuer_name=self.org.name,
            holder_id=item.person.id,
            holder_name=facts.name,
            holder_key=facts.holder,
            narrative=facts.narrative,
            given_at=self.given_at,
            valid_until=self.valid_until,
            credential=zlib.compress(json.dumps(document, ensure_ascii=False).encode(), 6),
            proof=self.options,
            digest=digest,
            status_list_id=seat[0],
            status_index=seat[1],
            replaces_id=item.replaces_id,
        )
