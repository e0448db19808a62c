"""Runs are declared once, carried out by a job, and repeat to 1e-9."""

import json
import subprocess
import sys

import numpy as np
import pytest
from django.apps import apps
from django.db import connection

from shuren.directory.data import Role
from shuren.evaluation.api import declare_run, run_state, scores_of, start_run
from shuren.evaluation.data import RunStatus
from shuren.evaluation.models import EvaluationRun, UnitReport
from shuren.evaluation.rules.declaration import digest, from_json
from shuren.evaluation.selectors.answers import answers_of
from shuren.evaluation.services.carry_out import carry_out
from shuren.evaluation.tests.conftest import NOW, Region, finished_run
from shuren.kernel import audit
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.work.api import cancel_job, run_pending


def test_a_run_ends_with_scores_reports_and_a_certificate(region: Region) -> None:
    run_id = finished_run(region)
    state = run_state(run_id)
    assert state.status is RunStatus.DONE, state.error
    assert state.certificate["pupils"] == len(region.pupils)
    assert state.certificate["is_sound"] is True
    assert state.certificate["excluded_items"] == []
    table = scores_of(run_id)
    assert table.column("person_id").to_pylist() == sorted(region.pupils)
    assert {"eap", "eap_se", "wle", "wle_se", "pv1", "pv5", "raw", "domain1_eap", "domain6_se"} <= set(table.column_names)
    levels = dict.fromkeys(UnitReport.objects.filter(run_id=run_id).values_list("level", flat=True))
    assert set(levels) == {"city", "district", "school", "class"}
    assert UnitReport.objects.filter(run_id=run_id).count() == len(region.orgs)
    assert audit.entries(action="evaluation.run_finished", target=f"run:{run_id}").count() == 1
    assert apps.get_model("kernel.Event").objects.filter(name="evaluation.run_finished").count() == 1
    run_pending()
    assert apps.get_model("trust.LogEntry").objects.filter(business="score", subject=f"evaluation_run:{run_id}").count() == 1


def test_scores_lie_on_the_declared_scale(run_id: int) -> None:
    table = scores_of(run_id)
    draws = np.stack([table.column(f"pv{at}").to_numpy() for at in range(1, 6)])
    assert draws.mean() == pytest.approx(500, abs=1e-6)
    assert np.sqrt(draws.var(axis=1).mean() + 0) == pytest.approx(100, rel=0.02)
    assert np.corrcoef(table.column("eap").to_numpy(), table.column("wle").to_numpy())[0, 1] > 0.97


def test_a_second_run_repeats_the_first(region: Region, run_id: int) -> None:
    other = finished_run(region)
    first, second = scores_of(run_id), scores_of(other)
    for name in first.column_names:
        np.testing.assert_allclose(first.column(name).to_numpy(), second.column(name).to_numpy(), rtol=0, atol=1e-9)
    bodies = [dict(UnitReport.objects.filter(run_id=id).values_list("org_id", "body")) for id in (run_id, other)]
    assert {org: bytes(body) for org, body in bodies[0].items()} == {org: bytes(body) for org, body in bodies[1].items()}


FRESH = """
import json, sys
import numpy as np
from shuren.evaluation.rules.declaration import from_json
from shuren.evaluation.rules.measuring import Answers, ItemInfo, measure
packed = np.load(sys.argv[1], allow_pickle=False)
items = tuple(ItemInfo(*row[:4], tuple(row[4]), row[5]) for row in json.loads(str(packed["items"])))
answers = Answers(packed["person"], packed["class_"], packed["school"], packed["district"], packed["scores"], items,
                  packed["weights"], None, None, {"female": packed["female"]}, {})
found = measure(answers, from_json(json.loads(str(packed["declaration"]))))
np.savez(sys.argv[2], eap=found.scores.eap, pvs=found.scores.pvs)
"""


