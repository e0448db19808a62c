"""New editions of code sets: taken as a whole, undone by one switch."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.kernel import audit, events
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict, NotFound
from shuren.kernel.files import sync_folder
from shuren.standards.data import CodeSetData
from shuren.standards.models import Edition
from shuren.standards.selectors.editions import IN_FORCE, bodies_in_force, body_of, editions_dir
from shuren.standards.selectors.uses import counted_uses
from shuren.standards.selectors.words import code_set_before, forget_registry
from shuren.standards.services.load import load_registry


def take_edition(
    *,
    actor: Actor,
    title: str,
    code_sets: Sequence[CodeSetData],
    base: str,
    counts: Mapping[str, int],
    breaks: Mapping[str, int],
    import_id: int | None = None,
    now: datetime,
) -> int:
    """Put these sets into force in every process; publishes `standards.edition_taken`. Returns the number of the edition.

    `base` is what `editions_base` said when the edition was checked: checked against other words it is refused. With an
    `import_id` that was taken before, the switch is completed and nothing else done.
    """
    taken = Edition.objects.filter(import_id=import_id).first() if import_id is not None else None
    if taken is None:
        if base != editions_base():
            raise Conflict(_("检查之后，又有别的版本生效了。"), remedy=_("请把文件再检查一遍。"))
        text = body_of(code_sets)
        digest = hashlib.sha256(text.encode()).hexdigest()
        with transaction.atomic():
            last = Edition.objects.order_by("-number").values_list("number", flat=True).first() or 0
            body = f"{last + 1:04}-{digest[:16]}.json"
            write_whole(editions_dir() / body, text)
            taken = Edition.objects.create(
                number=last + 1,
                title=title[:255],
                digest=digest,
                body=body,
                code_sets=[one.code for one in code_sets],
                counts=dict(counts),
                breaks=dict(breaks),
                taken_at=now,
                taken_by=actor.name[:100],
                import_id=import_id,
            )
            details = {"title": taken.title, "digest": digest, "code_sets": taken.code_sets, "counts": taken.counts}
            audit.record(
                actor=actor, action="standards.edition_taken", target=f"edition:{taken.number}", details=details, now=now
            )
            payload = {"number": taken.number, "code_sets": taken.code_sets}
            events.publish("standards.edition_taken", payload, now=now)
    switch_editions()
    number: int = taken.number
    return number


def undo_edition(*, actor: Actor, number: int, now: datetime) -> None:
    """Take the latest edition in force out of it; publishes `standards.edition_undone`.

    Refused when a code that only this edition knows is stored somewhere: it would lose its meaning.
    """
    with transaction.atomic():
        row = Edition.objects.select_for_update().filter(number=number).first()
        if row is None:
            raise NotFound(_("没有这个版本。"))
        if row.undone_at is None:
            if Edition.objects.filter(undone_at=None, number__gt=number).exists():
                raise Conflict(_("之后还有版本生效。"), remedy=_("请先撤销后来的版本。"))
            _refuse_if_used(row)
            row.undone_at, row.undone_by = now, actor.name[:100]
            row.save(update_fields=["undone_at", "undone_by"])
            details = {"title": row.title, "code_sets": row.code_sets}
            audit.record(actor=actor, action="standards.edition_undone", target=f"edition:{number}", details=details, now=now)
            events.publish("standards.edition_undone", {"number": number, "code_sets": row.code_sets}, now=now)
    switch_editions()


def switch_editions() -> None:
    """Write what is in force as the record says it; again changes nothing. Every process reads the words anew."""
    bodies = list(Edition.objects.filter(undone_at=None).order_by("number").values_list("body", flat=True))
    if bodies != bodies_in_force():
        write_whole(editions_dir() / IN_FORCE, json.dumps({"bodies": bodies}))
    forget_registry()
    load_registry()


def editions_base() -> str:
    """What an edition is checked against: changes with every edition that comes or goes."""
    return "|".join(bodies_in_force())


def write_whole(path: Path, text: str) -> None:
    """The file as a whole or not at all, and on the disk before it has its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)


def _refuse_if_used(row: Edition) -> None:
    for code in row.code_sets:
        now_known, before = code_set_before(code, None), code_set_before(code, row.body)
        fresh = [one for one in now_known.codes if before is None or one not in before.codes] if now_known else []
        used = counted_uses(code, fresh)
        if used:
            told = "、".join(f"{one} ({count:,})" for one, count in sorted(used.items())[:5])
            raise Conflict(
                _("这个版本新增的代码已经有人在用：%(set)s %(codes)s。") % {"set": code, "codes": told},
                remedy=_("请导入一个新版本，把不再使用的代码写上结束日期。"),
            )
