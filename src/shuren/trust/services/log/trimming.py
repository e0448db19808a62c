"""Files of the log that are ahead of its rows, as they are after a restore to an earlier moment."""

from django.db.models import Max

from shuren.trust.models import TreeHead
from shuren.trust.rules.log.tiles import place_of, width_of
from shuren.trust.selectors.tiles import log_folder


def trim_log_files() -> int:
    """Remove tiles beyond the newest head; returns how many. Only for a database that was just restored.

    Files are written before the head that covers them, and a tile that is there is never written again: one left from a
    later moment would stand for places that the log is about to give to other entries.
    """
    size = TreeHead.objects.aggregate(size=Max("size"))["size"] or 0
    folder, removed = log_folder(), 0
    for path in [*folder.rglob("*")] if folder.exists() else []:
        place = place_of(path.relative_to(folder).as_posix()) if path.is_file() else None
        if place is not None and place[2] > width_of(place[0], place[1], size):
            path.unlink(missing_ok=True)
            removed += 1
    return removed
