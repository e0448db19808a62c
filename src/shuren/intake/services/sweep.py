"""Files that no import owns: left by an upload that was cut off."""

import shutil
from datetime import datetime, timedelta

from shuren.intake.models import ImportRun
from shuren.intake.selectors.imports import imports_dir

_YOUNG = timedelta(days=1)


def sweep_strays(*, now: datetime) -> int:
    """Remove what lies in the folder of imports for a day without a row; returns how many."""
    folder = imports_dir()
    if not folder.is_dir():
        return 0
    known = {str(pk) for pk in ImportRun.objects.values_list("pk", flat=True).iterator()}
    swept = 0
    for path in folder.iterdir():
        if path.name in known or now.timestamp() - path.stat().st_mtime < _YOUNG.total_seconds():
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        swept += 1
    return swept
