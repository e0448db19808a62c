from hypothesis import given
from hypothesis import strategies as st

from shuren.kernel.scope import Scope
from shuren.search.rules.queries import Term, stages, title_parts, within


def marked(kind: str, title: str, text: str) -> str:
    return "".join(f"[{part.text}]" if part.is_match else part.text for part in title_parts(kind, title, text))


def test_whole_then_beginning_then_inside() -> None:
    assert stages("张三") == [
        ((Term("=张三"),),),
        ((Term("=张三", is_prefix=True),),),
        ((Term("张三"),),),
    ]


def test_every_word_must_be_there() -> None:
    inside = stages("zhang 育才")[2]
    assert inside == ((Term("zhang", is_prefix=True), Term("=zhang", is_prefix=True)), (Term("育才"),))


def test_single_letters_are_not_looked_up_as_beginnings_inside() -> None:
    assert stages("z")[2] == ((Term("z"),),)


def test_nothing_to_look_for() -> None:
    assert stages(" ，。'\"*() ") == []


def test_scope_and_kinds_become_conditions() -> None:
    scope = Scope(paths=("1/15/",), person_ids=frozenset({3}))
    assert within(scope, ("org", "person")) == (
        (Term("/15"), Term("/person.3")),
        (Term("/org"), Term("/person")),
    )


def test_what_matched_is_marked() -> None:
    assert marked("person", "张三丰", "三") == "张[三]丰"
    assert marked("person", "张三丰", "zhangsan") == "[张三]丰"
    assert marked("person", "张三丰", "zsf") == "[张三丰]"
    assert marked("org", "东湖区重庆路小学", "chongqing") == "东湖区[重庆]路小学"
    assert marked("org", "第2小学 四年级1班", "四年级") == "第2小学 [四年级]1班"
    assert marked("person", "张三", "李") == "张三"


@given(st.sampled_from(["org", "person"]), st.text(max_size=30), st.text(max_size=30))
def test_marking_never_changes_the_title(kind: str, title: str, text: str) -> None:
    assert "".join(part.text for part in title_parts(kind, title, text)) == title
