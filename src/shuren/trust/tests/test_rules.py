import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuren.trust.rules import PREFIX, SealBroken, blind_with, derived_key, seal_with, unseal_with

KEY = derived_key(b"k" * 32, use="seal")
OTHER_KEY = derived_key(b"o" * 32, use="seal")
PURPOSES = st.text(min_size=1, max_size=20)


@given(data=st.binary(max_size=300), purpose=PURPOSES)
def test_what_is_sealed_opens_again(data: bytes, purpose: str) -> None:
    assert unseal_with(KEY, seal_with(KEY, data, purpose=purpose), purpose=purpose) == data


@given(data=st.binary(max_size=60), place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_one_changed_bit_anywhere_breaks_the_seal(data: bytes, place: int, bit: int) -> None:
    sealed = bytearray(seal_with(KEY, data, purpose="p"))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        unseal_with(KEY, bytes(sealed), purpose="p")


@given(data=st.binary(max_size=60), cut=st.integers(1, 200))
def test_a_cut_seal_does_not_open(data: bytes, cut: int) -> None:
    sealed = seal_with(KEY, data, purpose="p")
    with pytest.raises(SealBroken):
        unseal_with(KEY, sealed[: max(0, len(sealed) - cut)], purpose="p")


@given(purpose=PURPOSES, other=PURPOSES)
def test_a_seal_opens_only_for_its_purpose(purpose: str, other: str) -> None:
    if purpose == other:
        return
    with pytest.raises(SealBroken):
        unseal_with(KEY, seal_with(KEY, b"x", purpose=purpose), purpose=other)


def test_a_seal_does_not_open_with_another_key() -> None:
    with pytest.raises(SealBroken):
        unseal_with(OTHER_KEY, seal_with(KEY, b"x", purpose="p"), purpose="p")


def test_no_nonce_is_used_twice_and_equal_data_look_different() -> None:
    sealed = {seal_with(KEY, b"same", purpose="p") for _ in range(5000)}
    assert len({value[len(PREFIX) : len(PREFIX) + 12] for value in sealed}) == 5000


def test_the_version_stands_in_front() -> None:
    assert seal_with(KEY, b"x", purpose="p").startswith(b"v1:")


def test_the_data_do_not_show_through() -> None:
    assert b"440101" not in seal_with(KEY, b"440101201501011234", purpose="p")


@pytest.mark.parametrize("sealed", [b"", b"v1:", b"v1:short", b"v2:" + b"0" * 40, b"plain text of some length, unsealed"])
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        unseal_with(KEY, sealed, purpose="p")


def test_sealing_without_a_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="purpose"):
        seal_with(KEY, b"x", purpose="")


@given(text=st.text(max_size=40), other=st.text(max_size=40))
def test_blind_indexes_agree_exactly_when_texts_agree(text: str, other: str) -> None:
    assert (blind_with(KEY, text, purpose="p") == blind_with(KEY, other, purpose="p")) == (text == other)


def test_blind_indexes_differ_by_purpose_and_by_key() -> None:
    found = {
        blind_with(KEY, "a", purpose="p"),
        blind_with(KEY, "a", purpose="q"),
        blind_with(OTHER_KEY, "a", purpose="p"),
        # The border between purpose and text may not be moved.
        blind_with(KEY, "ba", purpose="p"),
        blind_with(KEY, "a", purpose="pb"),
    }
    assert len(found) == 5


def test_keys_of_two_uses_differ() -> None:
    assert derived_key(b"k" * 32, use="seal") != derived_key(b"k" * 32, use="blind_index")
