from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from shuren.kernel.scope import Scope
from shuren.search.api import find, index_documents, remove_documents, remove_kind
from shuren.search.data import Document
from shuren.search.models import Entry
from shuren.search.tests.conftest import DOCUMENTS

CITY = Scope(paths=("1/",))
PEOPLE = ("person",)


def titles(text: str, scope: Scope = CITY, **options: Any) -> list[str]:
    return [hit.title for hit in find(text, scope=scope, **options).rows]


@pytest.mark.usefixtures("town")
def test_an_emptied_index_is_filled_again() -> None:
    Entry.objects.all().delete()
    index_documents(DOCUMENTS[:3])
    assert titles("张三") == []
    index_documents(DOCUMENTS[3:])
    assert titles("张三")[0] == "张三"


@pytest.mark.usefixtures("town")
class TestFinding:
    @pytest.mark.parametrize("text", ["张三", "zs", "zhangsan", "ZHANGSAN", "ｚｓ", " 张三 "])
    def test_whole_names_come_first(self, text: str) -> None:
        assert titles(text, kinds=PEOPLE)[0] == "张三"

    def test_exact_then_beginning_then_inside(self) -> None:
        assert titles("张三", kinds=PEOPLE) == ["张三", "张三丰", "李张三"]

    @pytest.mark.parametrize("text", ["章珊", "zhangshan", "zs"])
    def test_names_that_read_alike(self, text: str) -> None:
        assert "章珊" in titles(text, kinds=PEOPLE)

    @pytest.mark.parametrize("text", ["chongqing", "重庆", "cqlxx", "chongqinglu", "重庆 小学", "3641000001", "3641", "重小"])
    def test_orgs_by_words_readings_and_codes(self, text: str) -> None:
        assert titles(text, kinds=("org",))[0] == "重庆路小学"

    @pytest.mark.parametrize("text", ["三丰", "sanfeng", "sf", "zhangsanf", "张san", "zhang 育才", "丰"])
    def test_parts_of_a_name(self, text: str) -> None:
        assert "张三丰" in titles(text, kinds=PEOPLE)

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("xm", "王小明"),
            ("xiaom", "王小明"),
            ("ming", "王小明"),
            ("xiu", "欧阳修"),
            ("yangxiu", "欧阳修"),
            ("jd", "尉迟敬德"),
            ("jingde", "尉迟敬德"),
            ("tuerxun", "买买提·吐尔逊"),
            ("tex", "买买提·吐尔逊"),
            ("maititu", "买买提·吐尔逊"),
        ],
    )
    def test_readings_and_initials_from_any_syllable_on(self, text: str, name: str) -> None:
        names = ("王小明", "欧阳修", "尉迟敬德", "买买提·吐尔逊")
        index_documents(Document("person", 20 + at, each, path="1/16/") for at, each in enumerate(names))
        assert titles(text, kinds=PEOPLE) == [name]
        hit = find(text, scope=CITY, kinds=PEOPLE).rows[0]
        assert any(part.is_match for part in hit.title_parts)

    @pytest.mark.parametrize("text", ["iaoming", "uo", "gde", "wm", "iu"])
    def test_nothing_matches_from_inside_a_syllable(self, text: str) -> None:
        index_documents(Document("person", 20 + at, each, path="1/16/") for at, each in enumerate(("王小明", "尉迟敬德")))
        assert titles(text, kinds=PEOPLE) == []

    def test_a_person_by_number(self) -> None:
        assert titles("20260000000045") == ["赵四"]
        assert titles("202600000000", kinds=PEOPLE, limit=3, offset=3) == titles("202600000000", kinds=PEOPLE)[3:6]

    def test_nothing(self) -> None:
        assert find("王五", scope=CITY).total == 0
        assert find("'; DROP TABLE search_entry --", scope=CITY).rows == []
        assert find("", scope=CITY).rows == []

    def test_outside_the_scope_nothing_is_found(self) -> None:
        assert titles("张三", Scope(paths=("1/16/",)), kinds=PEOPLE) == ["张三丰", "李张三"]
        assert titles("张三", Scope()) == []

    def test_single_people_are_found_wherever_they_are(self) -> None:
        assert titles("zhang", Scope(person_ids=frozenset({5}))) == ["章珊"]

    def test_people_of_two_places_are_found_from_both(self) -> None:
        assert titles("赵四", Scope(paths=("1/15/",))) == titles("赵四", Scope(paths=("1/16/",))) == ["赵四"]

    def test_a_branch_does_not_reach_its_neighbour_with_the_same_beginning(self) -> None:
        index_documents([Document("person", 9, "钱九", path="1/150/")])
        assert titles("钱九", Scope(paths=("1/15/",))) == []
        assert titles("钱九", Scope(paths=("1/150/",))) == ["钱九"]

    def test_the_total_counts_what_can_be_reached(self) -> None:
        page = find("zhang", scope=CITY, kinds=PEOPLE, limit=2)
        assert (page.total, page.is_exact, len(page.rows)) == (4, True, 2)

    def test_indexing_again_replaces(self) -> None:
        index_documents([Document("person", 1, "张改名", path="1/16/")])
        assert titles("张三", Scope(paths=("1/15/",))) == []
        assert titles("张改名", Scope(paths=("1/16/",))) == ["张改名"]

    def test_the_last_of_two_documents_of_one_thing_stands(self) -> None:
        assert index_documents([Document("person", 8, "甲", path="1/"), Document("person", 8, "乙", path="1/")]) == 1
        assert (titles("甲"), titles("乙")) == ([], ["乙"])

    def test_removing(self) -> None:
        assert remove_documents("person", [1, 99]) == 1
        assert titles("张三", kinds=PEOPLE) == ["张三丰", "李张三"]
        assert remove_kind("person") == 4
        assert titles("zhang", kinds=PEOPLE) == []
        assert titles("chongqing") == ["重庆路小学"]


class ScopeNeverLeaks(TestCase):
    """Whatever is typed, every hit lies inside the scope and fits the kinds."""

    def setUp(self) -> None:
        index_documents(DOCUMENTS)

    @given(
        text=st.one_of(
            st.text(max_size=12),
            st.text(alphabet="张三丰章珊赵四重庆育才小学zhangsficq0123 /=.*\"'|&()!:", max_size=10),
            st.sampled_from([document.title for document in DOCUMENTS]),
        ),
        branches=st.sets(st.sampled_from(["1/15/", "1/16/", "1/99/"]), max_size=2),
        people=st.frozensets(st.integers(1, 6), max_size=2),
        kinds=st.sampled_from([(), ("org",), ("person",)]),
    )
    def test_scope_never_leaks(self, text: str, branches: set[str], people: frozenset[int], kinds: tuple[str, ...]) -> None:
        scope = Scope(paths=tuple(sorted(branches)), person_ids=people)
        places = {(document.kind, document.object_id): (document.path, *document.other_paths) for document in DOCUMENTS}
        for hit in find(text, scope=scope, kinds=kinds, limit=50).rows:
            is_named = hit.kind == "person" and hit.object_id in people
            assert is_named or any(scope.covers(path) for path in places[hit.kind, hit.object_id])
            assert not kinds or hit.kind in kinds


@pytest.mark.django_db
def test_more_than_can_be_ranked() -> None:
    index_documents(Document("person", number, f"王{number:04d}", path="1/") for number in range(400))
    page = find("王", scope=CITY)
    assert (page.total, page.is_exact) == (300, False)
    assert find("王0399", scope=CITY).total == 1
