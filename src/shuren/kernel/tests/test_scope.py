import pytest
from django.db import connection, models
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from shuren.kernel.fields import PathField
from shuren.kernel.scope import Scope, next_path, outermost, path_q

IDS = st.one_of(st.integers(1, 12), st.integers(1, 2**63 - 1))
PATHS = st.lists(IDS, min_size=1, max_size=5).map(lambda ids: "".join(f"{number}/" for number in ids))


@given(path=PATHS, other=PATHS)
def test_the_range_of_a_branch_is_its_prefix(path: str, other: str) -> None:
    assert (path <= other < next_path(path)) == other.startswith(path)


@given(PATHS)
def test_a_branch_covers_itself_and_its_children_but_not_its_neighbour(path: str) -> None:
    scope = Scope(paths=(path,))
    assert scope.covers(path)
    assert scope.covers(f"{path}7/")
    assert not scope.covers(f"{path[:-1]}0/")


@pytest.mark.parametrize("path", ["", "1", "1/2"])
def test_a_path_ends_in_a_slash(path: str) -> None:
    with pytest.raises(ValueError, match="slash"):
        next_path(path)


@given(st.lists(PATHS, max_size=8))
def test_the_outermost_branches_cover_the_same_and_not_each_other(paths: list[str]) -> None:
    kept = outermost(paths)
    assert set(kept) <= set(paths)
    assert all(any(path.startswith(branch) for branch in kept) for path in paths)
    assert not any(one != other and one.startswith(other) for one in kept for other in kept)


@given(paths=st.lists(PATHS, max_size=4), path=PATHS)
def test_dropping_inner_branches_changes_no_answer(paths: list[str], path: str) -> None:
    assert Scope(paths=tuple(paths)).covers(path) == Scope(paths=outermost(paths)).covers(path)


def test_an_empty_scope_covers_nothing() -> None:
    assert Scope().is_empty
    assert not Scope().covers("1/")
    assert not Scope(person_ids=frozenset({1})).is_empty


class Place(models.Model):
    """A row with a path, in a table that the test makes for itself."""

    path = PathField()

    class Meta:
        app_label = "kernel_tests"
        managed = False


class PathRangesInTheDatabase(TestCase):
    """The same on the database at hand, whatever language it sorts by."""

    @classmethod
    def setUpTestData(cls) -> None:
        kind = Place._meta.get_field("path").db_parameters(connection)
        collation = f'COLLATE "{kind["collation"]}"' if kind.get("collation") else ""
        key = "serial" if connection.vendor == "postgresql" else "integer"
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TEMPORARY TABLE {Place._meta.db_table} (id {key} PRIMARY KEY, path {kind['type']} {collation} NOT NULL)"
            )

    @given(stored=st.lists(PATHS, min_size=1, max_size=8, unique=True), asked=st.lists(PATHS, max_size=3))
    @settings(max_examples=60, deadline=None)
    def test_rows_found_are_those_whose_path_begins_so(self, stored: list[str], asked: list[str]) -> None:
        Place.objects.all().delete()
        Place.objects.bulk_create([Place(path=path) for path in stored])
        found = set(Place.objects.filter(path_q("path", asked)).values_list("path", flat=True))
        assert found == {path for path in stored if any(path.startswith(branch) for branch in asked)}
