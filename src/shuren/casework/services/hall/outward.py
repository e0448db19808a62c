"""The way to a government platform: one interface for identity, items, cases, certificates and ratings.

What is told is written down first, in the caller's transaction, after the contract has been checked. Where the gateways'
file has a section `government` (`url`, `key_id`, `secret`) a job sends it, signed; otherwise it is recorded and goes nowhere.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from django.db import transaction

from shuren.casework.data import Act, CaseState, DefinitionKind, DefinitionStatus
from shuren.casework.models import Case, CaseEvent, Definition, Outward, Rating, WindowApplicant
from shuren.casework.rules.government import body_of, case_payload, check_payload, item_payload, moment, signed_headers
from shuren.casework.rules.hall import Link, link_of
from shuren.casework.selectors.cases import flow_of_case
from shuren.casework.selectors.definitions import spec_of
from shuren.casework.selectors.outward import access_outward
from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.kernel import audit, ids, outward
from shuren.kernel.data import Actor
from shuren.messaging import api as messaging
from shuren.trust import api as trust

PLATFORM = "government"
RECORDED, WAITING, SENT, FAILED = "recorded", "waiting", "sent", "failed"
_MOST_ATTEMPTS = 8
_AT_ONCE = 200
_FIRST_WAIT = timedelta(minutes=1)


class PlatformFailed(Exception):
    """The platform refused or did not answer; the text tells an administrator why and holds no secret."""


class Platform(Protocol):
    """What a government platform is, whoever runs it: it takes one message or raises `PlatformFailed`."""

    def deliver(self, kind: str, payload: Mapping[str, Any], *, message_id: str, now: datetime) -> None: ...


class SignedPlatform:
    """A platform behind one address that takes signed JSON."""

    def __init__(self, facts: Mapping[str, str]) -> None:
        self._url, self._key_id, self._secret = facts["url"], facts["key_id"], facts["secret"]

    def deliver(self, kind: str, payload: Mapping[str, Any], *, message_id: str, now: datetime) -> None:
        body = body_of(kind, payload, message_id=message_id)
        headers = signed_headers(body, key_id=self._key_id, secret=self._secret, at=now, nonce=secrets.token_hex(16))
        try:
            answer = outward.call(self._url, method="POST", body=body, headers=headers)
        except (outward.OutwardRefused, outward.OutwardFailed) as fault:
            raise PlatformFailed(f"not reached: {fault}") from fault
        if answer.status >= 300:
            raise PlatformFailed(f"status {answer.status}")


def platform() -> Platform | None:
    """The platform that the gateways' file names; None where there is none."""
    facts = messaging.gateway_settings(PLATFORM)
    return SignedPlatform(facts) if facts is not None else None


def tell_platform(kind: str, subject: str, payload: Mapping[str, Any], *, now: datetime) -> Outward:
    """Write one message down in the caller's transaction; raises `ContractBroken` where it is not of its contract."""
    check_payload(kind, payload)
    state = WAITING if platform() is not None else RECORDED
    return Outward.objects.create(
        platform=PLATFORM, kind=kind, subject=subject[:80], payload=dict(payload), state=state, made_at=now
    )


def tell_case(case: Case, link: Link, *, now: datetime) -> Outward:
    """Tell where a case stands."""
    org = directory.orgs_by_ids([case.org_id])[case.org_id]
    accepted = CaseEvent.objects.filter(case=case, act=Act.SUBMITTED.value).order_by("id").values_list("at", flat=True).first()
    is_window = WindowApplicant.objects.filter(case=case).exists()
    payload = case_payload(
        number=case.number,
        item=(case.item.key if case.item else "", (case.item or case.definition).title_zh),
        unit=unit_of(org),
        is_legal_person=case.subject_id is None and not is_window and bool(_filed_by_roles(case)),
        link=link,
        channel="window" if is_window else "web",
        times=(accepted or case.submitted_at, case.due_at, case.closed_at if link is Link.DONE else None),
        state=CaseState(case.state),
        result=case.result,
    )
    return tell_platform("case", f"case:{case.number}", payload, now=now)


def link_of_case(case: Case) -> Link:
    flow = flow_of_case(case)
    return link_of(CaseState(case.state), case.stage, [stage.key for stage in flow.stages] if flow else [])


def tell_certificate(case: Case, *, number: str, name: str, url: str, now: datetime) -> Outward:
    """Tell of a certificate that a case ended with."""
    org = directory.orgs_by_ids([case.org_id])[case.org_id]
    payload = {
        "certificate_number": number,
        "certificate_name": name or case.definition.title_zh,
        "case_number": case.number,
        "item_code": case.item.key if case.item else "",
        "unit_code": unit_of(org)[0],
        "given_at": moment(now),
        "verify_address": url,
    }
    return tell_platform("certificate", f"case:{case.number}", payload, now=now)


