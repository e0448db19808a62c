"""好差评: one rating a case, what becomes of a bad one, and what is published of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.cast import Cast

from shuren.casework.data import CaseState, Satisfaction
from shuren.casework.models import Case, Outward, Rating
from shuren.casework.rules.ratings import FEWEST, RATED_WITHIN, Tally, is_bad, may_rate
from shuren.casework.rules.workdays import workdays_between
from shuren.casework.selectors.hall import query_code
from shuren.casework.selectors.ratings import tallies_by_item, tallies_by_unit
from shuren.casework.services.hall.rate import exclude_rating, follow_rectification, rate_by_code, rate_case
from shuren.casework.tests.hall_cast import decided, install_gov, proof_given
from shuren.kernel import ids
from shuren.kernel.clock import day_of
from shuren.kernel.errors import Conflict, Invalid, NotFound, Refused
from shuren.messaging import api as messaging


@pytest.fixture
def gov(cast: Cast, define: Any) -> Cast:
    cache.clear()
    install_gov(define)
    return cast


def bad(cast: Cast, case: Case) -> Rating:
    return rate_case(
        actor=cast.actor("parent"),
        case_id=case.pk,
        satisfaction=Satisfaction.VERY_BAD,
        reasons=["late", "nonsense"],
        comment="等了三周。",
        now=cast.now,
    )


def test_the_parent_rates_once(gov: Cast) -> None:
    case = proof_given(gov)
    client = gov.client("parent")
    url = f"/hall/cases/{ids.encode('case', case.pk)}/"
    assert "评价这次办理" in client.get(url).content.decode()
    assert client.post(f"{url}rate/", {"satisfaction": "5"}).status_code == 302
    rating = Rating.objects.get()
    assert (rating.satisfaction, rating.rectification, rating.rectify_by) == ("5", None, None)
    assert "评价这次办理" not in client.get(url).content.decode()
    again = client.post(f"{url}rate/", {"satisfaction": "1", "reasons": ["late"]})
    assert again.status_code == 409
    assert Rating.objects.get().satisfaction == "5"
    assert Outward.objects.get(kind="rating").payload["satisfaction"] == 5


def test_only_the_applicant_rates(gov: Cast) -> None:
    case = proof_given(gov)
    with pytest.raises(NotFound):
        rate_case(actor=gov.actor("school_admin"), case_id=case.pk, satisfaction=Satisfaction.VERY_GOOD, now=gov.now)
    told: dict[str, Any] = {"number": case.number, "satisfaction": Satisfaction.VERY_GOOD, "now": gov.now}
    with pytest.raises(Refused):
        rate_by_code(proof="8010", **told)
    with pytest.raises(NotFound):
        rate_by_code(proof="00000000", **told)
    assert rate_by_code(proof=query_code(case.number), **told).channel == "code"


def test_rating_by_receipt_needs_no_account(gov: Cast) -> None:
    case = proof_given(gov)
    told = {"number": case.number, "proof": query_code(case.number), "satisfaction": "4"}
    assert Client().post("/hall/rate/", told).status_code == 302
    assert Client().post("/hall/rate/", told).status_code == 409
    assert Client().post("/hall/rate/", told | {"proof": "XXXXXXXX"}).status_code == 200
    assert Rating.objects.count() == 1


def test_a_bad_rating_says_why(gov: Cast) -> None:
    case = proof_given(gov)
    with pytest.raises(Invalid):
        rate_case(actor=gov.actor("parent"), case_id=case.pk, satisfaction=Satisfaction.BAD, now=gov.now)
    rating = bad(gov, case)
    assert rating.reasons == ["late"]


def test_a_bad_rating_is_put_right_called_back_and_told(gov: Cast) -> None:
    rating = bad(gov, proof_given(gov))
    made = rating.rectification
    assert made is not None
    assert rating.rectify_by is not None
    assert workdays_between(day_of(gov.now), day_of(rating.rectify_by)) == 15
    assert made.data["case_number"] == rating.case.number
    assert made.state == CaseState.RUNNING.value
    decided(gov, made, "head", "rectified", cause="late", measure="已向家长说明并加快办理。")
    decided(gov, made, "county_officer", "content", called_on="2026-12-01", says="content", callback_note="家长认可。")
    assert follow_rectification(case_id=made.pk, now=gov.now) is True
    assert follow_rectification(case_id=made.pk, now=gov.now) is False
    rating.refresh_from_db()
    assert rating.called_back_at is not None
    assert rating.callback_note == "家长认可。"
    told = messaging.notices_of(gov.people["parent"].id).rows
    assert [notice.body for notice in told if notice.title == "您的评价已经整改"] == ["已向家长说明并加快办理。"]
    shown = gov.client("parent").get(f"/hall/cases/{ids.encode('case', rating.case_id)}/").content.decode()
    for words in ("非常不满意", "已整改并回访", "已向家长说明并加快办理。"):
        assert words in shown


def test_only_what_may_be_rated_is_offered_to_whoever_follows(gov: Cast) -> None:
    case = proof_given(gov)
    told = {"number": case.number, "proof": query_code(case.number)}
    assert "评价这次办理" in Client().post("/hall/progress/", told).content.decode()
    bad(gov, case)
    shown = Client().post("/hall/progress/", told).content.decode()
    assert "已出具" in shown
    assert "评价这次办理" not in shown


def test_a_rater_who_is_not_content_sends_it_back(gov: Cast) -> None:
    made = bad(gov, proof_given(gov)).rectification
    assert made is not None
    decided(gov, made, "head", "rectified", cause="late", measure="已说明。")
    made = decided(
        gov, made, "county_officer", "again", "仍不满意", called_on="2026-12-01", says="accepts", callback_note="仍不满意。"
    )
    assert (made.state, made.stage) == (CaseState.RUNNING.value, "verify")


def test_only_the_level_above_leaves_a_rating_out_with_a_reason(gov: Cast) -> None:
    rating = bad(gov, proof_given(gov))
    reason = "经核查，评价内容与办件记录完全不符，系恶意差评。"
    for who in ("head", "school_admin", "county_officer"):
        with pytest.raises(Refused):
            exclude_rating(actor=gov.actor(who), rating_id=rating.pk, reason=reason, now=gov.now)
    with pytest.raises(NotFound):
        exclude_rating(actor=gov.actor("parent"), rating_id=rating.pk, reason=reason, now=gov.now)
    with pytest.raises(Invalid):
        exclude_rating(actor=gov.actor("city_officer"), rating_id=rating.pk, reason="恶意", now=gov.now)
    exclude_rating(actor=gov.actor("city_officer"), rating_id=rating.pk, reason=reason, now=gov.now)
    with pytest.raises(Conflict):
        exclude_rating(actor=gov.actor("city_officer"), rating_id=rating.pk, reason=reason, now=gov.now)
    assert tallies_by_item(org=gov.orgs["province"], now=gov.now) == []


def test_the_review_of_the_flow_leaves_it_out_too(gov: Cast) -> None:
    rating = bad(gov, proof_given(gov))
    made = rating.rectification
    assert made is not None
    decided(gov, made, "head", "mistaken", "当天已办结。", cause="late", measure="核对办件记录。")
    decided(gov, made, "city_officer", "exclude", "记录显示当天办结，认定与事实不符。")
    assert follow_rectification(case_id=made.pk, now=gov.now) is True
    rating.refresh_from_db()
    assert rating.excluded_at is not None
    assert "当天办结" in rating.exclusion_reason


def test_few_ratings_are_not_told(gov: Cast) -> None:
    rating = bad(gov, proof_given(gov))
    page = Client().get("/hall/ratings/").content.decode()
    assert "少于 5 条评价，不公布" in page
    many(gov, rating, FEWEST)
    page = Client().get("/hall/ratings/").content.decode()
    assert "83.3%" in page
    assert "学籍证明" in page


def many(cast: Cast, rating: Rating, count: int) -> None:
    """So many more good ratings beside one."""
    case = rating.case
    for number in range(count):
        other = Case.objects.get(pk=case.pk)
        other.pk, other.number = None, f"{case.number}X{number}"
        other.save(force_insert=True)
        Rating.objects.create(
            case=other, item_id=rating.item_id, org_path=rating.org_path, satisfaction="5", rated_at=cast.now - timedelta(days=1)
        )


def test_figures_by_unit_lead_down_the_tree(gov: Cast) -> None:
    many(gov, bad(gov, proof_given(gov)), 5)
    (row,) = tallies_by_unit(org=gov.orgs["province"], now=gov.now)
    assert (row.title, row.tally) == ("临江市", Tally(count=6, content=5, bad=1, due=0, in_time=0))
    (row,) = tallies_by_unit(org=gov.orgs["county"], now=gov.now)
    assert row.title == "东湖区实验小学"
    assert Client().get(f"/hall/ratings/?unit={gov.orgs['school'].public_id}").status_code == 404


def test_whoever_looks_after_the_branch_reads_ratings(gov: Cast) -> None:
    rating = bad(gov, proof_given(gov))
    url = f"/hall/ratings/{ids.encode('rating', rating.pk)}/"
    page = gov.client("city_officer").get(url).content.decode()
    assert "超过承诺时限" in page
    assert "等了三周" in page
    assert "不计入统计" in page
    assert gov.client("far_head").get(url).status_code == 404
    assert gov.client("parent").get("/hall/ratings/manage/").status_code == 404
    assert rating.case.number in gov.client("head").get("/hall/ratings/manage/?which=open").content.decode()


@given(
    state=st.sampled_from(CaseState),
    hours=st.integers(0, 2000),
    is_offered=st.booleans(),
    has_rating=st.booleans(),
)
def test_a_case_is_rated_once_and_not_for_ever(state: CaseState, hours: int, is_offered: bool, has_rating: bool) -> None:
    closed = datetime(2026, 9, 1, tzinfo=UTC)
    told = {"state": state, "closed_at": closed, "is_offered": is_offered, "now": closed + timedelta(hours=hours)}
    allowed = may_rate(has_rating=has_rating, **told)  # type: ignore[arg-type]
    assert allowed == (state is CaseState.CLOSED and is_offered and not has_rating and timedelta(hours=hours) <= RATED_WITHIN)


@given(counts=st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=6))
def test_shares_lie_between_none_and_all_and_of_few_nothing_is_told(counts: list[tuple[int, int]]) -> None:
    total = Tally()
    for content, bad_ones in counts:
        total += Tally(count=content + bad_ones, content=content, bad=bad_ones, due=bad_ones, in_time=bad_ones // 2)
    if total.count < FEWEST:
        assert total.percent_content is None
        assert total.percent_in_time is None
        assert total.is_suppressed == (total.count > 0)
    else:
        assert total.percent_content is not None
        assert 0 <= total.percent_content <= 100


def test_the_last_two_grades_are_bad() -> None:
    assert [grade for grade in Satisfaction if is_bad(grade)] == [Satisfaction.BAD, Satisfaction.VERY_BAD]
