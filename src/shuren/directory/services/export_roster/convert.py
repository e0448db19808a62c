"""From one form to the other, without the database in between."""

from pathlib import Path

from shuren.directory.services.check_roster import derive
from shuren.directory.services.check_roster.package import load_package
from shuren.directory.services.check_roster.staging import Stage
from shuren.directory.services.export_roster.workbook import write_workbook
from shuren.kernel.errors import Invalid


def package_to_workbook(package: Path, target: Path, *, scratch: Path) -> dict[str, int]:
    """Write the rows of a OneRoster zip as a workbook; the package must be sound."""
    scratch.mkdir(parents=True, exist_ok=True)
    with Stage.open(scratch, is_new=True) as stage:
        problems = [problem for problem in load_package(stage, package, scratch / "unpacked", package.name) if problem.is_error]
        if problems:
            raise Invalid(f"{problems[0].file}: {problems[0].rule}")
        derive.settle_people(stage)
        derive.drop_placeholders(stage)
        derive.link_guardians(stage)
        return write_workbook(stage, target, hidden=())
