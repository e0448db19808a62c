"""The administrators' pages."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings
from tests.cast import build_cast

from shuren.backups.data import RunKind, RunState
from shuren.backups.models import Run
from shuren.kernel import clock, ids
from shuren.kernel.models import AuditEntry
from shuren.trust import api as trust
from shuren.trust.data import KeyAlgorithm

AT = datetime(2026, 11, 30, 4, tzinfo=UTC)
REPORT = {
    "rto_seconds": 61.0,
    "proof_seconds": 9.5,
    "tables": 162,
    "lake_files": 7,
    "log_size": 3,
    "log_root": "ab" * 32,
    "signed_in": "ok",
    "report_read": "nothing there",
}


@pytest.fixture
def keeper(db: None) -> Client:
    return build_cast().client("system_admin")


def test_what_is_late_is_said_and_what_was_proved_is_shown(keeper: Client, settings: Settings) -> None:
    settings.SHUREN_BACKUP_TARGETS = ["/srv/backup"]
    page = keeper.get(reverse("backups:backups")).content.decode()
    assert "备份超过了规定的间隔" in page
    now = clock.now()
    Run.objects.create(kind=RunKind.BACKUP, state=RunState.DONE, started_at=now, finished_at=now, bytes=5_000_000)
    Run.objects.create(
        kind=RunKind.DRILL, state=RunState.DONE, started_at=now, finished_at=now + timedelta(seconds=90), report=REPORT
    )
    page = keeper.get(reverse("backups:backups")).content.decode()
    assert "超过了规定的间隔" not in page
    assert "1 分钟" in page


def test_a_report_is_handed_out_signed_and_audited(keeper: Client) -> None:
    trust.ensure_key(name="backups.drills", algorithm=KeyAlgorithm.ED25519, now=AT)
    run = Run.objects.create(
        kind=RunKind.DRILL, state=RunState.DONE, started_at=AT, finished_at=AT, manifest="m", report=REPORT, signature="AAAA"
    )
    page = keeper.get(reverse("backups:run", args=[ids.encode("backup_run", run.pk)])).content.decode()
    assert "无效" in page, "a signature that is none is told"
    told = keeper.get(reverse("backups:report", args=[ids.encode("backup_run", run.pk)]))
    assert json.loads(told.content)["report"] == REPORT
    assert AuditEntry.objects.filter(action="backups.report_downloaded").count() == 1
