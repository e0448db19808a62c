"""Several sources of one fact: the rule by property, the stream, kills, decisions of the owner, people who are one or gone."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.cast import Cast

from shuren.datahub import api, jobs
from shuren.datahub.data import CandidateData, NewCandidate, PrecedenceData, SourceRank, SubjectKind, TieRule, Verdict
from shuren.datahub.models import Candidate, Golden
from shuren.datahub.rules.converge import choose
from shuren.datahub.services.converge import choose as choosing
from shuren.datahub.services.converge.candidates import value_of
from shuren.datahub.services.converge.decide import accept_by_rule, accept_golden, overrule_golden
from shuren.datahub.services.converge.follow_people import follow_merge, forget_person
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.models import AuditEntry
from shuren.standards import api as standards

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
PERSON = SubjectKind.PERSON
ORDER = PrecedenceData("person.phone", (SourceRank("parent", 365), SourceRank("roster"), SourceRank("scim")))


def candidate(id: int, source: str, digest: str, days_ago: int = 0) -> CandidateData:
    return CandidateData(id, source, digest, NOW - days_ago * DAY)


SOURCES = st.sampled_from(["parent", "roster", "scim", "rumour"])
CANDIDATES = st.lists(
    st.builds(
        candidate, st.just(0), st.sampled_from(["parent", "roster", "scim", "rumour"]), st.sampled_from("ab"), st.integers(0, 600)
    ),
    max_size=5,
).map(lambda some: [CandidateData(at, one.source, one.digest, one.seen_at) for at, one in enumerate(some, 1)])


class TestRule:
    def test_the_first_source_wins_over_later_news(self) -> None:
        choice = choose([candidate(1, "roster", "a"), candidate(2, "parent", "b", 30)], ORDER, now=NOW)
        assert choice.candidate is not None
        assert (choice.candidate.id, choice.rule, choice.values) == (2, "precedence", 2)
        assert [(one[0], one[3]) for one in choice.evidence] == [(1, "later_source"), (2, "chosen")]

    def test_the_newest_of_one_source_wins(self) -> None:
        choice = choose([candidate(1, "roster", "a", 9), candidate(2, "roster", "b", 2)], ORDER, now=NOW)
        assert choice.candidate is not None
        assert (choice.candidate.id, choice.rule) == (2, "newest")

    def test_what_has_run_out_is_no_longer_believed(self) -> None:
        choice = choose([candidate(1, "parent", "a", 400), candidate(2, "scim", "b")], ORDER, now=NOW)
        assert choice.candidate is not None
        assert choice.candidate.id == 2
        assert choice.evidence[0][3] == "expired"

    def test_a_tie_goes_to_what_others_say_too(self) -> None:
        told = [candidate(1, "roster", "a"), candidate(2, "roster", "b"), candidate(3, "scim", "b", 50)]
        by_votes = choose(told, ORDER, now=NOW)
        assert by_votes.candidate is not None
        assert (by_votes.candidate.id, by_votes.rule) == (2, "tie_agreed")
        first = choose(told, PrecedenceData("x", ORDER.sources, TieRule.FIRST), now=NOW)
        assert first.candidate is not None
        assert (first.candidate.id, first.rule) == (1, "tie_first")

    def test_nobody_declared_is_never_chosen(self) -> None:
        choice = choose([candidate(1, "rumour", "a")], ORDER, now=NOW)
        assert (choice.candidate, choice.rule) == (None, "none_valid")

    @given(CANDIDATES)
    def test_the_order_in_which_they_come_makes_no_difference(self, told: list[CandidateData]) -> None:
        expected = choose(told, ORDER, now=NOW)
        for other in list(permutations(told))[:24]:
            assert choose(other, ORDER, now=NOW) == expected

    @given(CANDIDATES)
    def test_the_chosen_one_is_valid_and_of_the_best_source(self, told: list[CandidateData]) -> None:
        choice = choose(told, ORDER, now=NOW)
        ranks = {rank.source: place for place, rank in enumerate(ORDER.sources)}
        valid = [one for one in told if one.source in ranks and not (one.source == "parent" and one.seen_at < NOW - 365 * DAY)]
        assert (choice.candidate is None) == (not valid)
        if choice.candidate is not None:
            assert ranks[choice.candidate.source] == min(ranks[one.source] for one in valid)
            same = [one for one in valid if one.source == choice.candidate.source]
            assert choice.candidate.seen_at == max(one.seen_at for one in same)
            assert [one[3] for one in choice.evidence].count("chosen") == 1


@pytest.fixture
def phones(cast: Cast) -> Cast:
    standards.load_registry()
    api.set_precedence(actor=SYSTEM, element_code="person.phone", sources=ORDER.sources, tie=TieRule.AGREED, now=NOW)
    return cast


def tell(source: str, *told: tuple[int, str], ago: int = 0) -> None:
    rows = [NewCandidate(subject_id, value, NOW - ago * DAY, f"{source}:1") for subject_id, value in told]
    api.put_candidates(actor=SYSTEM, element_code="person.phone", kind=PERSON, source=source, told=rows, now=NOW)


def converge(*subject_ids: int) -> int:
    return api.converge_subjects(element_code="person.phone", kind=PERSON, subject_ids=subject_ids, now=NOW)


def chosen(subject_id: int) -> str:
    row = Golden.objects.select_related("candidate").get(subject_id=subject_id)
    assert row.candidate is not None
    return value_of(row.candidate)


class TestStore:
    def test_values_of_people_are_sealed_and_the_same_is_kept_once(self, phones: Cast) -> None:
        pupil = phones.people["pupil"].id
        tell("roster", (pupil, "13800000000"), ago=3)
        tell("roster", (pupil, " １３800000000 "), ago=1)
        tell("roster", (pupil, "13800000000"), ago=9)
        row = Candidate.objects.get()
        assert (row.value, value_of(row), row.seen_at) == ("", "13800000000", NOW - DAY)
        assert b"13800000000" not in bytes(row.value_sealed or b"")

    def test_the_choice_keeps_its_evidence(self, phones: Cast) -> None:
        pupil = phones.people["pupil"].id
        tell("roster", (pupil, "13800000000"))
        tell("parent", (pupil, "13900000000"), ago=20)
        assert converge(pupil) == 1
        row = Golden.objects.get()
        assert (chosen(pupil), row.rule, row.values, row.verdict) == ("13900000000", "precedence", 2, "open")
        assert {(source, found) for _id, source, _seen, found in row.evidence} == {
            ("parent", "chosen"),
            ("roster", "later_source"),
        }
        assert converge(pupil) == 0

    def test_an_unknown_element_is_not_found(self, phones: Cast) -> None:
        with pytest.raises(NotFound):
            api.put_candidates(actor=SYSTEM, element_code="no.such", kind=PERSON, source="x", told=[], now=NOW)


class Stopped(Exception):
    """The process is gone."""


class Job:
    """A job that keeps its state."""

    def __init__(self, stop_after: int = 10**9) -> None:
        self.state: dict[str, Any] = {}
        self.left = stop_after

    def checkpoint(self, **state: Any) -> None:
        if self.left == 0:
            raise Stopped
        self.left -= 1
        self.state |= state

    def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Nobody watches."""


