from hypothesis import given
from hypothesis import strategies as st

from shuren.search.data import Document
from shuren.search.rules.tokens import MAX_TOKEN, document_tokens, normal, runs


def tokens(title: str, text: str = "", kind: str = "person") -> set[str]:
    return set(document_tokens(Document(kind, 7, title, text, path="1/15/")))


def test_a_name_is_kept_whole_by_letters_pairs_reading_and_initials() -> None:
    assert {"=张三丰", "=zhangsanfeng", "=zsf", "张", "三丰", "san", "sanfeng", "sf"} <= tokens("张三丰")


def test_a_long_name_is_kept_from_every_syllable_on() -> None:
    assert {"maitituerxun", "mttex", "tuerxun", "tex", "erxun", "ex", "xun"} <= tokens("买买提·吐尔逊")
    assert {"yangxiu", "yx", "xiu", "x"} <= tokens("欧阳修")
    assert not {"m", "t", "e", "o", "y", "zs", "z"} & (tokens("买买提·吐尔逊") | tokens("欧阳修") | tokens("张三丰"))


def test_every_org_on_the_way_is_a_token() -> None:
    found = document_tokens(Document("person", 7, "张三", path="1/15/", other_paths=("1/16/20/",)))
    assert {"/1", "/15", "/16", "/20", "/person", "/person.7"} <= set(found)


def test_an_org_is_kept_by_words_and_their_readings() -> None:
    found = tokens("重庆路小学", kind="org")
    assert {"重庆", "chongqing", "cq", "小学", "xiaoxue", "=chongqingluxiaoxue", "=cqlxx"} <= found


def test_running_text_is_kept_by_words_and_numbers() -> None:
    assert {"g510104201301010012", "育才", "小学"} <= tokens("张三", "G510104201301010012 育才小学")


def test_full_width_and_capitals_do_not_matter() -> None:
    assert normal("ＡＢＣ１") == "abc1"
    assert runs("a-b 张·三") == ["a", "b", "张", "三"]


def test_a_document_without_letters_is_still_placed() -> None:
    assert tokens("……") == {"/person", "/person.7", "/1", "/15"}


@given(st.text(max_size=300), st.text(max_size=300), st.sampled_from(["org", "person"]))
def test_no_text_breaks_the_index_or_forges_a_place(title: str, text: str, kind: str) -> None:
    found = document_tokens(Document(kind, 7, title, text, path="1/15/"))
    assert all(0 < len(token) <= MAX_TOKEN and not set(token) & set(" '\"\\\x00") for token in found)
    assert {token for token in found if token.startswith("/")} == {f"/{kind}", f"/{kind}.7", "/1", "/15"}
    assert all("=" not in token[1:] and "/" not in token[1:] for token in found)
