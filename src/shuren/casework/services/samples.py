"""A pack's samples at work, for a demonstration: rows as the file that somebody would send, cases filed, collections answered."""

import csv
import io
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from shuren.casework.data import DefinitionKind, NewCase
from shuren.casework.models import Definition
from shuren.casework.rules.collections import NewCollection
from shuren.casework.rules.specs.register import RegisterSpec
from shuren.casework.rules.specs.work import CollectionSpec
from shuren.casework.selectors.definitions import definition_named, register_of, spec_of
from shuren.casework.selectors.packs import pack_folder
from shuren.casework.services.cases.for_apps import open_case
from shuren.casework.services.collections.fill import answer_target
from shuren.casework.services.collections.issue import issue_collection, issue_targets
from shuren.casework.services.registers.columns import file_columns, org_title, state_title
from shuren.directory.data import OrgData
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import ShurenError


def sampled_registers() -> list[str]:
    """The keys of the registers in force that a pack on disk brings sample rows for."""
    rows = Definition.objects.filter(kind=DefinitionKind.REGISTER.value, pack__isnull=False, current__isnull=False)
    return [key for key in rows.order_by("key").values_list("key", flat=True) if _samples_of(key) is not None]


def sample_file(register: str, orgs: Sequence[OrgData]) -> bytes | None:
    """The sample rows as CSV, dealt out over those of `orgs` whose type the register takes; None where it takes none of them."""
    definition = Definition.objects.get(kind=DefinitionKind.REGISTER.value, key=register)
    spec, path = register_of(definition.current_id or 0), _samples_of(register)
    taking = [org for org in orgs if org.type in spec.at]
    if path is None or not taking:
        return None
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    return _as_csv(spec, rows, taking).encode("utf-8-sig")


def _as_csv(spec: RegisterSpec, rows: Sequence[dict[str, str]], orgs: Sequence[OrgData]) -> str:
    titles = {column.key: column.title for column in file_columns(spec) if column.key}
    text = io.StringIO()
    heads = [org_title(), *([state_title()] if spec.states else []), *titles.values()]
    writer = csv.DictWriter(text, heads)
    writer.writeheader()
    for number, row in enumerate(rows):
        told = {titles[key]: value for key, value in row.items() if key in titles}
        org = orgs[int(row.get("org") or number) % len(orgs)]
        told[org_title()] = org.code or org.sourced_id
        if spec.states:
            told[state_title()] = row.get("state", "")
        writer.writerow(told)
    return text.getvalue()


def _samples_of(register: str) -> Path | None:
    pack, _dot, name = register.partition(".")
    return pack_folder(pack).path_of(f"samples/{name}.csv")


def file_sample(*, actor: Actor, flow: str, org_id: int, number: int, now: datetime) -> bool:
    """File the flow's sample `number` for an org and hand it in; False where it asks for what the org does not have."""
    spec = spec_of(definition_named(DefinitionKind.FLOW, flow))
    samples = valid_samples(spec.form)
    try:
        open_case(actor=actor, new=NewCase(flow=flow, org_id=org_id, data=samples[number % len(samples)]), now=now)
    except ShurenError:
        return False
    return True


def issue_sample(*, actor: Actor, collection: str, org_id: int, answered: int, now: datetime) -> int:
    """Issue a collection of a pack to a branch, and have so many of its orgs answer with samples; returns how many did."""
    spec: CollectionSpec = spec_of(definition_named(DefinitionKind.COLLECTION, collection))
    new = NewCollection(
        title=spec.title.zh,
        form=spec.form,
        org_id=org_id,
        due_at=now + timedelta(days=14),
        types=spec.to,
        filled_by=spec.filled_by,
        flow=spec.flow,
        collection=collection,
    )
    issued = issue_collection(actor=actor, new=new, now=now)
    issue_targets(collection_id=issued.pk, on_progress=lambda done, total: None, now=now)
    done, samples = 0, valid_samples(spec.form)
    for target in issued.targets.order_by("org_path"):
        if done >= answered:
            break
        with suppress(ShurenError):
            answer_target(actor=SYSTEM, target_id=target.pk, data=samples[done % len(samples)], now=now)
            done += 1
    return done


def valid_samples(form: str) -> list[dict[str, Any]]:
    """The good samples of a form, as its pack brings them."""
    pack, _dot, name = form.partition(".")
    path = pack_folder(pack).path_of(f"samples/{name}.yaml")
    return list(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["valid"]) if path else []
