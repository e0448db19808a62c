"""Keep the lines of an applied package, so that the next one is compared in seconds."""

import json
import shutil
import zipfile
from collections.abc import Generator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb

from shuren.directory.models import AppliedRoster, Org
from shuren.directory.rules.roster.oneroster import CLASSES, ORGS
from shuren.directory.services.check_roster.package import Csv, lined_files, unpack
from shuren.directory.services.check_roster.recall import ABOUT, FOLDER, Lined, read_lines, salt_of
from shuren.directory.services.check_roster.scope import reach_of
from shuren.directory.services.check_roster.staging import Stage
from shuren.intake.api import has_quarantined, import_dir, import_file, import_state
from shuren.kernel.scope import outermost

_CHUNK = 5_000


def remember_roster(import_id: int) -> int:
    """Keep a keyed hash of every line of the package; returns how many, none of a workbook or a delta.

    None either of a package whose rows are not all in: the next one is to be read in full. Only the newest package of a
    reach is kept. Safe to repeat: what is kept counts once its last file is in place.
    """
    applied = AppliedRoster.objects.filter(pk=import_id, undone_at__isnull=True).first()
    path = import_file(import_id)
    is_partial = has_quarantined(import_id) or import_state(import_id).is_sent_again
    if applied is None or is_partial or not path.exists() or not zipfile.is_zipfile(path):
        return 0
    reach = reach_of(import_state(import_id).owner, applied.applied_at)
    folder = import_dir(import_id) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    scratch = folder / "scratch"
    scratch.mkdir()
    try:
        with Stage.open(scratch, is_new=True) as stage:
            lines, about = _keep(stage, path, scratch, folder, import_id)
    except (duckdb.Error, zipfile.BadZipFile):
        shutil.rmtree(folder, ignore_errors=True)
        return 0
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if lines:
        _forget_older(import_id, reach)
        written = folder / "about.new"
        written.write_text(json.dumps({**about, "reach": list(reach), "version": version("shuren")}))
        written.replace(folder / ABOUT)
    return lines


def _keep(stage: Stage, package: Path, scratch: Path, folder: Path, import_id: int) -> tuple[int, dict[str, Any]]:
    """Write the lines of every file; how many there were, and what the next check must know of them."""
    with zipfile.ZipFile(package) as archive:
        unpacking = unpack(archive, scratch / "unpacked", package.name)
        files = lined_files(_answer(unpacking)) or []
    for file in files:
        read_lines(stage, file, salt_of(import_id))
        target = str(folder / f"{file.spec.name}.parquet")
        stage.duck.execute(f"COPY (SELECT sid, line, person, org FROM line_{file.spec.name}) TO '{target}' (FORMAT parquet)")
    lines = sum(int(stage.value(f"SELECT count(*) FROM line_{file.spec.name}")) for file in files)
    headers = {file.spec.name: list(file.header) for file in files}
    return lines, {"headers": headers, "paths": _branches(stage, [file for file in files if file.spec in (ORGS, CLASSES)])}


def _answer(steps: Generator[object, None, list[Csv]]) -> list[Csv]:
    """What a checking generator comes to; what it finds has been told when the package was checked."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return list(end.value)


def _branches(stage: Stage, files: Sequence[Lined]) -> list[str]:
    """The outermost branches that the package speaks of."""
    sids = [row[0] for file in files for row in stage.rows(f"SELECT sid FROM line_{file.spec.name}")]
    paths: list[str] = []
    for start in range(0, len(sids), _CHUNK):
        paths += Org.objects.filter(sourced_id__in=sids[start : start + _CHUNK]).values_list("path", flat=True)
    return list(outermost(paths))


def _forget_older(import_id: int, reach: Sequence[str]) -> None:
    for older in AppliedRoster.objects.exclude(pk=import_id).values_list("import_id", flat=True):
        folder = import_dir(older) / FOLDER
        about = folder / ABOUT
        if about.exists() and json.loads(about.read_text())["reach"] == list(reach):
            shutil.rmtree(folder)
