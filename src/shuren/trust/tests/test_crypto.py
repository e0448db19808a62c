"""The examples of the standards, and what no back end may accept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shuren.trust.data import DigestAlgorithm
from shuren.trust.rules.crypto import curve, sm2
from shuren.trust.rules.crypto.digests import digest, hmac_sm3, sm3, sm3_by_cryptography
from shuren.trust.rules.crypto.encoding import (
    NotAKey,
    NotASignature,
    bytes_of_sm2_point,
    der_of_raw,
    raw_of_der,
    sm2_point_of,
    sm2_point_of_spki,
    spki_of_sm2,
)
from shuren.trust.rules.crypto.pem import NotOpened, locked_pem, pkcs8_of_pem

# GB/T 32918.5, annex A: key, nonce, message and what comes of them.
SECRET = 0x3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8
NONCE = 0x59276E27D506861A16680F3AD9C02DCCEF3CC1FA3CDBE4CE6D54B80DEAC1BC21
KEY = sm2.Sm2Key.of(SECRET)
OTHER = sm2.Sm2Key.of(SECRET + 1)
MESSAGE = b"message digest"
R = "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
S = "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
SIGNATURE = bytes.fromhex(R + S)
BACKENDS = [pytest.param(backend, id=backend.name) for backend in sm2.BACKENDS]
PAIRS = [(one, other) for one in sm2.BACKENDS for other in sm2.BACKENDS]


def test_this_machine_tries_both_back_ends() -> None:
    assert [backend.name for backend in sm2.BACKENDS] == ["libcrypto", "python"]


def test_the_public_key_of_the_example() -> None:
    assert bytes_of_sm2_point(KEY.point).hex() == (
        "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
    )


def test_the_identity_digest_and_message_number_of_the_example() -> None:
    assert sm2.identity_digest(KEY.point).hex() == "b2e14c5c79c6df5b85f4fe7ed8db7a262b9da7e07ccb0ea9f4747b8ccda8a4f3"
    assert sm2.message_number(MESSAGE, point=KEY.point) == 0xF0B43E94BA45ACCAACE692ED534382EB17E6AB5A19CE7B31F4486FDFC0D28640


def test_the_signature_of_the_example() -> None:
    assert sm2.sign_number(sm2.message_number(MESSAGE, point=KEY.point), secret=SECRET, nonce=NONCE) == SIGNATURE


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_back_end_accepts_the_example(backend: sm2.Sm2Backend) -> None:
    assert backend.verify(MESSAGE, SIGNATURE, point=KEY.point)


def test_the_encryption_of_the_example() -> None:
    """GB/T 32918.5, annex B, as C1 ‖ C3 ‖ C2."""
    sealed = sm2.encrypt(b"encryption standard", point=KEY.point, nonce=NONCE)
    assert sealed.hex() == (
        "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
        "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
        "21886ca989ca9c7d58087307ca93092d651efa"
    )
    assert sm2.decrypt(sealed, key=KEY) == b"encryption standard"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (b"abcd" * 16, "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"),
    ],
)
def test_sm3_of_gb_t_32905(text: bytes, expected: str) -> None:
    assert sm3(text).hex() == sm3_by_cryptography(text).hex() == digest(text, DigestAlgorithm.SM3).hex() == expected


@given(st.binary(max_size=300))
def test_both_makers_of_sm3_agree(data: bytes) -> None:
    assert sm3(data) == sm3_by_cryptography(data)


@given(key=st.binary(max_size=100), data=st.binary(max_size=100))
def test_hmac_by_its_definition(key: bytes, data: bytes) -> None:
    block = (sm3(key) if len(key) > 64 else key).ljust(64, b"\0")
    inner = sm3(bytes(byte ^ 0x36 for byte in block) + data)
    assert hmac_sm3(key, data) == sm3(bytes(byte ^ 0x5C for byte in block) + inner)


@pytest.mark.parametrize(("signing", "checking"), PAIRS)
@given(secret=st.integers(1, curve.N - 2), data=st.binary(max_size=200), id=st.binary(min_size=1, max_size=40))
@settings(max_examples=15, deadline=None)
def test_what_one_back_end_signs_the_other_accepts(
    signing: sm2.Sm2Backend, checking: sm2.Sm2Backend, secret: int, data: bytes, id: bytes
) -> None:
    key = sm2.Sm2Key.of(secret)
    signature = signing.sign(data, key=key, id=id)
    assert checking.verify(data, signature, point=key.point, id=id)
    assert not checking.verify(data + b"x", signature, point=key.point, id=id)
    assert not checking.verify(data, signature, point=key.point, id=id + b"x")
    assert not checking.verify(data, signature, point=OTHER.point, id=id)


@pytest.mark.parametrize("backend", BACKENDS)
@given(place=st.integers(0, 63), bit=st.integers(0, 7))
@settings(max_examples=40, deadline=None)
def test_one_changed_bit_is_refused(backend: sm2.Sm2Backend, place: int, bit: int) -> None:
    changed = bytearray(SIGNATURE)
    changed[place] ^= 1 << bit
    assert not backend.verify(MESSAGE, bytes(changed), point=KEY.point)


NUMBERS = {"zero": 0, "n": curve.N, "n+1": curve.N + 1, "max": 2**256 - 1, "r": int(R, 16), "-r": curve.N - int(R, 16)}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("r", NUMBERS)
@pytest.mark.parametrize("s", NUMBERS)
def test_numbers_out_of_range_are_refused(backend: sm2.Sm2Backend, r: str, s: str) -> None:
    signature = NUMBERS[r].to_bytes(32, "big") + NUMBERS[s].to_bytes(32, "big")
    assert not backend.verify(MESSAGE, signature, point=KEY.point)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("signature", [b"", SIGNATURE[:-1], SIGNATURE + b"\0", SIGNATURE[:32], der_of_raw(SIGNATURE)])
def test_signatures_of_another_length_are_refused(backend: sm2.Sm2Backend, signature: bytes) -> None:
    assert not backend.verify(MESSAGE, signature, point=KEY.point)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("point", [(0, 0), (1, 1), (KEY.point[0], KEY.point[1] + 1), (KEY.point[0] + curve.P, KEY.point[1])])
def test_points_off_the_curve_are_refused(backend: sm2.Sm2Backend, point: curve.Point) -> None:
    assert not backend.verify(MESSAGE, SIGNATURE, point=point)
    with pytest.raises(NotAKey):
        sm2.encrypt(b"x", point=point)


@pytest.mark.parametrize(
    "uncompressed",
    [
        b"",
        b"\x04" + b"\0" * 64,
        bytes_of_sm2_point(KEY.point)[:-1],
        b"\x02" + bytes_of_sm2_point(KEY.point)[1:33],
        bytes_of_sm2_point(KEY.point)[:-1] + b"\x14",
    ],
)
def test_malformed_points_are_refused(uncompressed: bytes) -> None:
    with pytest.raises(NotAKey):
        sm2_point_of(uncompressed)


@pytest.mark.parametrize("secret", [0, -1, curve.N - 1, curve.N, curve.N + 5])
def test_secrets_out_of_range_are_refused(secret: int) -> None:
    with pytest.raises(NotAKey):
        sm2.Sm2Key.of(secret)


DER = der_of_raw(SIGNATURE)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        DER + b"\0",
        DER[:-1],
        b"\x31" + DER[1:],
        # A length in its long form, and a number with a needless zero in front: BER, not DER.
        b"\x30\x81" + DER[1:],
        bytes.fromhex("300a0204000000010202" + "0001"),
        # Negative, and longer than the curve.
        bytes.fromhex("3006020180020101"),
        bytes.fromhex("3026" + "0221" + "01" + "00" * 32 + "020101"),
        bytes.fromhex("3003020101"),
        bytes.fromhex("3009020101020101020101"),
        b"\x30\x00",
        b"\x30\x80" + DER[2:] + b"\0\0",
    ],
)
def test_malformed_der_is_refused(der: bytes) -> None:
    with pytest.raises(NotASignature):
        raw_of_der(der)
    assert not sm2.verify_der(MESSAGE, der, point=KEY.point)


@given(r=st.integers(0, 2**256 - 1), s=st.integers(0, 2**256 - 1))
def test_der_and_raw_are_the_same(r: int, s: int) -> None:
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert raw_of_der(der_of_raw(raw)) == raw


@given(st.binary(max_size=120))
def test_no_bytes_make_the_reader_of_der_stumble(data: bytes) -> None:
    try:
        raw_of_der(data)
    except NotASignature:
        return
    assert der_of_raw(raw_of_der(data)) == data


@given(st.binary(max_size=120))
def test_no_bytes_make_the_reader_of_keys_stumble(data: bytes) -> None:
    with pytest.raises(NotAKey):
        sm2_point_of_spki(data)
    with pytest.raises(NotAKey):
        sm2.Sm2Key.of_pkcs8(data)


def test_keys_come_back_from_their_files() -> None:
    assert sm2.Sm2Key.of_pkcs8(KEY.pkcs8) == KEY
    assert sm2_point_of_spki(spki_of_sm2(KEY.point)) == KEY.point


@given(a=st.integers(0, 2**256), b=st.integers(0, 2**256))
@settings(max_examples=15, deadline=None)
def test_multiples_add_up(a: int, b: int) -> None:
    assert curve.sum_of_products(a, b, KEY.point) == curve.times_generator(a + b * SECRET)
    assert curve.times(a, curve.GENERATOR) == curve.times_generator(a)


def test_the_order_of_the_generator() -> None:
    assert curve.times_generator(curve.N) is None
    assert curve.times_generator(1) == curve.GENERATOR
    assert curve.is_on_curve(curve.GENERATOR)


@given(data=st.binary(min_size=1, max_size=100), place=st.integers(0), bit=st.integers(0, 7))
@settings(max_examples=25, deadline=None)
def test_changed_ciphertext_does_not_open(data: bytes, place: int, bit: int) -> None:
    sealed = bytearray(sm2.encrypt(data, point=KEY.point))
    assert sm2.decrypt(bytes(sealed), key=KEY) == data
    sealed[place % len(sealed)] ^= 1 << bit
    with pytest.raises(NotASignature):
        sm2.decrypt(bytes(sealed), key=KEY)


@given(st.binary(max_size=97))
def test_short_ciphertext_does_not_open(sealed: bytes) -> None:
    with pytest.raises(NotASignature):
        sm2.decrypt(sealed, key=KEY)


def test_secrets_do_not_show_in_a_traceback() -> None:
    assert str(SECRET) not in repr(KEY)


def test_key_files_open_by_their_passphrase_only() -> None:
    text = locked_pem(KEY.pkcs8, b"correct horse")
    assert b"ENCRYPTED" in text
    assert pkcs8_of_pem(text, b"correct horse") == KEY.pkcs8
    for passphrase in (b"", b"Correct horse"):
        with pytest.raises(NotOpened):
            pkcs8_of_pem(text, passphrase)
    assert pkcs8_of_pem(locked_pem(KEY.pkcs8, b""), b"") == KEY.pkcs8
    with pytest.raises(NotOpened):
        pkcs8_of_pem(b"no key", b"")
