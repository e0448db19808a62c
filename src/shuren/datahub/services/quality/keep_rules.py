"""Rules of quality on their way in from packs: kept as the pack says them, gone when they left it."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext as _

from shuren.datahub.models import RuleFile
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid


def keep_pack_rules(*, actor: Actor, pack: str, files: Sequence[Mapping[str, Any]], now: datetime) -> dict[str, int]:
    """Keep the files of a pack in the caller's transaction, whole: those it has no longer go. They were checked.

    Returns how many were `added`, `changed`, the `same` and `retired`.
    """
    counts = dict.fromkeys(("added", "changed", "same", "retired"), 0)
    before = {row.key: row for row in RuleFile.objects.filter(key__in=[file["key"] for file in files])}
    for file in files:
        digest = sha256(json.dumps(file, sort_keys=True).encode()).hexdigest()
        row = before.get(file["key"])
        if row is not None and row.pack != pack:
            raise Invalid(_("“%(key)s”已经由功能包 %(pack)s 定义。") % {"key": row.key, "pack": row.pack})
        if row is not None and row.digest == digest:
            counts["same"] += 1
            continue
        counts["added" if row is None else "changed"] += 1
        RuleFile.objects.update_or_create(key=file["key"], defaults={"pack": pack, "said": dict(file), "digest": digest})
    gone = RuleFile.objects.filter(pack=pack).exclude(key__in=[file["key"] for file in files])
    counts["retired"] = gone.count()
    gone.delete()
    if counts["added"] or counts["changed"] or counts["retired"]:
        details = {"pack": pack, **counts}
        audit.record(actor=actor, action="datahub.quality_rules_kept", target="quality_rules:0", details=details, now=now)
    return counts
