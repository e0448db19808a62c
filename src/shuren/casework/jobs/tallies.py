"""Cases are counted every minute, and all of them anew every night."""

from datetime import timedelta

from shuren.casework.selectors.tallies import tallied_definitions
from shuren.casework.services.tally_cases import recount_cases as recount
from shuren.casework.services.tally_cases import tally_cases as tally
from shuren.work.api import register_periodic
from shuren.work.data import JobContext

register_periodic("shuren.casework.jobs.tallies.tally_cases", timedelta(minutes=1))
register_periodic("shuren.casework.jobs.tallies.recount_cases", timedelta(days=1))


def tally_cases(job: JobContext) -> dict[str, int]:
    """Count what was filed or moved, as long as there is something."""
    cases = 0
    while count := tally():
        cases += count
        job.progress(cases)
    return {"cases": cases}


def recount_cases(job: JobContext) -> dict[str, int]:
    """Put right what was counted wrongly: nothing, as long as only casework writes its tables."""
    definitions = tallied_definitions()
    wrong = 0
    for done, definition_id in enumerate(definitions, start=1):
        wrong += recount(definition_id=definition_id)
        job.progress(done, len(definitions))
    return {"rows": wrong}