class TestStream:
    def test_a_killed_run_goes_on_and_comes_to_the_same(self, phones: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choosing, "AT_ONCE", 7)
        tell("roster", *((n, f"138{n:08}") for n in range(1, 41)))
        tell("parent", *((n, f"139{n:08}") for n in range(1, 41, 2)))
        tell("scim", *((n, f"137{n:08}") for n in range(5, 20)))
        job = Job(stop_after=3)
        with pytest.raises(Stopped):
            jobs.converge_element(job, element="person.phone")  # type: ignore[arg-type]  # what it uses of a job
        assert 0 < Golden.objects.count() < 40
        job.left = 10**9
        done = jobs.converge_element(job, element="person.phone")  # type: ignore[arg-type]  # what it uses of a job
        assert done["subjects"] == Golden.objects.count() == 40
        assert {row.source for row in Golden.objects.filter(subject_id__in=range(1, 41, 2))} == {"parent"}
        assert Golden.objects.filter(source="roster").count() == 20

    def test_a_subject_with_more_candidates_than_fit_is_read_whole(self, phones: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(choosing, "AT_ONCE", 2)
        for n in range(9):
            tell("roster", (1, f"1380000000{n}"), ago=n)
        tell("roster", (2, "13900000000"))
        assert api.converge_element(element_code="person.phone", now=NOW) == (2, 2)
        assert Golden.objects.get(subject_id=1).values == 9
        assert chosen(1) == "13800000000"

    def test_another_precedence_chooses_anew(self, phones: Cast) -> None:
        tell("roster", (1, "13800000000"))
        tell("scim", (1, "13700000000"))
        converge(1)
        assert chosen(1) == "13800000000"
        order = (SourceRank("scim"), SourceRank("roster"))
        api.set_precedence(actor=SYSTEM, element_code="person.phone", sources=order, tie=TieRule.FIRST, now=NOW)
        api.converge_element(element_code="person.phone", now=NOW)
        assert chosen(1) == "13700000000"
        with pytest.raises(Invalid):
            api.set_precedence(actor=SYSTEM, element_code="person.phone", sources=(), tie=TieRule.FIRST, now=NOW)


class TestOwner:
    @pytest.fixture
    def differing(self, phones: Cast) -> tuple[Cast, int]:
        pupil = phones.people["pupil"].id
        standards.set_owner(actor=SYSTEM, element_code="person.phone", org_id=phones.orgs["county"].id, now=NOW)
        tell("roster", (pupil, "13800000000"))
        tell("parent", (pupil, "13900000000"))
        converge(pupil)
        return phones, pupil

    def test_what_is_accepted_stands_until_something_new_is_told(self, differing: tuple[Cast, int]) -> None:
        cast, pupil = differing
        row = Golden.objects.get()
        with pytest.raises(NotFound):
            accept_golden(actor=cast.actor("school_admin"), golden_id=row.pk, now=NOW)
        accept_golden(actor=cast.actor("county_officer"), golden_id=row.pk, now=NOW)
        converge(pupil)
        assert Golden.objects.get().verdict == Verdict.ACCEPTED
        tell("scim", (pupil, "13700000000"))
        converge(pupil)
        assert Golden.objects.get().verdict == Verdict.OPEN

    def test_what_is_overruled_holds_against_the_precedence(self, differing: tuple[Cast, int]) -> None:
        cast, pupil = differing
        row, picked = Golden.objects.get(), Candidate.objects.get(source="roster")
        said = {"actor": cast.actor("county_officer"), "golden_id": row.pk, "candidate_id": picked.pk, "now": NOW}
        with pytest.raises(Invalid):
            overrule_golden(**said, reason=" ")
        overrule_golden(**said, reason="电话核实")
        converge(pupil)
        row = Golden.objects.get()
        assert (chosen(pupil), row.verdict, row.rule) == ("13800000000", "overruled", "overruled")
        assert AuditEntry.objects.get(action="datahub.golden_overruled").details["reason"] == "电话核实"

    def test_many_are_accepted_by_their_source(self, differing: tuple[Cast, int]) -> None:
        cast, _pupil = differing
        officer = cast.actor("county_officer")
        assert accept_by_rule(actor=officer, element_code="person.phone", source="roster", now=NOW) == 0
        assert accept_by_rule(actor=officer, element_code="person.phone", source="parent", rules=["precedence"], now=NOW) == 1
        with pytest.raises(NotFound):
            accept_by_rule(actor=cast.actor("far_head"), element_code="person.phone", source="parent", now=NOW)

    def test_two_entries_of_one_person_become_one(self, differing: tuple[Cast, int]) -> None:
        cast, pupil = differing
        kept = cast.people["classmate"].id
        tell("roster", (kept, "13800000000"), ago=5)
        converge(kept)
        assert follow_merge(kept_id=kept, dropped_id=pupil, now=NOW) == 2
        assert {row.subject_id for row in Candidate.objects.all()} == {kept}
        assert Candidate.objects.get(source="roster").seen_at == NOW
        assert (Golden.objects.get().subject_id, chosen(kept)) == (kept, "13900000000")

    def test_nothing_stays_of_who_is_erased(self, differing: tuple[Cast, int]) -> None:
        _cast, pupil = differing
        assert forget_person(person_id=pupil, now=NOW) == 2
        assert not Candidate.objects.exists()
        assert not Golden.objects.exists()


@settings(max_examples=15, deadline=None)
@given(CANDIDATES)
def test_an_overruled_candidate_is_chosen_whatever_is_told(told: list[CandidateData]) -> None:
    for one in told:
        choice = choose(told, ORDER, now=NOW, pinned=one.id)
        assert choice.candidate == one
        assert [mark[3] for mark in choice.evidence].count("chosen") == 1
