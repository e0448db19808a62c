"""Applying: differences, idempotence, what a kill leaves, what moved in between."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from shuren.assessment import api
from shuren.assessment.models import Assessment, Item
from shuren.assessment.services import apply as apply_service
from shuren.assessment.services.check.stage import stage_folder
from shuren.assessment.tests.conftest import NOW, Cast, apply, findings_of, package_of, sheets_of, start
from shuren.datahub import api as datahub
from shuren.intake import api as intake
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import NotFound
from shuren.kernel.models import AuditEntry, Event
from shuren.work.api import run_pending

pytestmark = pytest.mark.django_db
Stored = tuple[Cast, int]


def the_test() -> int:
    return api.assessment_id_of_code("math-2026") or 0


def test_news_and_audit_of_an_import(stored: Stored) -> None:
    event = Event.objects.get(name="assessment.results_imported")
    snapshot = datahub.snapshot_of("assessment.responses", {"assessment": the_test()})
    assert snapshot is not None
    assert event.payload == {"assessment_id": the_test(), "import_id": stored[1], "snapshot_id": snapshot.id}
    assert AuditEntry.objects.filter(action="assessment.results_imported").count() == 1


def test_the_same_file_again_changes_nothing(stored: Stored) -> None:
    before = datahub.snapshots_of("assessment.responses", {"assessment": the_test()})
    state = start(package_of(sheets_of(stored[0])))
    assert state.difference == {"added": 0, "removed": 0, "changed": 0, "unchanged": 48, "is_described_anew": False}
    assert apply(state).status == "applied"
    assert datahub.snapshots_of("assessment.responses", {"assessment": the_test()}) == before
    assert Event.objects.filter(name="assessment.results_imported").count() == 1


def test_a_changed_file_shows_and_applies_its_difference(stored: Stored) -> None:
    cast, _import = stored
    ids = {item.code: item.id for item in api.items_of(the_test())}
    old = api.responses_of(the_test())
    sheets = sheets_of(cast)
    sheets["作答"][1][2] = "0" if sheets["作答"][1][2] == "1" else "1"
    sheets["权重"][3][1] = "9.5"
    gone = sheets["作答"].pop()[0]
    for table in ("权重", "参考值"):
        sheets[table] = [row for row in sheets[table] if row[0] != gone]
    state = start(package_of(sheets))
    assert state.difference == {"added": 0, "removed": 1, "changed": 2, "unchanged": 45, "is_described_anew": False}
    assert api.responses_of(the_test()).pupils == 48
    apply(state)
    new = api.responses_of(the_test())
    assert new.pupils == 47
    assert {item.code: item.id for item in api.items_of(the_test())} == ids
    assert api.assessment_state(the_test()).snapshot_id == new.snapshot_id != old.snapshot_id
    again = api.responses_of(the_test(), snapshot=old.snapshot_id)
    np.testing.assert_array_equal(again.scores, old.scores)


def test_items_may_come_go_and_trade_places(stored: Stored) -> None:
    cast, _import = stored
    sheets = sheets_of(cast)
    sheets["题目表"][1], sheets["题目表"][2] = sheets["题目表"][2], sheets["题目表"][1]
    del sheets["题目表"][3]
    for row in sheets["作答"]:
        del row[4]
    state = start(package_of(sheets))
    assert state.difference["is_described_anew"]
    assert apply(state).status == "applied"
    assert [(item.code, item.position) for item in api.items_of(the_test())] == [("M2", 1), ("M1", 2), ("M4", 3)]
    assert Item.objects.count() == 3


def test_a_word_changed_in_the_notes_is_a_change(stored: Stored) -> None:
    state = start(package_of(sheets_of(stored[0], 数据来源说明="另一句话")))
    assert state.difference == {"added": 0, "removed": 0, "changed": 0, "unchanged": 48, "is_described_anew": True}
    apply(state)
    assert api.assessment_state(the_test()).source_note == "另一句话"


def test_a_check_that_is_out_of_date_is_not_applied(stored: Stored) -> None:
    first = sheets_of(stored[0])
    first["作答"][1][2] = "9"
    second = sheets_of(stored[0])
    second["作答"][2][2] = "9"
    early, late = start(package_of(first)), start(package_of(second))
    assert apply(late).status == "applied"
    refused = apply(early)
    assert refused.status == "failed"
    assert "重新检查" in refused.error


def test_an_apply_that_breaks_before_the_switch_leaves_nothing_to_see(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    state = start(package_of(sheets_of(cast)))

    def die(*_all: Any, **_named: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(apply_service, "publish_partition", die)
        intake.request_apply(actor=SYSTEM, import_id=state.id, now=NOW)
        with pytest.raises(KeyboardInterrupt):
            apply_service.apply_results(_Silent(), state.id)  # type: ignore[arg-type]
    assert Assessment.objects.get().status == "pending"
    with pytest.raises(NotFound):
        api.access_assessment(actor=SYSTEM, id=Assessment.objects.get().pk, now=NOW)
    run_pending()
    assert intake.import_state(state.id).status == "applied"
    assert api.responses_of(the_test()).pupils == 48
    assert Assessment.objects.count() == 1


def test_a_step_that_runs_again_after_the_switch_changes_nothing(stored: Stored) -> None:
    before = datahub.snapshots_of("assessment.responses", {"assessment": the_test()})
    apply_service.apply_results(_Silent(), stored[1])  # type: ignore[arg-type]
    assert datahub.snapshots_of("assessment.responses", {"assessment": the_test()}) == before


def test_a_staged_outcome_that_was_cleared_is_told(cast: Cast) -> None:
    state = start(package_of(sheets_of(cast)))
    (stage_folder(intake.import_file(state.id)) / "outcome.json").unlink()
    refused = apply(state)
    assert (refused.status, "重新检查" in refused.error) == ("failed", True)


def test_nothing_of_a_response_is_in_the_relational_database(stored: Stored) -> None:
    outcome = json.loads((stage_folder(intake.import_file(stored[1])) / "outcome.json").read_text())
    assert "scores" not in outcome
    assert Item.objects.get(code="M1").given == 48


def test_blocks_and_single_pupils_agree_with_the_whole(stored: Stored) -> None:
    cast, _import = stored
    whole = api.responses_of(the_test())
    blocks = list(api.stream_responses(the_test(), block_rows=13))
    np.testing.assert_array_equal(np.concatenate([block.scores for block in blocks]), whole.scores)
    np.testing.assert_array_equal(np.concatenate([block.weights for block in blocks]), whole.weights)
    row = whole.person_ids.tolist().index(cast.people["c2-05"])
    cells = api.responses_of_person(the_test(), cast.people["c2-05"])
    assert [cells.get(code, -1) for code in whole.item_codes] == whole.scores[row].tolist()
    with pytest.raises(NotFound):
        api.responses_of_person(the_test(), cast.people["head1"])


def test_item_results_are_what_numpy_says(stored: Stored) -> None:
    data = api.responses_of(the_test())
    for place, result in enumerate(api.item_results(the_test())):
        column = data.scores[:, place]
        given = column != -1
        assert (result.given, result.omitted, result.not_reached) == (given.sum(), (column == -2).sum(), (column == -3).sum())
        share = np.maximum(column, 0)[given] / data.max_scores[place]
        assert result.mean_share == pytest.approx(np.average(share, weights=data.weights[given]))
        others = np.delete(data.scores, place, axis=1)[given]
        possible = ((others != -1) * np.delete(data.max_scores, place)).sum(axis=1)
        rest = np.maximum(others, 0).sum(axis=1) / possible
        weights = data.weights[given]
        spread = np.cov(share, rest, aweights=weights)
        assert result.discrimination == pytest.approx(spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1]))


def test_who_sees_a_test(stored: Stored) -> None:
    cast, _import = stored
    for key in ("officer", "east_officer", "head1", "head3"):
        assert api.access_assessment(actor=cast.actor(key), id=the_test(), now=NOW).code == "math-2026"
    for key in ("c1-01", "pupilless"):
        with pytest.raises(NotFound):
            api.access_assessment(actor=cast.actor(key), id=the_test(), now=NOW + timedelta(days=1))


def test_a_test_of_one_district_is_not_seen_in_the_other(cast: Cast) -> None:
    sheets = sheets_of(cast, 组织编号="east")
    for table in ("作答", "权重", "问卷", "参考值"):
        sheets[table] = [row for row in sheets[table] if not row[0].startswith("c4")]
    state = apply(start(package_of(sheets), actor=cast.actor("east_officer")))
    assert state.status == "applied", findings_of(state)
    assert api.access_assessment(actor=cast.actor("officer"), id=the_test(), now=NOW).pupils == 36
    with pytest.raises(NotFound):
        api.access_assessment(actor=cast.actor("head3"), id=the_test(), now=NOW)


class _Silent:
    """A job that nobody watches."""

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        return None
