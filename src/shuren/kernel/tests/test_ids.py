from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.kernel import ids
from shuren.kernel.errors import NotFound

ROWS = st.integers(0, 2**63 - 1)
KINDS = st.sampled_from(["org", "person", "import", "job", "assessment"])


@given(kind=KINDS, pk=ROWS)
def test_what_is_encoded_decodes_to_itself(kind: str, pk: int) -> None:
    text = ids.encode(kind, pk)
    assert len(text) == 13
    assert text.isalnum()
    assert text == text.lower()
    assert ids.decode(kind, text) == pk


@given(kind=KINDS, text=st.text("0123456789abcdefghjkmnpqrstvwxyz", min_size=13, max_size=13))
def test_text_either_decodes_to_its_own_row_or_to_nothing(kind: str, text: str) -> None:
    try:
        pk = ids.decode(kind, text)
    except NotFound:
        return
    assert ids.encode(kind, pk) == text


@given(st.text(max_size=30))
def test_any_other_text_is_not_found(text: str) -> None:
    if len(text) == 13 and set(text) <= set("0123456789abcdefghjkmnpqrstvwxyz"):
        return
    with pytest.raises(NotFound):
        ids.decode("org", text)


@given(pk=ROWS)
def test_an_id_of_one_kind_means_nothing_as_another(pk: int) -> None:
    text = ids.encode("org", pk)
    with suppress(NotFound):
        assert ids.decode("person", text) != pk


def test_neighbours_do_not_look_alike() -> None:
    texts = [ids.encode("org", pk) for pk in range(2000)]
    assert len(set(texts)) == 2000
    assert texts != sorted(texts)
    shared = sum(one[:4] == other[:4] for one, other in pairwise(texts))
    assert shared == 0
