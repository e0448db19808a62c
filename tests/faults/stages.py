"""A program: build an installation up to each work that will be struck, and on to the undisturbed end.

It works in the installation of its environment, puts into FOLDER the two files and a copy of the installation as it
stands before each work, and prints where the copies are, how many seconds every step of the work
took, and what was there in the end.
"""

import json
import sys
import time
import zipfile
from pathlib import Path

from django.conf import settings
from django.db import connection

from shuren.assessment import api as assessment
from shuren.directory import api as directory
from shuren.directory.data import NewOrg, NewPerson, OrgType, Role
from shuren.evaluation import api as evaluation
from shuren.front.cli.init import prepare
from shuren.identity import api as identity
from shuren.intake import api as intake
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.work import api as work
from tests.faults import school_test
from tests.faults.inspection import contents
from tests.faults.installation import Installation
from tests.faults.officer import PASSWORD, USERNAME

# What `shuren province` calls its province.
ROOT_ID = "P"


def add_officer() -> None:
    now = clock.now()
    org = NewOrg(parent_id=None, type=OrgType.PROVINCE, name="试验省", sourced_id=ROOT_ID)
    root = directory.add_org(actor=SYSTEM, org=org, now=now).id
    person = directory.add_person(actor=SYSTEM, person=NewPerson(name="平台管理员"), now=now).id
    directory.grant_role(actor=SYSTEM, person_id=person, role=Role.PROVINCE_OFFICER, org_id=root, may_delegate=True, now=now)
    identity.create_accounts(actor=SYSTEM, person_ids=[person], usernames={person: USERNAME}, now=now)
    identity.set_password(actor=SYSTEM, person_id=person, password=PASSWORD, must_change=False, now=now)


def make_offices_plain(roster: Path) -> None:
    """Officers become staff: strong roles wait for a second person when an officer brings them, not when a command does."""
    with zipfile.ZipFile(roster) as file:
        tables = {name: file.read(name) for name in file.namelist()}
    tables["roles.csv"] = tables["roles.csv"].replace(b"districtAdministrator", b"aide").replace(b"county_officer", b"staff")
    with zipfile.ZipFile(roster, "w", zipfile.ZIP_DEFLATED) as file:
        for name, table in tables.items():
            file.writestr(name, table)


def seconds() -> float:
    begun = time.monotonic()
    work.run_pending()
    return time.monotonic() - begun


def take_in(kind: str, file: Path) -> dict[str, float]:
    import_id = intake.start_import(actor=SYSTEM, kind=kind, file_name=file.name, content=file, options={}, now=clock.now())
    check = seconds()
    intake.request_apply(actor=SYSTEM, import_id=import_id, now=clock.now())
    return {"check_import": check, "apply_import": seconds()}


def evaluate(run_id: int) -> dict[str, float]:
    evaluation.start_run(actor=SYSTEM, run_id=run_id, now=clock.now())
    return {"run": seconds()}


def main(folder: str, people: str) -> None:
    roster, results = Path(folder) / "roster.zip", Path(folder) / "results.zip"
    directory.write_province(roster, people=int(people), seed=1, on_progress=lambda _done, _total: None)
    make_offices_plain(roster)
    school_test.main(str(roster), str(results))
    here = Installation(Path(settings.DATA_DIR), connection.settings_dict["NAME"] if connection.vendor == "postgresql" else "")
    stages: dict[str, dict[str, object]] = {}

    def keep(name: str) -> None:
        connection.close()
        copy = here.copy(Path(folder) / name)
        stages[name] = {"folder": str(copy.folder), "database": copy.database}

    prepare()
    add_officer()
    work.run_pending()
    keep("roster")
    stages["roster"] |= {"seconds": take_in("roster", roster), "contents": contents()}
    keep("results")
    stages["results"] |= {"seconds": take_in("results", results), "contents": contents()}
    test_id = assessment.assessment_id_of_code(school_test.CODE)
    assert test_id is not None
    run_id = evaluation.declare_run(actor=SYSTEM, assessment_id=test_id, now=clock.now())
    keep("evaluation")
    evaluate(run_id)
    stages["evaluation"]["contents"] = contents()
    # The first run may have had to compile its loops; the next tells how long one takes.
    stages["evaluation"]["seconds"] = evaluate(evaluation.declare_run(actor=SYSTEM, assessment_id=test_id, now=clock.now()))
    json.dump(stages, sys.stdout)