def tell_rating(rating: Rating, *, now: datetime) -> Outward:
    """Tell of a rating: the grade and the reasons, not what was written freely."""
    org = directory.orgs_by_ids([rating.case.org_id])[rating.case.org_id]
    payload = {
        "case_number": rating.case.number,
        "item_code": rating.item.key if rating.item else "",
        "unit_code": unit_of(org)[0],
        "satisfaction": int(rating.satisfaction),
        "reasons": list(rating.reasons),
        "channel": rating.channel,
        "rated_at": moment(rating.rated_at),
        "rectify_by": moment(rating.rectify_by) if rating.rectify_by else None,
    }
    return tell_platform("rating", f"case:{rating.case.number}", payload, now=now)


def ask_identity(*, name: str, document: str, is_legal_person: bool = False, now: datetime) -> Outward:
    """Ask the platform whether a name and a document go together; only keyed digests of them leave the house."""
    payload = {
        "request_number": secrets.token_hex(12),
        "applicant_type": "legal_person" if is_legal_person else "natural_person",
        "name_digest": trust.blind_index(name.strip(), purpose="casework.identity_name"),
        "document_digest": trust.blind_index(document.strip().upper(), purpose="casework.identity_document"),
        "asked_at": moment(now),
    }
    return tell_platform("identity", f"identity:{payload['request_number']}", payload, now=now)


@transaction.atomic
def tell_items(*, now: datetime) -> int:
    """Tell of every version of an item in force that the platform was not told of yet; returns how many."""
    rows = Definition.objects.filter(
        kind=DefinitionKind.ITEM.value, status=DefinitionStatus.IN_FORCE.value, current__isnull=False
    ).select_related("current")
    told = set(Outward.objects.filter(kind="item").values_list("subject", flat=True))
    count = 0
    for row in rows:
        assert row.current is not None
        subject = f"item:{row.key}"[:70] + f"@{row.current.number}"
        if subject not in told:
            payload = item_payload(spec_of(row), version=row.current.number, published_at=row.current.made_at)
            tell_platform("item", subject, payload, now=now)
            count += 1
    return count


def send_waiting(*, now: datetime) -> dict[str, int]:
    """Send what waits, oldest first; what fails waits longer each time and is given up after eight tries."""
    gateway = platform()
    counts = {SENT: 0, FAILED: 0}
    if gateway is None:
        return counts
    waiting = list(Outward.objects.filter(state=WAITING).order_by("id").values_list("pk", "attempts", "made_at")[:_AT_ONCE])
    for pk, attempts, made_at in waiting:
        if now >= made_at + _FIRST_WAIT * (2**attempts - 1):
            counts[FAILED if not _sent(gateway, pk, now) else SENT] += 1
    return counts


@transaction.atomic
def _sent(gateway: Platform, pk: int, now: datetime) -> bool:
    row = Outward.objects.select_for_update().get(pk=pk)
    if row.state != WAITING:
        return True
    row.attempts += 1
    try:
        gateway.deliver(row.kind, row.payload, message_id=ids.encode("outward", row.pk), now=now)
    except PlatformFailed as fault:
        row.error = str(fault)[:500]
        row.state = FAILED if row.attempts >= _MOST_ATTEMPTS else WAITING
        row.save(update_fields=["attempts", "error", "state"])
        return False
    row.state, row.error, row.sent_at = SENT, "", now
    row.save(update_fields=["attempts", "error", "state", "sent_at"])
    return True


@transaction.atomic
def retry_outward(*, actor: Actor, id: int, now: datetime) -> None:
    """Let a message that failed, or was only recorded, wait again; without a gateway it stays recorded."""
    row = Outward.objects.select_for_update().get(pk=access_outward(actor=actor, id=id, now=now).pk)
    if row.state in (FAILED, RECORDED) and platform() is not None:
        row.state, row.attempts, row.error = WAITING, 0, ""
        row.save(update_fields=["state", "attempts", "error"])
    audit.record(actor=actor, action="casework.outward_retried", target=f"outward:{row.pk}", details={"kind": row.kind}, now=now)


def unit_of(org: OrgData) -> tuple[str, str]:
    """The code and name of a unit; our own id where it has no code."""
    return org.code or org.public_id, org.name


def _filed_by_roles(case: Case) -> bool:
    flow = flow_of_case(case)
    return flow is not None and bool(flow.filed_by.roles)
