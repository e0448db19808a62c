from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from shuren.trust.data import SealAlgorithm
from shuren.trust.rules.sealing import SealBroken, blind_with, derived_key, seal_with, unseal_with, version_of

SECRET = b"k" * 32
OTHER_SECRET = b"o" * 32
INDEX_KEY = derived_key(SECRET, use="blind_index")
PURPOSES = st.text(min_size=1, max_size=20)
ALGORITHMS = st.sampled_from(SealAlgorithm)
AES = SealAlgorithm.AES_256_GCM


def sealed_so(data: bytes, purpose: str = "p", version: int = 1, algorithm: SealAlgorithm = AES, secret: bytes = SECRET) -> bytes:
    return seal_with(secret, data, purpose=purpose, version=version, algorithm=algorithm)


def opened(sealed: bytes, purpose: str = "p", secrets: Callable[[int], bytes | None] = {1: SECRET}.get) -> bytes:
    return unseal_with(secrets, sealed, purpose=purpose)


@given(data=st.binary(max_size=300), purpose=PURPOSES, algorithm=ALGORITHMS)
def test_what_is_sealed_opens_again(data: bytes, purpose: str, algorithm: SealAlgorithm) -> None:
    assert opened(sealed_so(data, purpose, algorithm=algorithm), purpose) == data


@given(data=st.binary(max_size=60), place=st.integers(min_value=0), bit=st.integers(0, 7), algorithm=ALGORITHMS)
def test_one_changed_bit_anywhere_breaks_the_seal(data: bytes, place: int, bit: int, algorithm: SealAlgorithm) -> None:
    sealed = bytearray(sealed_so(data, algorithm=algorithm))
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(SealBroken):
        # Whatever version the changed head names, the secret is the same: only the binding refuses it.
        opened(bytes(sealed), secrets=lambda version: SECRET)


@given(data=st.binary(max_size=60), cut=st.integers(1, 200), algorithm=ALGORITHMS)
def test_a_cut_seal_does_not_open(data: bytes, cut: int, algorithm: SealAlgorithm) -> None:
    sealed = sealed_so(data, algorithm=algorithm)
    with pytest.raises(SealBroken):
        opened(sealed[: max(0, len(sealed) - cut)])


@given(purpose=PURPOSES, other=PURPOSES, algorithm=ALGORITHMS)
def test_a_seal_opens_only_for_its_purpose(purpose: str, other: str, algorithm: SealAlgorithm) -> None:
    if purpose == other:
        return
    with pytest.raises(SealBroken):
        opened(sealed_so(b"x", purpose, algorithm=algorithm), other)


@pytest.mark.parametrize("algorithm", list(SealAlgorithm))
def test_every_version_opens_with_its_own_secret(algorithm: SealAlgorithm) -> None:
    ring = {1: SECRET, 12: OTHER_SECRET}
    for version, secret in ring.items():
        sealed = sealed_so(b"x", version=version, algorithm=algorithm, secret=secret)
        assert version_of(sealed) == version
        assert opened(sealed, secrets=ring.get) == b"x"
    with pytest.raises(SealBroken):
        opened(sealed_so(b"x", version=2, algorithm=algorithm), secrets={2: OTHER_SECRET}.get)
    with pytest.raises(SealBroken, match="version 3"):
        opened(sealed_so(b"x", version=3, algorithm=algorithm), secrets=ring.get)


def test_values_of_the_first_form_open_for_ever() -> None:
    nonce = bytes(range(12))
    old = b"v1:" + nonce + AESGCM(derived_key(SECRET, use="seal")).encrypt(nonce, b"440101", b"directory.national_id")
    assert opened(old, "directory.national_id") == b"440101"
    assert version_of(old) == 1


def test_no_nonce_is_used_twice_and_equal_data_look_different() -> None:
    sealed = {sealed_so(b"same") for _ in range(5000)}
    assert len({value[6 : 6 + 12] for value in sealed}) == 5000


def test_version_and_algorithm_stand_in_front() -> None:
    assert sealed_so(b"x").startswith(b"v2:1:A")
    assert sealed_so(b"x", version=7, algorithm=SealAlgorithm.SM4_GCM).startswith(b"v2:7:S")


@pytest.mark.parametrize("algorithm", list(SealAlgorithm))
def test_the_data_do_not_show_through(algorithm: SealAlgorithm) -> None:
    assert b"440101" not in sealed_so(b"440101201501011234", algorithm=algorithm)


@pytest.mark.parametrize(
    "sealed",
    [
        b"",
        b"v1:",
        b"v1:short",
        b"v2:" + b"0" * 40,
        b"v2:0:A" + b"0" * 40,
        b"v2:01:A" + b"0" * 40,
        b"v2:1:X" + b"0" * 40,
        b"v2:1:A",
        b"v3:1:A" + b"0" * 40,
        b"plain text of some length, unsealed",
    ],
)
def test_what_was_never_sealed_is_refused(sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        opened(sealed)


def test_sealing_without_a_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="purpose"):
        sealed_so(b"x", "")


@given(text=st.text(max_size=40), other=st.text(max_size=40))
def test_blind_indexes_agree_exactly_when_texts_agree(text: str, other: str) -> None:
    assert (blind_with(INDEX_KEY, text, purpose="p") == blind_with(INDEX_KEY, other, purpose="p")) == (text == other)


def test_blind_indexes_differ_by_purpose_and_by_key() -> None:
    found = {
        blind_with(INDEX_KEY, "a", purpose="p"),
        blind_with(INDEX_KEY, "a", purpose="q"),
        blind_with(OTHER_SECRET, "a", purpose="p"),
        # The border between purpose and text may not be moved.
        blind_with(INDEX_KEY, "ba", purpose="p"),
        blind_with(INDEX_KEY, "a", purpose="pb"),
    }
    assert len(found) == 5


def test_keys_of_two_uses_differ() -> None:
    assert len({derived_key(SECRET, use=use)[:16] for use in ("seal", "seal.sm4", "blind_index")}) == 3
