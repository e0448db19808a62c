"""Building the demonstration: roster in, results in, measured, checked against what was published."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from django.conf import settings

from shuren.assessment import api as assessment
from shuren.directory import api as directory
from shuren.evaluation import api as evaluation
from shuren.evaluation.data import TIMSS_2011_AUSTRIA, RunStatus, TruthRow
from shuren.front.demo import simulated, timss
from shuren.front.demo.accounts import DemoAccount, as_json, demo_people, make_accounts, open_accounts
from shuren.front.demo.awards import give_samples
from shuren.front.demo.casework import file_cases, fill_registers
from shuren.front.terminal.imports import finish_job, run_import
from shuren.interop import api as interop
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM, Actor
from shuren.kernel.errors import Invalid

PACKAGED_DATA = Path(__file__).resolve().parent.parent / "demo_data"
SOURCE_DATA = Path(__file__).resolve().parents[4] / "demo" / "data"


def data_folder() -> Path:
    """Where the third-party data lies: inside an installed package, or in the source tree."""
    return (PACKAGED_DATA if PACKAGED_DATA.exists() else SOURCE_DATA) / "timss2011-g4-aut"


def state_file() -> Path:
    return Path(settings.DATA_DIR) / "demo.json"


def is_built() -> bool:
    return state_file().exists()


def kept_accounts() -> list[DemoAccount]:
    stored = json.loads(state_file().read_text())["accounts"]
    return [DemoAccount(**row) for row in stored.values()]


def kept_truth() -> list[TruthRow]:
    return evaluation.truth_check(json.loads(state_file().read_text())["run_id"])


def build(say: Callable[[str], None]) -> None:
    """Build everything in an empty, prepared installation; raises `ShurenError` where a step is refused."""
    folder = Path(settings.DATA_DIR) / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    say("roster")
    roster = timss.write_roster(data_folder(), folder / "roster.zip")
    run_import("roster", roster, options={}, ask=False)
    say("real test: TIMSS 2011, grade 4")
    results = timss.write_results(data_folder(), folder / "timss-2011.zip")
    run_import("results", results, options={}, ask=False)
    run_id = measure(timss.CODE, {"published": TIMSS_2011_AUSTRIA, "contrasts": timss.CONTRASTS})
    say("simulated school tests: the beginning and the end of a year, on one scale")
    first_test = simulated.write_first_results(data_folder(), folder / "first-school-test.zip")
    run_import("results", first_test, options={}, ask=False)
    first_id = measure(simulated.FIRST_CODE, {"programme": simulated.PROGRAMME})
    school_test = simulated.write_results(data_folder(), folder / "school-test.zip")
    run_import("results", school_test, options={}, ask=False)
    measure(simulated.CODE, {"programme": simulated.PROGRAMME, "scale": {"method": "anchor", "anchor_run_id": first_id}})
    accounts = make_accounts(now=clock.now())
    say("sample certificates")
    cast = demo_people()
    (head, school), (pupil, _home), (teacher, _class) = cast["head"], cast["pupil"], cast["class_teacher"]
    give_samples(head=head, school=school, pupil=pupil, teacher=teacher, now=clock.now())
    say("registers, cases and a collection from the packs")
    fill_registers(folder)
    file_cases(cast, now=clock.now())
    say("example apps")
    accounts += make_apps(now=clock.now())
    draft = state_file().with_suffix(".tmp")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({"run_id": run_id, "accounts": as_json(accounts)}, ensure_ascii=False, indent=1))
    draft.replace(state_file())


def make_apps(*, now: datetime) -> list[DemoAccount]:
    """Apps in every state, so that officer, head, pupil and vendor have something to look at; returns the vendor's account."""
    cast = demo_people()
    (officer, city), (head, school) = cast["city_officer"], cast["head"]
    person_id = interop.make_example_apps(
        officer=Actor(person_id=officer.id, account_id=None, name=officer.name),
        head=Actor(person_id=head.id, account_id=None, name=head.name),
        org_id=city.id,
        school_id=school.id,
        now=now,
    )
    return open_accounts({"vendor": (directory.people_by_ids([person_id])[person_id], city)}, now=now)


def measure(code: str, options: dict[str, object]) -> int:
    """Declare and carry out a run of the assessment `code`; returns the run's id."""
    assessment_id = assessment.assessment_id_of_code(code)
    if assessment_id is None:
        raise Invalid(f"There is no assessment {code}.")
    run_id = evaluation.declare_run(actor=SYSTEM, assessment_id=assessment_id, options=options, now=clock.now())
    finish_job(evaluation.start_run(actor=SYSTEM, run_id=run_id, now=clock.now()), "measure")
    state = evaluation.run_state(run_id)
    if state.status is not RunStatus.DONE:
        raise Invalid(state.error or f"The run ended as {state.status}.")
    return run_id
