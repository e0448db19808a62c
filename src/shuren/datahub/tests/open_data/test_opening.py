"""From a declaration to the public and back: what may leave, who lets it, and that nothing else ever does."""

import json

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.datahub.api import read_partition, snapshot_of, write_partition
from shuren.datahub.data import OpenDeclaration, OpenState
from shuren.datahub.models import LineageRun, OpenDataset, OpenVersion
from shuren.datahub.services.open_data.decide import approve_opening, refuse_opening
from shuren.datahub.services.open_data.draft import ask_opening, check_opening, draft_opening, draft_version
from shuren.datahub.services.open_data.withdraw import withdraw_open_dataset
from shuren.datahub.tests.open_data.conftest import PUPILS, SCHOOLS, SECRET, WORDS, T, declared, records, rows_of
from shuren.kernel.clock import day_of
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.kernel.models import AuditEntry, Event

BY_COUNTY = declared(("org_path", T.COUNTY), ("sex", T.EXACT), ("score", T.MEAN), has_totals=True)
FINE = declared(("org_path", T.SCHOOL), ("sex", T.EXACT), ("level", T.EXACT))


def drafted(cast: Cast, declaration: OpenDeclaration, who: str = "city_officer", org: str = "city") -> OpenVersion:
    return draft_opening(
        actor=cast.actor(who), org_id=cast.orgs[org].id, declaration=declaration, words=WORDS, note="第一版", now=cast.now
    )


def opened(cast: Cast, declaration: OpenDeclaration) -> OpenVersion:
    version = drafted(cast, declaration)
    ask_opening(actor=cast.actor("city_officer"), id=version.pk, now=cast.now)
    return approve_opening(actor=cast.actor("province_officer"), id=version.pk, now=cast.now)


def file_of(version: OpenVersion) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = read_partition(version.dataset.lake_name, {"version": version.number}).to_pylist()
    return rows


def test_too_fine_a_table_fails_is_mended_and_opened_by_a_second_person(pupils: Cast) -> None:
    officer, second = pupils.actor("city_officer"), pupils.actor("province_officer")
    version = drafted(pupils, FINE)
    found = version.check_found
    assert (found["is_passed"], found["k"], found["small"], found["rows_small"]) == (False, 5, 1, 1)
    assert {"action": "drop", "column": "level", "small": 0} in found["remedies"]
    assert (version.preview, version.digest) == ({}, "")
    with pytest.raises(Refused):
        ask_opening(actor=officer, id=version.pk, now=pupils.now)
    version = draft_version(
        actor=officer, dataset_id=version.dataset_id, declaration=BY_COUNTY, words=WORDS, note="改", now=pupils.now
    )
    assert version.number == 1
    assert version.check_found["is_passed"]
    ask_opening(actor=officer, id=version.pk, now=pupils.now)
    with pytest.raises(Refused):
        approve_opening(actor=officer, id=version.pk, now=pupils.now)
    with pytest.raises(Conflict):
        draft_version(actor=officer, dataset_id=version.dataset_id, declaration=FINE, words=WORDS, note="", now=pupils.now)
    version = approve_opening(actor=second, id=version.pk, now=pupils.now)
    assert version.dataset.number == f"OD-{day_of(pupils.now).year}-0001"
    snapshot = snapshot_of(version.dataset.lake_name, {"version": 1})
    assert snapshot is not None
    assert (snapshot.sha256, snapshot.rows) == (version.sha256, 7)
    rows = {(row["county"], row["sex"]): row for row in file_of(version)}
    assert (rows["东湖区", "1"]["count"], rows["东湖区", "1"]["score_mean"], rows["西山区", None]["count"]) == (24, 71.0, 24)
    assert rows[None, None]["group_level"] == 0
    actions = list(AuditEntry.objects.filter(target=f"open_version:{version.pk}").values_list("action", flat=True))
    assert actions.count("datahub.data_opened") == 1
    assert Event.objects.filter(name="datahub.data_opened").exists()
    assert LineageRun.objects.filter(job="datahub.open_data", key=f"open_version:{version.pk}").exists()


def test_small_groups_are_left_out_with_one_beside_them(pupils: Cast) -> None:
    version = opened(pupils, declared(("org_path", T.SCHOOL), ("sex", T.EXACT), ("level", T.EXACT), suppresses=True))
    rows = file_of(version)
    hidden = [row for row in rows if row["is_suppressed"]]
    assert all(row["count"] is None for row in hidden)
    assert len(hidden) == version.check_found["hidden"] == 2
    assert all(int(str(row["count"])) >= 5 for row in rows if not row["is_suppressed"])


