"""Beginning, saving and dropping drafts; a draft may be as wrong as it likes until it is put into force."""

from collections.abc import Mapping
from datetime import datetime
from json import dumps
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.casework.data import DefinitionKind
from shuren.casework.models import Definition, DefinitionDraft
from shuren.casework.selectors.drafts import BUILT, access_definition, access_draft, may_change
from shuren.casework.services.builder.first import copied_body, first_body
from shuren.directory import api as directory
from shuren.directory.data import Permission
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused

LARGEST = 1_000_000


@transaction.atomic
def begin_draft(
    *,
    actor: Actor,
    kind: DefinitionKind,
    org_id: int,
    title: str,
    form: str = "",
    copy_id: int | None = None,
    parts: Mapping[str, Any] | None = None,
    now: datetime,
) -> DefinitionDraft:
    """A draft of something new in an org: empty, with `parts` read from a file, or copied from what the actor may look at."""
    org = directory.access_org(actor=actor, id=org_id, permission=Permission.DEFINE_CASEWORK, now=now)
    if kind.value not in BUILT or not title.strip():
        raise Invalid(_("请填写名称，并选择表单或流程。"))
    draft = DefinitionDraft(
        kind=kind.value,
        org_id=org.id,
        org_path=org.path,
        title=title.strip()[:120],
        body={},
        made_at=now,
        changed_at=now,
        changed_by_id=actor.person_id,
    )
    draft.save()
    key = f"own.{kind.value}_{draft.pk}"
    if copy_id is None:
        draft.body = {**first_body(kind, key, draft.title, form), **(parts or {})}
        _check_size(draft.body)
    else:
        model = access_definition(actor=actor, id=copy_id, now=now)
        assert model.current is not None
        draft.kind, draft.body = model.kind, copied_body(model.current.body, f"own.{model.kind}_{draft.pk}", draft.title)
    draft.save()
    audit.record(
        actor=actor,
        action="casework.draft_begun",
        target=f"definition_draft:{draft.pk}",
        details={"key": draft.body["key"]},
        now=now,
    )
    return draft


@transaction.atomic
def edit_definition(*, actor: Actor, definition_id: int, now: datetime) -> DefinitionDraft:
    """The draft of a definition's next version: the one that is being built already, else one that begins where it is."""
    definition = access_definition(actor=actor, id=definition_id, now=now)
    if not may_change(definition, actor=actor, now=now):
        raise Refused(
            _("“%(key)s”来自功能包，不能在页面上改。") % {"key": definition.key}, remedy=_("可以复制一份，改成自己的。")
        )
    Definition.objects.select_for_update().get(pk=definition.pk)
    found = DefinitionDraft.objects.filter(definition=definition).first()
    if found is not None:
        return found
    assert definition.current is not None
    assert definition.org_id is not None
    draft = DefinitionDraft.objects.create(
        kind=definition.kind,
        definition=definition,
        org_id=definition.org_id,
        org_path=definition.org_path,
        title=definition.title_zh,
        body=definition.current.body,
        made_at=now,
        changed_at=now,
        changed_by_id=actor.person_id,
    )
    audit.record(
        actor=actor,
        action="casework.draft_begun",
        target=f"definition_draft:{draft.pk}",
        details={"key": definition.key},
        now=now,
    )
    return draft


@transaction.atomic
def save_definition_draft(
    *, actor: Actor, draft_id: int, body: Mapping[str, Any], base_revision: int, now: datetime
) -> DefinitionDraft:
    """Keep a body as it is; its key stays. `Conflict` where somebody else saved meanwhile."""
    draft = _locked(actor, draft_id, now)
    if draft.revision != base_revision:
        raise Conflict(_("别处已经保存过这份草稿。"), remedy=_("请刷新页面，看看最新的内容。"))
    _check_size(body)
    draft.body = {**body, "key": draft.body["key"]}
    draft.title = _title(body) or draft.title
    draft.revision += 1
    draft.changed_at, draft.changed_by_id = now, actor.person_id
    draft.save()
    audit.record(
        actor=actor,
        action="casework.draft_kept",
        target=f"definition_draft:{draft.pk}",
        details={"revision": draft.revision},
        now=now,
    )
    return draft


@transaction.atomic
def drop_draft(*, actor: Actor, draft_id: int, now: datetime) -> None:
    """Drop a draft; what is in force stays as it is."""
    draft = _locked(actor, draft_id, now)
    target = f"definition_draft:{draft.pk}"
    audit.record(actor=actor, action="casework.draft_dropped", target=target, details={"key": draft.body["key"]}, now=now)
    draft.delete()


def _check_size(body: Any) -> None:
    if not isinstance(body, Mapping) or len(dumps(body, ensure_ascii=False)) > LARGEST:
        raise Invalid(_("内容读不懂，或者太大。"))


def _locked(actor: Actor, draft_id: int, now: datetime) -> DefinitionDraft:
    found = DefinitionDraft.objects.select_for_update().filter(pk=access_draft(actor=actor, id=draft_id, now=now).pk).first()
    if found is None:
        raise NotFound(_("没有找到这份草稿。"))
    return found


def _title(body: Mapping[str, Any]) -> str:
    told = body.get("title")
    words = told.get("zh") if isinstance(told, Mapping) else told
    return words.strip()[:120] if isinstance(words, str) else ""
