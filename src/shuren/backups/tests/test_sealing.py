import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.backups.rules.sealing import RepositoryKey, Secret, Unopened, new_repository, opened_repository

KEY = RepositoryKey(bytes(range(32)), "0011223344556677")


@given(st.binary(max_size=3_000))
def test_what_was_sealed_opens_and_is_named_by_its_content(data: bytes) -> None:
    chunk = KEY.name_of(data)
    assert KEY.unseal_chunk(KEY.seal_chunk(data, chunk=chunk), chunk=chunk) == data
    assert RepositoryKey(bytes(32), "x").name_of(data) != chunk


def test_no_byte_may_change_nor_be_missing() -> None:
    data = b"pupil " * 200
    chunk = KEY.name_of(data)
    sealed = KEY.seal_chunk(data, chunk=chunk)
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Unopened, match=chunk):
            KEY.unseal_chunk(bytes(changed), chunk=chunk)
        with pytest.raises(Unopened, match=chunk):
            KEY.unseal_chunk(sealed[:place], chunk=chunk)


def test_a_chunk_under_the_name_of_another_does_not_open() -> None:
    one, other = KEY.name_of(b"one"), KEY.name_of(b"other")
    with pytest.raises(Unopened):
        KEY.unseal_chunk(KEY.seal_chunk(b"one", chunk=one), chunk=other)


@pytest.mark.parametrize("kind", ["passphrase", "file"])
def test_only_the_secret_opens_a_repository(kind: str) -> None:
    key, text = new_repository(Secret(kind, b"correct horse battery staple ok!"))
    assert opened_repository(text, Secret(kind, b"correct horse battery staple ok!")).master == key.master
    for secret in (Secret(kind, b"another horse battery staple ok!"), Secret("other", b"correct horse battery staple ok!")):
        with pytest.raises(Unopened):
            opened_repository(text, secret)


@settings(max_examples=12)
@given(st.sampled_from(["form", "id", "kdf", "wrapped"]), st.one_of(st.integers(), st.text(max_size=40), st.none(), st.just({})))
def test_a_changed_head_does_not_open(name: str, value: object) -> None:
    _key, text = new_repository(Secret("file", b"k" * 32))
    head = json.loads(text)
    head[name] = value
    with pytest.raises(Unopened):
        opened_repository(json.dumps(head), Secret("file", b"k" * 32))


def test_a_head_cannot_make_us_stretch_for_ever() -> None:
    _key, text = new_repository(Secret("passphrase", b"a passphrase for tests"))
    head = json.loads(text)
    head["kdf"]["n"] = 2**40
    with pytest.raises(Unopened):
        opened_repository(json.dumps(head), Secret("passphrase", b"a passphrase for tests"))
