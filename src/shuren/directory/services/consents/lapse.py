"""Tell recipients whose consent holds no more because its notice ended, or asks anew."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from shuren.directory.data import ConsentDecision, ConsentState
from shuren.directory.models import Consent
from shuren.directory.selectors.consents import consent_states, subjects_of
from shuren.kernel import events
from shuren.kernel.clock import day_of

_STEP = 500


def lapse_consents(notice: Mapping[str, Any], *, after: int, now: datetime, keep: Callable[[int], None]) -> int:
    """Publish `directory.consent_withdrawn` for everybody who had agreed and now has not; returns how many.

    `notice` is what `directory.consent_text_ended` and `directory.consent_text_published` tell. Goes on `after` the person
    that `keep` was told of last. Nothing is written: the answers stand as they were given, their notice is what ended.
    """
    if not notice["recipient"] or notice.get("voids") is None:
        return 0
    told = 0
    given = Consent.objects.filter(base_id=notice["voids"], is_current=True, decision=ConsentDecision.GIVEN.value)
    while people := list(given.filter(person_id__gt=after).order_by("person_id").values_list("person_id").distinct()[:_STEP]):
        ids = [person_id for (person_id,) in people]
        with transaction.atomic():
            told += _told(ids, notice, now)
            keep(ids[-1])
        after = ids[-1]
    return told


def _told(person_ids: list[int], notice: Mapping[str, Any], now: datetime) -> int:
    towards = {"purpose": notice["purpose"], "recipient": notice["recipient"]}
    states = consent_states(subjects_of(person_ids, day=day_of(now)), **towards, now=now)
    lapsed = [id for id in person_ids if id not in states or states[id].state is not ConsentState.GIVEN]
    for person_id in lapsed:
        state = states[person_id].state if person_id in states else ConsentState.OUTDATED
        payload = {"person_id": person_id, **towards, "text_id": notice["text_id"], "state": state.value}
        events.publish("directory.consent_withdrawn", payload, now=now)
    return len(lapsed)
