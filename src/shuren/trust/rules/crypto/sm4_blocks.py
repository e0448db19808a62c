"""The block cipher of GB/T 32907 and the modes around it, in plain integers: the referee of the fast back end."""

from functools import lru_cache
from itertools import pairwise

_S = bytes.fromhex(
    "d690e9fecce13db716b614c228fb2c052b679a762abe04c3aa441326498606999c4250f491ef987a33540b43edcfac62"
    "e4b31ca9c908e89580df94fa758f3fa64707a7fcf37317ba83593c19e6854fa8686b81b27164da8bf8eb0f4b70569d35"
    "1e240e5e6358d1a225227c3b01217887d40046579fd327524c3602e7a0c4c89eeabf8ad240c738b5a3f7f2cef96115a1"
    "e0ae5da49b341a55ad933230f58cb1e31df6e22e8266ca60c02923ab0d534e6fd5db3745defd8e2f03ff6a726d6c5b51"
    "8d1baf92bbddbc7f11d95c411f105ad80ac13188a5cd7bbd2d74d012b8e5b4b08969974a0c96777e65b9f109c56ec684"
    "18f07dec3adc4d2079ee5f3ed7cb3948"
)
_FAMILY = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
_CONSTANTS = [int.from_bytes(bytes((4 * turn + place) * 7 & 0xFF for place in range(4)), "big") for turn in range(32)]
_WORD = 0xFFFFFFFF
_POLYNOMIAL = 0xE1 << 120


def encrypt_block(key: bytes, block: bytes) -> bytes:
    return _crypted(_round_keys(key), block)


def decrypt_block(key: bytes, block: bytes) -> bytes:
    return _crypted(_round_keys(key)[::-1], block)


def chained(key: bytes, start: bytes, data: bytes) -> bytes:
    """CBC over whole blocks."""
    last, found = start, bytearray()
    for place in range(0, len(data), 16):
        last = encrypt_block(key, _xor(last, data[place : place + 16]))
        found += last
    return bytes(found)


def unchained(key: bytes, start: bytes, body: bytes) -> bytes:
    blocks = [start, *(body[place : place + 16] for place in range(0, len(body), 16))]
    return b"".join(_xor(before, decrypt_block(key, block)) for before, block in pairwise(blocks))


def counter_mode(key: bytes, nonce: bytes, data: bytes) -> bytes:
    """The stream of GCM for a nonce of 12 bytes: block numbers 2, 3, …"""
    if len(nonce) != 12:
        raise ValueError("a nonce has 12 bytes")
    blocks = (data[place : place + 16] for place in range(0, len(data), 16))
    return b"".join(
        _xor(encrypt_block(key, nonce + number.to_bytes(4, "big"))[: len(block)], block) for number, block in enumerate(blocks, 2)
    )


def gcm_tag(key: bytes, nonce: bytes, body: bytes, bound: bytes) -> bytes:
    """NIST SP 800-38D §7.1 over SM4."""
    hashing = int.from_bytes(encrypt_block(key, bytes(16)), "big")
    text = _padded(bound) + _padded(body) + (8 * len(bound)).to_bytes(8, "big") + (8 * len(body)).to_bytes(8, "big")
    found = 0
    for place in range(0, len(text), 16):
        found = _product(found ^ int.from_bytes(text[place : place + 16], "big"), hashing)
    return _xor(found.to_bytes(16, "big"), encrypt_block(key, nonce + b"\0\0\0\1"))


def _crypted(round_keys: list[int], block: bytes) -> bytes:
    words = [int.from_bytes(block[place : place + 4], "big") for place in range(0, 16, 4)]
    for round_key in round_keys:
        mixed = _substituted(words[1] ^ words[2] ^ words[3] ^ round_key)
        turned = mixed ^ _rotated(mixed, 2) ^ _rotated(mixed, 10) ^ _rotated(mixed, 18) ^ _rotated(mixed, 24)
        words = [words[1], words[2], words[3], words[0] ^ turned]
    return b"".join(word.to_bytes(4, "big") for word in reversed(words))


@lru_cache(maxsize=64)
def _round_keys(key: bytes) -> list[int]:
    if len(key) != 16:
        raise ValueError("a key has 16 bytes")
    words = [int.from_bytes(key[4 * place : 4 * place + 4], "big") ^ _FAMILY[place] for place in range(4)]
    for constant in _CONSTANTS:
        mixed = _substituted(words[-3] ^ words[-2] ^ words[-1] ^ constant)
        words.append(words[-4] ^ mixed ^ _rotated(mixed, 13) ^ _rotated(mixed, 23))
    return words[4:]


def _substituted(word: int) -> int:
    return _S[word >> 24] << 24 | _S[word >> 16 & 255] << 16 | _S[word >> 8 & 255] << 8 | _S[word & 255]


def _rotated(word: int, by: int) -> int:
    return (word << by | word >> (32 - by)) & _WORD


def _product(one: int, other: int) -> int:
    found = 0
    for place in range(127, -1, -1):
        if one >> place & 1:
            found ^= other
        other = other >> 1 ^ (_POLYNOMIAL if other & 1 else 0)
    return found


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 16)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