def test_records_without_those_that_stand_alone(pupils: Cast) -> None:
    failed = drafted(pupils, records(("sex", T.EXACT), ("level", T.EXACT)))
    assert not failed.check_found["is_passed"]
    version = opened(pupils, records(("sex", T.EXACT), ("level", T.EXACT), suppresses=True))
    rows = file_of(version)
    assert len(rows) == 71
    assert {row["level"] for row in rows} == {4}
    # Of public facts nobody can be told: every record goes out as it is.
    schools = opened(pupils, records(("code", T.EXACT), ("name", T.EXACT), ("pupils", T.EXACT), dataset=SCHOOLS.name))
    assert [row["pupils"] for row in file_of(schools)] == [1, 400]


def test_records_of_people_are_judged_by_their_public_facts_too(pupils: Cast) -> None:
    """The one pupil of a year is told by the year, which is no secret."""
    few = rows_of(pupils).slice(0, 2)
    write_partition(PUPILS.name, {"year": 2025}, few, actor=SYSTEM, now=pupils.now)
    failed = drafted(pupils, records(("year", T.EXACT), ("sex", T.EXACT)))
    assert (failed.check_found["is_passed"], failed.check_found["small"]) == (False, 2)
    version = opened(pupils, records(("year", T.EXACT), ("sex", T.EXACT), suppresses=True))
    assert {row["year"] for row in file_of(version)} == {2026}


def test_what_a_filter_leaves_out_is_no_small_group_either(pupils: Cast) -> None:
    """All girls less the girls of level 4 is one girl: her mark is the difference of two means."""
    by_school = [("org_path", T.SCHOOL), ("sex", T.EXACT), ("score", T.MEAN)]
    assert drafted(pupils, declared(*by_school)).check_found["is_passed"]
    failed = drafted(pupils, declared(*by_school, where={"level": "4"}))
    assert (failed.check_found["is_passed"], failed.check_found["small"]) == (False, 3)
    # In the total she is missing too: nothing can be shown.
    assert not drafted(pupils, declared(*by_school, where={"level": "4"}, suppresses=True)).check_found["is_passed"]
    # Another year is no part of these rows, and half of them is no small part.
    assert drafted(pupils, declared(*by_school, where={"year": "2026"})).check_found["is_passed"]
    assert drafted(pupils, declared(("org_path", T.SCHOOL), where={"sex": "1"})).check_found["is_passed"]


def test_the_same_counts_are_not_given_out_under_new_noise(pupils: Cast) -> None:
    """Whoever has many draws of one count has the count."""
    noisy = declared(("org_path", T.SCHOOL), ("sex", T.EXACT), epsilon="0.05")
    first = opened(pupils, noisy)
    officer, second = pupils.actor("city_officer"), pupils.actor("province_officer")
    told = {"declaration": noisy, "words": WORDS, "note": "再来一次", "now": pupils.now}
    again = draft_version(actor=officer, dataset_id=first.dataset_id, **told)  # type: ignore[arg-type]
    for version in (again, drafted(pupils, noisy)):
        ask_opening(actor=officer, id=version.pk, now=pupils.now)
        with pytest.raises(Conflict, match="加噪"):
            approve_opening(actor=second, id=version.pk, now=pupils.now)


def test_nothing_beyond_the_declaration_leaves(pupils: Cast) -> None:
    version = opened(pupils, BY_COUNTY)
    assert set(file_of(version)[0]) == {"county", "sex", "group_level", "count", "score_mean", "is_suppressed"}
    told = json.dumps([version.preview, version.check_found, file_of(version)], ensure_ascii=False, default=str)
    told += json.dumps(list(AuditEntry.objects.values_list("details", flat=True)), ensure_ascii=False)
    assert SECRET not in told
    for column, treatment in (
        *[("name", T.EXACT), ("number", T.EXACT), ("national_id_index", T.EXACT)],
        *[("birth_date", T.EXACT), ("org_path", T.EXACT), ("score", T.YEAR), ("unknown", T.EXACT)],
    ):
        with pytest.raises(Invalid):
            drafted(pupils, declared((column, treatment)))
    with pytest.raises(Invalid):
        drafted(pupils, declared(("sex", T.EXACT), where={"name": f"{SECRET}1"}))
    with pytest.raises(Invalid):
        drafted(pupils, records(("sex", T.EXACT), has_totals=True))


def test_a_branch_opens_its_own_rows_alone(pupils: Cast) -> None:
    version = drafted(pupils, declared(("org_path", T.COUNTY)), "county_officer", "county")
    assert version.preview["rows"] == [["东湖区", 48, False]]
    with pytest.raises(NotFound):
        drafted(pupils, declared(("org_path", T.COUNTY)), "county_officer", "city")
    for stranger in ("head", "teacher", "system_admin"):
        with pytest.raises(NotFound):
            drafted(pupils, declared(("org_path", T.COUNTY)), stranger, "school")
    with pytest.raises(NotFound):
        ask_opening(actor=pupils.actor("head"), id=version.pk, now=pupils.now)
    ask_opening(actor=pupils.actor("county_officer"), id=version.pk, now=pupils.now)
    with pytest.raises(NotFound):
        approve_opening(actor=pupils.actor("school_admin"), id=version.pk, now=pupils.now)


