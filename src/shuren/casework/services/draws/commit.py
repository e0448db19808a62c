"""Freezing the pools and publishing the commitment, before anybody contributes."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DrawState
from shuren.casework.models import Draw
from shuren.casework.rules.draw_bundles import digest_of, statement_of
from shuren.casework.rules.draws import SECRET_BYTES, canonical, commitment_of
from shuren.casework.selectors.draws import access_run
from shuren.directory import api as directory
from shuren.directory.data import PersonData
from shuren.kernel import audit, events, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid
from shuren.trust import api as trust
from shuren.trust.data import Business, DigestAlgorithm

PERSON, PUBLIC_VALUE = "person", "public_value"
PURPOSE = "casework.draw_secret"


@dataclass(frozen=True, slots=True)
class Contributor:
    """Who gives the independent part by when. For a public value `what` says which, and the person types it in as witness."""

    person_id: int
    kind: str
    due_at: datetime
    reveal_due_at: datetime
    what: str = ""


@transaction.atomic
def commit_draw(*, actor: Actor, draw_id: int, contributor: Contributor, now: datetime) -> Draw:
    """Write the pools down for good, seal a fresh secret, publish its digest, and put all of it on record.

    The contributor must be somebody else than the operator and share no office with them.
    """
    draw = Draw.objects.select_for_update().select_related("org").get(pk=access_run(actor=actor, id=draw_id, now=now).pk)
    if draw.state != DrawState.PREPARING.value:
        raise Conflict(_("这次抽取的承诺已经公布。"))
    person = _independent(actor, contributor, now)
    _check_times(contributor, now)
    assert actor.person_id is not None
    secret = secrets.token_bytes(SECRET_BYTES)
    pools = canonical({"objects": draw.objects_pool, "inspectors": draw.inspectors_pool})
    digests = {name: trust.digest(pools, algorithm).hex() for name, algorithm in _DIGESTS.items()}
    draw.commitment = commitment_of(secret)
    draw.secret_sealed = trust.seal(secret, purpose=PURPOSE)
    draw.pools_digest = digests["sha256"]
    draw.statement = statement_of(
        title=draw.title,
        org=ids.encode("org", draw.org_id),
        org_name=draw.org.name,
        rules=draw.rules,
        digests=digests,
        commitment=draw.commitment,
        operator={"id": ids.encode("person", actor.person_id), "name": actor.name},
        contributor={"kind": contributor.kind, "id": person.public_id, "name": person.name, "what": contributor.what},
        committed_at=now,
        contribution_due_at=contributor.due_at,
        reveal_due_at=contributor.reveal_due_at,
    )
    draw.statement_digest = digest_of(draw.statement)
    draw.contributor, draw.contributor_person_id = person.name, person.id
    draw.contribution_due_at, draw.reveal_due_at, draw.committed_at = contributor.due_at, contributor.reveal_due_at, now
    draw.made_by_id, draw.state = actor.person_id, DrawState.COMMITTED.value
    draw.statement_entry_id = trust.anchor(
        business=business_of(draw), subject=f"draw:{draw.pk}", digest=bytes.fromhex(draw.statement_digest), now=now
    )
    draw.save()
    details = {"statement": draw.statement_digest, "contributor": person.id}
    audit.record(actor=actor, action="casework.draw_committed", target=f"draw:{draw.pk}", details=details, now=now)
    events.publish("casework.draw_committed", {"draw_id": draw.pk, "org_path": draw.org_path}, now=now)
    return draw


def _independent(actor: Actor, contributor: Contributor, now: datetime) -> PersonData:
    """The person, who is not the operator and holds none of the operator's offices."""
    person = directory.people_by_ids([contributor.person_id]).get(contributor.person_id)
    if person is None:
        raise Invalid(_("没有找到第三方见证人。"), remedy=_("请填写人员编号。"))
    if person.id == actor.person_id:
        raise Invalid(_("操作人不能同时是第三方。"), remedy=_("请另请一位不参与组织抽取的人。"))
    bare = Actor(person_id=actor.person_id, account_id=None, name=actor.name)
    theirs = Actor(person_id=person.id, account_id=None, name=person.name)
    shared = set(directory.offices_of(actor=bare, now=now)) & set(directory.offices_of(actor=theirs, now=now))
    if shared:
        raise Invalid(
            _("%(name)s与操作人在同一机构担任同一职务，不算第三方。") % {"name": person.name},
            remedy=_("请另请其他机构或其他职务的人，例如监察、家长代表或公证人员。"),
        )
    return person


def _check_times(contributor: Contributor, now: datetime) -> None:
    if not now < contributor.due_at < contributor.reveal_due_at:
        raise Invalid(_("时间不对。"), remedy=_("第三方截止时间要晚于现在，开奖截止时间要晚于第三方截止时间。"))
    if contributor.kind not in (PERSON, PUBLIC_VALUE) or (contributor.kind == PUBLIC_VALUE and not contributor.what):
        raise Invalid(_("请写明用哪个公开数值。"), remedy=_("例如“2026-12-05 上证指数收盘价，保留两位小数”。"))


def business_of(draw: Draw) -> Business:
    """A lottery for school places belongs to the business of enrolment, an inspection to what is audited."""
    return Business.AUDIT if draw.definition_version_id else Business.ENROLMENT


_DIGESTS = {"sha256": DigestAlgorithm.SHA256, "sm3": DigestAlgorithm.SM3}
