"""`shuren evaluate`: measure a test and build its reports."""

import click

from shuren.evaluation import api as evaluation
from shuren.front.cli.demo import show_truth
from shuren.front.demo.build import measure


@click.command("evaluate")
@click.option("--data-dir", help="Folder of the installation.")
@click.option("--assessment", "code", required=True, help="Code of the assessment.")
@click.option("--seed", type=int, help="Seed of the plausible values; the declaration's default when left out.")
@click.pass_context
def command(ctx: click.Context, data_dir: str | None, code: str, seed: int | None) -> None:
    """Measure a test and build the reports of all five levels from one run."""
    run_id = measure(code, {} if seed is None else {"seed": seed})
    for name, value in evaluation.run_state(run_id).certificate.items():
        click.echo(f"{name}: {value}")
    rows = evaluation.truth_check(run_id)
    if rows and not show_truth(rows):
        ctx.exit(1)
