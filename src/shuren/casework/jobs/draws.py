"""Work of draws beside the pages."""

from collections.abc import Mapping

from shuren.casework.services.draws.open_cases import open_cases
from shuren.kernel import clock
from shuren.work.data import JobContext


def open_drawn_cases(job: JobContext, draw_id: int) -> Mapping[str, int]:
    """Open the checks of a published draw that are not open yet."""
    return {"case": open_cases(draw_id=draw_id, now=clock.now(), on_progress=job.progress)}
