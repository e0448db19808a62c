"""Putting a draft into force."""

from datetime import datetime

from django.db import transaction

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, DefinitionDraft
from shuren.casework.selectors.drafts import access_draft
from shuren.casework.services.define import put_definition
from shuren.kernel.data import Actor


@transaction.atomic
def enforce_draft(*, actor: Actor, draft_id: int, now: datetime) -> Definition:
    """The definition that came of a draft, which is gone then; refused as `put_definition` refuses, the draft then stays."""
    draft = DefinitionDraft.objects.select_for_update().get(pk=access_draft(actor=actor, id=draft_id, now=now).pk)
    done = put_definition(actor=actor, kind=DefinitionKind(draft.kind), body=draft.body, org_id=draft.org_id, now=now)
    draft.delete()
    return done