def test_another_process_on_another_day_repeats_it(region: Region, run_id: int, tmp_path) -> None:
    from_lake = _answers_of(run_id)
    np.savez(tmp_path / "in.npz", **from_lake)
    program = tmp_path / "again.py"
    program.write_text(FRESH)
    subprocess.run([sys.executable, str(program), str(tmp_path / "in.npz"), str(tmp_path / "out.npz")], check=True, timeout=300)
    again = np.load(tmp_path / "out.npz")
    table = scores_of(run_id)
    np.testing.assert_allclose(again["eap"], table.column("eap").to_numpy(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(again["pvs"][4], table.column("pv5").to_numpy(), rtol=0, atol=1e-9)


def _answers_of(run_id: int) -> dict[str, object]:
    run = EvaluationRun.objects.get(pk=run_id)
    answers = answers_of(from_json(run.declaration))
    items = [[item.code, item.label, item.content, item.cognitive, list(item.units), item.max_score] for item in answers.items]
    return {
        "person": answers.person_ids,
        "class_": answers.class_ids,
        "school": answers.school_ids,
        "district": answers.district_ids,
        "scores": answers.scores,
        "weights": answers.weights,
        "female": answers.context["female"],
        "items": json.dumps(items),
        "declaration": json.dumps(run.declaration),
    }


def test_the_declaration_is_fixed_and_hashed(region: Region) -> None:
    run_id = declare_run(actor=SYSTEM, assessment_id=region.assessments["math-2026"], now=NOW)
    run = EvaluationRun.objects.get(pk=run_id)
    assert digest(run.declaration) == run.declaration_hash
    assert run.declaration["versions"]["numpy"] == np.__version__
    assert run.declaration["snapshots"] == {str(run.assessment_id): str(run.assessment.snapshot_id)}
    run.declaration = {**run.declaration, "seed": 1}
    run.save()
    with pytest.raises(Conflict):
        carry_out(run_id=run_id, now=NOW)


@pytest.mark.parametrize(
    "options",
    [
        {"colour": "red"},
        {"scale": {"sd": 0}},
        {"scale": {"method": "guess"}},
        {"scale": {"method": "anchor"}},
        {"scale": {"method": "anchor", "anchor_run_id": 4711}},
        {"scale": {"method": "reference"}},
        {"scale": {"cuts": [500, 400]}},
        {"omitted_as": "maybe"},
        {"plausible_values": 1},
        {"minimum_group": 3},
        {"reference": ["ASMMAT01"]},
    ],
)
def test_a_bad_choice_is_refused_before_anything_is_stored(region: Region, options: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        declare_run(actor=SYSTEM, assessment_id=region.assessments["math-2026"], options=options, now=NOW)
    assert not EvaluationRun.objects.exists()


@pytest.mark.parametrize("key", ["county_officer", "head"])
def test_only_who_answers_for_everybody_may_declare(region: Region, key: str) -> None:
    with pytest.raises(Refused):
        declare_run(actor=region.actor(key), assessment_id=region.assessments["math-2026"], now=NOW)


@pytest.mark.parametrize("key", ["class_teacher", "pupil", "parent"])
def test_to_others_the_test_or_the_right_does_not_exist(region: Region, key: str) -> None:
    with pytest.raises((NotFound, Refused)):
        declare_run(actor=region.actor(key), assessment_id=region.assessments["math-2026"], now=NOW)


def test_a_city_officer_declares_and_starts(region: Region) -> None:
    actor = region.actor("city_officer", Role.CITY_OFFICER)
    run_id = declare_run(actor=actor, assessment_id=region.assessments["math-2026"], now=NOW)
    job_id = start_run(actor=actor, run_id=run_id, now=NOW)
    assert start_run(actor=actor, run_id=run_id, now=NOW) == job_id
    with pytest.raises(NotFound):
        start_run(actor=region.actor("county_officer"), run_id=run_id, now=NOW)
    assert run_state(run_id).status is RunStatus.RUNNING


def test_a_finished_run_is_not_repeated(region: Region, run_id: int) -> None:
    with pytest.raises(Conflict):
        start_run(actor=SYSTEM, run_id=run_id, now=NOW)
    before = list(UnitReport.objects.filter(run_id=run_id).values_list("pk", flat=True))
    assert carry_out(run_id=run_id, now=NOW)["reports"] == len(before)
    assert list(UnitReport.objects.filter(run_id=run_id).values_list("pk", flat=True)) == before


class Killed(BaseException):
    """Stands for kill -9: nothing catches it."""


@pytest.mark.parametrize("step", [0, 4, 7, 8, 9])
def test_a_run_killed_at_any_step_is_made_again_whole(region: Region, step: int) -> None:
    run_id = declare_run(actor=SYSTEM, assessment_id=region.assessments["math-2026"], now=NOW)

    def die(at: int, note: str) -> None:
        if at == step:
            raise Killed

    with pytest.raises(Killed):
        carry_out(run_id=run_id, now=NOW, progress=die)
    assert run_state(run_id).status is not RunStatus.DONE
    assert not UnitReport.objects.filter(run_id=run_id).exists()
    found = carry_out(run_id=run_id, now=NOW)
    assert run_state(run_id).status is RunStatus.DONE
    assert UnitReport.objects.filter(run_id=run_id).count() == found["reports"] == len(region.orgs)
    assert scores_of(run_id).num_rows == len(region.pupils)


def test_a_run_that_cannot_be_carried_out_says_why_and_may_start_again(region: Region) -> None:
    run_id = declare_run(actor=SYSTEM, assessment_id=region.assessments["math-2026"], now=NOW)
    start_run(actor=SYSTEM, run_id=run_id, now=NOW)
    stored = EvaluationRun.objects.get(pk=run_id).declaration
    EvaluationRun.objects.filter(pk=run_id).update(declaration={**stored, "seed": 3})
    apps.get_model("work.Job").objects.update(max_attempts=1)
    run_pending()
    assert run_state(run_id).status is RunStatus.FAILED
    assert "hash" in run_state(run_id).error
    EvaluationRun.objects.filter(pk=run_id).update(declaration=stored)
    start_run(actor=SYSTEM, run_id=run_id, now=NOW)
    run_pending()
    assert run_state(run_id).status is RunStatus.DONE


def test_a_cancelled_job_leaves_the_run_cancelled(region: Region) -> None:
    run_id = declare_run(actor=SYSTEM, assessment_id=region.assessments["math-2026"], now=NOW)
    job_id = start_run(actor=SYSTEM, run_id=run_id, now=NOW)
    cancel_job(actor=SYSTEM, job_id=job_id, now=NOW)
    run_pending()
    assert run_state(run_id).status is RunStatus.CANCELLED


def test_reports_are_written_in_few_statements(region: Region, django_assert_max_num_queries) -> None:
    run_id = declare_run(actor=SYSTEM, assessment_id=region.assessments["math-2026"], now=NOW)
    with django_assert_max_num_queries(60, connection=connection):
        carry_out(run_id=run_id, now=NOW)
