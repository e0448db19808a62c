"""The examples of GB/T 32907 and RFC 8998, and two back ends that must agree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.trust.rules.crypto import sm4, sm4_blocks

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")
NONCE = bytes.fromhex("00001234567800000000abcd")
BOUND = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
TEXT = b"".join(bytes([byte]) * 8 for byte in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
# RFC 8998, appendix A.1.
SEALED = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
    "83de3541e4c2b58177e065a9bf7b62ec"
)
BACKENDS = [pytest.param(backend, id=backend.name) for backend in sm4.BACKENDS]


def test_this_machine_tries_both_back_ends() -> None:
    assert [backend.name for backend in sm4.BACKENDS] == ["cryptography", "python"]


def test_one_block_of_gb_t_32907() -> None:
    found = sm4_blocks.encrypt_block(KEY, KEY)
    assert found.hex() == "681edf34d206965e86b3e94f536e4246"
    assert sm4_blocks.decrypt_block(KEY, found) == KEY


@pytest.mark.soak
def test_a_million_rounds_of_gb_t_32907() -> None:
    block = KEY
    for _turn in range(1_000_000):
        block = sm4_blocks.encrypt_block(KEY, block)
    assert block.hex() == "595298c7c6fd271f0402f804c33d3f66"


@pytest.mark.parametrize("backend", BACKENDS)
def test_gcm_of_rfc_8998(backend: sm4.Sm4Backend) -> None:
    assert backend.encrypt_gcm(KEY, NONCE, TEXT, BOUND) == SEALED
    assert backend.decrypt_gcm(KEY, NONCE, SEALED, BOUND) == TEXT


@given(key=st.binary(min_size=16, max_size=16), nonce=st.binary(min_size=12, max_size=12), data=st.binary(max_size=70))
@settings(max_examples=20, deadline=None)
def test_both_back_ends_agree(key: bytes, nonce: bytes, data: bytes) -> None:
    one, other = sm4.BACKENDS
    sealed = one.encrypt_gcm(key, nonce, data, b"bound")
    assert other.encrypt_gcm(key, nonce, data, b"bound") == sealed
    assert other.decrypt_gcm(key, nonce, sealed, b"bound") == data


@pytest.mark.parametrize("backend", BACKENDS)
@given(place=st.integers(0, len(SEALED) - 1), bit=st.integers(0, 7))
@settings(max_examples=20, deadline=None)
def test_one_changed_bit_is_refused(backend: sm4.Sm4Backend, place: int, bit: int) -> None:
    changed = bytearray(SEALED)
    changed[place] ^= 1 << bit
    for key, nonce, sealed, bound in (
        (KEY, NONCE, bytes(changed), BOUND),
        (KEY, NONCE, SEALED, BOUND + b"x"),
        (KEY, NONCE[::-1], SEALED, BOUND),
        (KEY[::-1], NONCE, SEALED, BOUND),
        (KEY, NONCE, SEALED[:15], BOUND),
    ):
        with pytest.raises(sm4.NotGenuine):
            backend.decrypt_gcm(key, nonce, sealed, bound)


@given(st.binary(max_size=70))
@settings(deadline=None)
def test_cbc_opens_again(data: bytes) -> None:
    assert sm4.decrypt_cbc(KEY, BOUND[:16], sm4.encrypt_cbc(KEY, BOUND[:16], data)) == data


@pytest.mark.parametrize("body", [b"", b"short", bytes(16)])
def test_cbc_of_something_else_is_refused(body: bytes) -> None:
    with pytest.raises(sm4.NotGenuine):
        sm4.decrypt_cbc(KEY, bytes(16), body)
