"""Publish a notice, and take one back."""

import re
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.directory.data import NewConsentText, OrgStatus, Permission
from shuren.directory.models import ConsentText, Org
from shuren.directory.rules.consent import asks_again, says_the_same
from shuren.directory.selectors.consents import in_force_q
from shuren.directory.selectors.scope import scope_of
from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound
from shuren.standards.api import grade_of

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,39}")


@transaction.atomic
def publish_consent_text(*, actor: Actor, text: NewConsentText, now: datetime, is_correction: bool = False) -> int:
    """Ask the people of a branch; returns the version's id and publishes `directory.consent_text_published`.

    Takes the place of the version before it for the same org, purpose and recipient. Answers to that one go on to hold only
    where the new one asks for no more elements and says the same, or `is_correction` says that only its wording was put
    right. Needs `ANSWER_SUBJECTS`.
    """
    _check(text)
    org = Org.objects.select_for_update().filter(pk=text.org_id, status=OrgStatus.ACTIVE).first()
    scope = scope_of(actor=actor, permission=Permission.ANSWER_SUBJECTS, now=now)
    if org is None or not scope.covers(org.path):
        raise NotFound(_("没有找到这个机构。"))
    line = ConsentText.objects.filter(org=org, purpose=text.purpose, recipient=text.recipient)
    last = line.order_by("-version").first()
    standing = line.filter(in_force_q(now)).order_by("-version").first()
    row = ConsentText.objects.create(
        org=org,
        org_path=org.path,
        purpose=text.purpose,
        recipient=text.recipient,
        recipient_name=text.recipient_name,
        version=last.version + 1 if last else 1,
        elements=sorted(set(text.elements)),
        title_zh=text.title_zh,
        body_zh=text.body_zh,
        title_en=text.title_en,
        body_en=text.body_en,
        begin_at=now,
        published_by_id=actor.person_id,
    )
    again = standing is None or _asks_again(standing, row, is_correction)
    row.base_id = row.pk if standing is None or again else standing.base_id
    row.save(update_fields=["base"])
    line.filter(in_force_q(now)).exclude(pk=row.pk).update(end_at=now)
    details = {
        "org_id": org.pk,
        "purpose": row.purpose,
        "recipient": row.recipient,
        "version": row.version,
        "elements": row.elements,
        "asks_again": again,
        "voids": standing.base_id if standing is not None and again else None,
    }
    audit.record(
        actor=actor, action="directory.consent_text_published", target=f"consent_text:{row.pk}", details=details, now=now
    )
    events.publish("directory.consent_text_published", {"text_id": row.pk, **details}, now=now)
    return row.pk


@transaction.atomic
def end_consent_text(*, actor: Actor, text_id: int, now: datetime) -> None:
    """Stop asking: from now on nothing is disclosed on its strength. Publishes `directory.consent_text_ended`."""
    scope = scope_of(actor=actor, permission=Permission.ANSWER_SUBJECTS, now=now)
    row = ConsentText.objects.select_for_update().filter(in_force_q(now), pk=text_id).first()
    if row is None or not scope.covers(row.org_path):
        raise NotFound(_("没有找到这份告知书。"))
    row.end_at = now
    row.save(update_fields=["end_at"])
    details = {"purpose": row.purpose, "recipient": row.recipient, "org_id": row.org_id, "voids": row.base_id}
    audit.record(actor=actor, action="directory.consent_text_ended", target=f"consent_text:{row.pk}", details=details, now=now)
    events.publish("directory.consent_text_ended", {"text_id": row.pk, **details}, now=now)


def _asks_again(before: ConsentText, after: ConsentText, is_correction: bool) -> bool:
    words = [(row.title_zh, row.body_zh, row.title_en, row.body_en) for row in (before, after)]
    is_reworded = not is_correction and not says_the_same(*words)
    return asks_again(before=before.elements, after=after.elements, is_reworded=is_reworded)


def _check(text: NewConsentText) -> None:
    if not _SLUG.fullmatch(text.purpose):
        raise Invalid(_("用途代码只能用小写字母、数字和下划线。"))
    if not text.title_zh.strip() or not text.body_zh.strip():
        raise Invalid(_("请写清楚告知书的标题和内容。"))
    if not text.elements:
        raise Invalid(_("请至少选择一项要用到的信息。"))
    for code in text.elements:
        try:
            grade_of(code)
        except KeyError:
            raise Invalid(_("没有“%(code)s”这个数据项。") % {"code": code}) from None
