"""`shuren reindex`: the search index and the counters anew."""

import click

from shuren.front.terminal.imports import finish_job
from shuren.work import api as work

JOBS = {
    "index": "shuren.directory.jobs.index_all",
    "entries": "shuren.casework.jobs.registers.index_entries",
    "count": "shuren.directory.jobs.recount",
}


@click.command("reindex")
@click.option("--data-dir", help="Folder of the installation.")
def command(data_dir: str | None) -> None:
    """Index orgs, people and entries of registers again and count them anew, after a restore or an upgrade that says so."""
    for label, job in JOBS.items():
        finish_job(work.enqueue(job, key=job), label)
