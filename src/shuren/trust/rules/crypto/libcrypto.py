"""SM2 by the system's OpenSSL 3, through ctypes: `cryptography` ships its own OpenSSL without SM2.

Only the functions that OpenSSL documents as stable are called. Where the library, the curve or the check below fails,
`has_sm2` is False and our own arithmetic takes over.
"""

import ctypes
import ctypes.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

_MAX_SIGNATURE = 128


class LibcryptoFailed(Exception):
    """OpenSSL did not do what it was asked for."""


@lru_cache(maxsize=1)
def _library() -> Any:
    """The loaded library with its signatures declared; None where there is no OpenSSL 3."""
    name = ctypes.util.find_library("crypto")
    if not name:
        return None
    try:
        library = ctypes.CDLL(name)
        if library.OPENSSL_version_major() < 3:
            return None
        _declare(library)
    except (OSError, AttributeError):
        return None
    return library


def _declare(library: Any) -> None:
    pointer, size, text = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
    declared: dict[str, tuple[Any, list[Any]]] = {
        "d2i_AutoPrivateKey": (pointer, [pointer, ctypes.POINTER(text), ctypes.c_long]),
        "d2i_PUBKEY": (pointer, [pointer, ctypes.POINTER(text), ctypes.c_long]),
        "EVP_PKEY_free": (None, [pointer]),
        "EVP_PKEY_CTX_new": (pointer, [pointer, pointer]),
        "EVP_PKEY_CTX_free": (None, [pointer]),
        "EVP_PKEY_CTX_set1_id": (ctypes.c_int, [pointer, text, ctypes.c_int]),
        "EVP_MD_CTX_new": (pointer, []),
        "EVP_MD_CTX_free": (None, [pointer]),
        "EVP_MD_CTX_set_pkey_ctx": (None, [pointer, pointer]),
        "EVP_sm3": (pointer, []),
        "EVP_DigestSignInit": (ctypes.c_int, [pointer, pointer, pointer, pointer, pointer]),
        "EVP_DigestSign": (ctypes.c_int, [pointer, text, ctypes.POINTER(size), text, size]),
        "EVP_DigestVerifyInit": (ctypes.c_int, [pointer, pointer, pointer, pointer, pointer]),
        "EVP_DigestVerify": (ctypes.c_int, [pointer, text, size, text, size]),
        "ERR_clear_error": (None, []),
    }
    for name, (result, arguments) in declared.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments


def sign_sm2(data: bytes, *, pkcs8: bytes, id: bytes) -> bytes:
    """The DER signature over `data` with the private key in `pkcs8`."""
    library = _library()
    with _context(library, library.d2i_AutoPrivateKey, pkcs8, id) as (context, key):
        if library.EVP_DigestSignInit(context, None, library.EVP_sm3(), None, key) != 1:
            raise LibcryptoFailed("signing was not begun")
        length = ctypes.c_size_t(_MAX_SIGNATURE)
        buffer = ctypes.create_string_buffer(_MAX_SIGNATURE)
        if library.EVP_DigestSign(context, buffer, ctypes.byref(length), data, len(data)) != 1:
            raise LibcryptoFailed("nothing was signed")
        return buffer.raw[: length.value]


def verify_sm2(data: bytes, signature: bytes, *, spki: bytes, id: bytes) -> bool:
    """Whether the DER `signature` over `data` was made with the key of `spki`."""
    library = _library()
    with _context(library, library.d2i_PUBKEY, spki, id) as (context, key):
        if library.EVP_DigestVerifyInit(context, None, library.EVP_sm3(), None, key) != 1:
            raise LibcryptoFailed("checking was not begun")
        return bool(library.EVP_DigestVerify(context, signature, len(signature), data, len(data)) == 1)


@contextmanager
def _context(library: Any, read: Any, der: bytes, id: bytes) -> Iterator[tuple[Any, Any]]:
    key = read(None, ctypes.byref(ctypes.c_char_p(der)), len(der))
    # OpenSSL keeps its errors per thread; what a malformed signature leaves must not be found by the next caller.
    try:
        if not key:
            raise LibcryptoFailed("the key could not be read")
        key_context = library.EVP_PKEY_CTX_new(key, None)
        context = library.EVP_MD_CTX_new()
        try:
            if not key_context or library.EVP_PKEY_CTX_set1_id(key_context, id, len(id)) != 1:
                raise LibcryptoFailed("the id was not taken")
            library.EVP_MD_CTX_set_pkey_ctx(context, key_context)
            yield context, key
        finally:
            library.EVP_MD_CTX_free(context)
            library.EVP_PKEY_CTX_free(key_context)
    finally:
        library.EVP_PKEY_free(key)
        library.ERR_clear_error()


@lru_cache(maxsize=1)
def has_sm2() -> bool:
    """Whether this machine's OpenSSL accepts the example of GB/T 32918.5 and refuses it for another text."""
    if _library() is None:
        return False
    try:
        good, bad = (verify_sm2(text, _EXAMPLE, spki=_EXAMPLE_KEY, id=b"1234567812345678") for text in (_TEXT, b"another"))
    except LibcryptoFailed:
        return False
    return good and not bad


_TEXT = b"message digest"
_EXAMPLE = bytes.fromhex(
    "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
_EXAMPLE_KEY = bytes.fromhex(
    "3059301306072a8648ce3d020106082a811ccf5501822d034200"
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