def test_noise_is_drawn_once_and_totals_are_sums_of_it(pupils: Cast) -> None:
    noisy = declared(("org_path", T.SCHOOL), ("sex", T.EXACT), has_totals=True, epsilon="0.05")
    version = opened(pupils, noisy)
    assert [row[3] for row in version.preview["rows"] if row[2] == 2] == [12] * 6
    rows = file_of(version)
    counts = {(row["school"], row["sex"]): int(str(row["count"])) for row in rows}
    assert any(counts[key] != 12 for key in counts if None not in key)
    first = Client().get(f"/open/{version.dataset.number}/v1.csv").getvalue()
    assert first == Client().get(f"/open/{version.dataset.number}/v1.csv").getvalue()
    with pytest.raises(Invalid):
        drafted(pupils, declared(("sex", T.EXACT), ("score", T.MEAN), epsilon="1"))
    for wrong in ("0", "11", "x", "NaN", "0.001"):
        with pytest.raises(Invalid):
            drafted(pupils, declared(("sex", T.EXACT), epsilon=wrong))


def test_nobody_approves_what_they_have_not_seen(pupils: Cast) -> None:
    version = drafted(pupils, BY_COUNTY)
    ask_opening(actor=pupils.actor("city_officer"), id=version.pk, now=pupils.now)
    write_partition(PUPILS.name, {"year": 2026}, rows_of(pupils, lone=False).slice(2), actor=SYSTEM, now=pupils.now)
    with pytest.raises(Conflict):
        approve_opening(actor=pupils.actor("province_officer"), id=version.pk, now=pupils.now)
    version.refresh_from_db()
    assert (version.state, version.preview["rows"][0][3]) == (OpenState.WAITING, 70)
    assert approve_opening(actor=pupils.actor("province_officer"), id=version.pk, now=pupils.now).state == OpenState.PUBLISHED
    # What no longer passes goes back to its author.
    late = drafted(pupils, BY_COUNTY)
    ask_opening(actor=pupils.actor("city_officer"), id=late.pk, now=pupils.now)
    write_partition(PUPILS.name, {"year": 2026}, rows_of(pupils).slice(0, 3), actor=SYSTEM, now=pupils.now)
    with pytest.raises(Conflict):
        approve_opening(actor=pupils.actor("province_officer"), id=late.pk, now=pupils.now)
    late.refresh_from_db()
    assert (late.state, late.preview) == (OpenState.DRAFT, {})
    assert not check_opening(actor=pupils.actor("city_officer"), id=late.pk, now=pupils.now).check_found["is_passed"]


def test_the_next_version_stands_beside_the_first_until_all_are_withdrawn(pupils: Cast) -> None:
    first = opened(pupils, BY_COUNTY)
    officer, second = pupils.actor("city_officer"), pupils.actor("province_officer")
    again = draft_version(
        actor=officer,
        dataset_id=first.dataset_id,
        declaration=declared(("sex", T.EXACT)),
        words=WORDS,
        note="只按性别",
        now=pupils.now,
    )
    assert again.number == 2
    ask_opening(actor=officer, id=again.pk, now=pupils.now)
    refused = refuse_opening(actor=second, id=again.pk, reason="再想想", now=pupils.now)
    assert (refused.state, refused.reason) == (OpenState.REFUSED, "再想想")
    ask_opening(actor=officer, id=again.pk, now=pupils.now)
    approve_opening(actor=second, id=again.pk, now=pupils.now)
    name = first.dataset.lake_name
    assert len(read_partition(name, {"version": 1})) == 7
    assert len(read_partition(name, {"version": 2})) == 2
    with pytest.raises(NotFound):
        withdraw_open_dataset(actor=pupils.actor("head"), id=first.pk, reason="错了", now=pupils.now)
    withdraw_open_dataset(actor=officer, id=first.pk, reason="错了", now=pupils.now)
    for number in (1, 2):
        assert snapshot_of(name, {"version": number}) is None
        with pytest.raises(NotFound):
            read_partition(name, {"version": number})
    with pytest.raises(Conflict):
        withdraw_open_dataset(actor=officer, id=first.pk, reason="错了", now=pupils.now)
    with pytest.raises(Conflict):
        draft_version(actor=officer, dataset_id=first.dataset_id, declaration=BY_COUNTY, words=WORDS, note="", now=pupils.now)
    assert OpenDataset.objects.get(pk=first.dataset_id).withdrawn_reason == "错了"
