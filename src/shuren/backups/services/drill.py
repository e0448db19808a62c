"""A drill: the newest backup restored into a scratch place by programs of their own, proved there, and thrown away."""

import base64
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from shuren.backups.data import RunData, RunKind, RunState
from shuren.backups.selectors.drill_reports import DRILL_KEY, canonical
from shuren.backups.services import postgres_switch
from shuren.backups.services.record import begin_run, end_run
from shuren.backups.services.turns import DRILLS, one_at_a_time, scratch
from shuren.kernel import clock
from shuren.kernel.data import Actor
from shuren.kernel.errors import Conflict
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm

_PROGRAM = (sys.executable, "-m", "shuren.front.cli")
_TOLD = 2_000
_LONGEST = 30  # leaves room in a name of 63 letters


def drill(
    *, actor: Actor, now: datetime, manifest: str = "", targets: Sequence[str] = (), program: Sequence[str] = _PROGRAM
) -> RunData:
    """Restore a backup, the newest unless named, and prove it; the report is signed and kept.

    Publishes `backups.drilled`, or `backups.drill_failed` when something did not come back as it was.
    """
    with one_at_a_time(DRILLS):
        run_id = begin_run(RunKind.DRILL, now=now, manifest=manifest)
        try:
            report = _drilled(run_id, manifest, targets, program)
        except Exception as fault:
            end_run(run_id, actor=actor, now=clock.now(), state=RunState.FAILED, problems=[str(fault)[:_TOLD]])
            raise
    report["drilled_at"] = now.isoformat()
    trust.ensure_key(name=DRILL_KEY, algorithm=KeyAlgorithm.ED25519, now=now)
    return end_run(
        run_id,
        actor=actor,
        now=clock.now(),
        state=RunState.DONE if not report["faults"] else RunState.FAILED,
        manifest=report["backup"],
        figures={name: report[name] for name in ("bytes", "files", "rows")},
        problems=report["faults"],
        report=report,
        signature=base64.b64encode(trust.sign(canonical(report), key=DRILL_KEY)).decode(),
    )


def _drilled(run_id: int, manifest: str, targets: Sequence[str], program: Sequence[str]) -> dict[str, Any]:
    with ExitStack() as stack:
        folder = stack.enter_context(scratch(f"drill-{run_id}"))
        data = folder / "data"
        data.mkdir()
        address = _scratch_database(run_id, stack)
        environment = os.environ | {
            "SHUREN_DATA_DIR": str(data),
            "SHUREN_DATABASE_URL": address,
            "SHUREN_BACKUP_TARGETS": ",".join(targets or settings.SHUREN_BACKUP_TARGETS),
            "SHUREN_BACKUP_SCRATCH": str(folder / "scratch"),
            "SHUREN_BACKUP_PASSPHRASE": settings.SHUREN_BACKUP_PASSPHRASE,
            # The backup alone has to do: a lake in a bucket comes into the scratch folder, and the living one is not touched.
            "SHUREN_LAKE_URL": "",
            "SHUREN_BACKUP_KEY_FILE": settings.SHUREN_BACKUP_KEY_FILE,
            "DJANGO_SETTINGS_MODULE": "shuren.conf.settings",
        }
        # Keys lie apart from backups: the drill takes those of the living installation.
        shutil.copytree(Path(settings.DATA_DIR) / "keys", data / "keys")
        begun = monotonic()
        restored = _told([*program, "restore", "--json", "--unrecorded", *(("--id", manifest) if manifest else ())], environment)
        taken = monotonic() - begun
        proved = _told(
            [*program, "backup", "prove", restored["manifest"], *(("--migrated",) if restored["migrated"] else ())], environment
        )
        return {
            "backup": restored["manifest"],
            "backup_at": restored["at"],
            "bytes": restored["bytes"],
            "rto_seconds": round(taken, 1),
            "proof_seconds": round(monotonic() - begun - taken, 1),
            "vendor": connection.vendor,
            **proved,
        }


def _told(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, Any]:
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    if done.returncode != 0:
        raise Conflict(_("演练没有完成：%(words)s") % {"words": (done.stderr or done.stdout).strip()[-_TOLD:]})
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def _scratch_database(run_id: int, stack: ExitStack) -> str:
    """The address of a database for the drill, which is gone afterwards; empty on SQLite."""
    if connection.vendor != "postgresql":
        return ""
    if settings.SHUREN_BACKUP_SCRATCH_DATABASE:
        return str(settings.SHUREN_BACKUP_SCRATCH_DATABASE)
    if not postgres_switch.may_make_databases():
        raise Conflict(
            _("数据库账号不能新建数据库，无法演练。"),
            remedy=_("请授予 CREATEDB，或设置 SHUREN_BACKUP_SCRATCH_DATABASE 为一个空的数据库。"),
        )
    prefix = f"{str(connection.settings_dict['NAME'])[:_LONGEST]}_drill_"
    for left in postgres_switch.databases_named(prefix):  # by a drill that was killed
        postgres_switch.drop_database(left)
    name = f"{prefix}{run_id}"
    stack.callback(postgres_switch.drop_database, name)
    stack.callback(postgres_switch.drop_database, f"{name}_restoring")
    return _address_of(name)


def _address_of(name: str) -> str:
    told = connection.settings_dict
    who = quote(told["USER"] or "", safe="") + (f":{quote(told['PASSWORD'], safe='')}" if told["PASSWORD"] else "")
    host = quote(told["HOST"] or "", safe="[]:")
    port = f":{told['PORT']}" if told["PORT"] else ""
    return f"postgresql://{who}{'@' if who else ''}{host}{port}/{quote(name, safe='')}"
