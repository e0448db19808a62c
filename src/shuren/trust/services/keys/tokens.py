"""Keys that never leave a token: PKCS#11, through `python-pkcs11` where that package (extra `pkcs11`) is installed.

One session per process and module, opened on first use; a token that was taken out is opened again at the next try.
"""

import contextlib
import importlib
import threading
from typing import Any

from asn1crypto.keys import PublicKeyInfo, RSAPublicKey
from django.conf import settings
from django.utils.translation import gettext as _

from shuren.kernel.errors import Invalid
from shuren.trust.data import DigestAlgorithm, KeyAlgorithm
from shuren.trust.rules.crypto.digests import digest

_lock = threading.Lock()
_sessions: dict[tuple[str, str], Any] = {}


class TokenSigner:
    """A private key of the token, by its label; the token's mechanisms sign."""

    def __init__(self, label: str, algorithm: KeyAlgorithm) -> None:
        # PKCS#11 knows no SM2, and Ed25519 in few tokens.
        if algorithm not in (KeyAlgorithm.ES256, KeyAlgorithm.RS256):
            raise Invalid(_("密码设备里只能用 ES256 与 RS256 密钥。"), remedy=_("SM2 需要密码机厂商的适配器。"))
        self._label, self._algorithm = label, algorithm

    def sign(self, data: bytes) -> bytes:
        pkcs11 = _package()
        with _lock:
            try:
                return self._signed(pkcs11, data)
            except pkcs11.exceptions.PKCS11Error:
                forget_sessions()
            try:
                return self._signed(pkcs11, data)
            except pkcs11.exceptions.PKCS11Error as fault:
                raise _unreachable(fault) from None

    @property
    def spki(self) -> bytes:
        pkcs11 = _package()
        with _lock:
            try:
                key = self._key(pkcs11, pkcs11.ObjectClass.PUBLIC_KEY)
                return _spki(key, self._algorithm)
            except pkcs11.exceptions.PKCS11Error as fault:
                raise _unreachable(fault) from None

    def _signed(self, pkcs11: Any, data: bytes) -> bytes:
        key = self._key(pkcs11, pkcs11.ObjectClass.PRIVATE_KEY)
        if self._algorithm is KeyAlgorithm.ES256:
            return bytes(key.sign(digest(data, DigestAlgorithm.SHA256), mechanism=pkcs11.Mechanism.ECDSA))
        return bytes(key.sign(data, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))

    def _key(self, pkcs11: Any, kind: Any) -> Any:
        return _session(pkcs11).get_key(object_class=kind, label=self._label)


def _spki(key: Any, algorithm: KeyAlgorithm) -> bytes:
    if algorithm is KeyAlgorithm.RS256:
        public = RSAPublicKey.load(importlib.import_module("pkcs11.util.rsa").encode_rsa_public_key(key))
        return bytes(PublicKeyInfo.wrap(public, "rsa").dump())
    return bytes(importlib.import_module("pkcs11.util.ec").encode_ec_public_key(key))


def forget_sessions() -> None:
    """Close what is open, so that the next signature begins anew."""
    while _sessions:
        _place, session = _sessions.popitem()
        # A session whose token was taken out cannot be closed, and need not be.
        with contextlib.suppress(_package().exceptions.PKCS11Error):
            session.close()


def _session(pkcs11: Any) -> Any:
    place = (str(settings.SHUREN_HSM_MODULE), str(settings.SHUREN_HSM_TOKEN))
    if place not in _sessions:
        if not all(place):
            wanted = _("请设置 SHUREN_HSM_MODULE、SHUREN_HSM_TOKEN 与 SHUREN_HSM_PIN。")
            raise Invalid(_("没有设置密码设备。"), remedy=wanted)
        try:
            token = pkcs11.lib(place[0]).get_token(token_label=place[1])
        except (RuntimeError, OSError) as fault:
            raise _unreachable(fault) from None
        _sessions[place] = token.open(user_pin=str(settings.SHUREN_HSM_PIN))
    return _sessions[place]


def _package() -> Any:
    try:
        return importlib.import_module("pkcs11")
    except ImportError:
        raise Invalid(_("这台机器没有装 PKCS#11 支持。"), remedy=_("请安装附加组件：pip install 'shuren[pkcs11]'。")) from None


def _unreachable(fault: Exception) -> Invalid:
    return Invalid(
        _("密码设备没有响应：%(fault)s") % {"fault": type(fault).__name__}, remedy=_("请检查设备、令牌名称、口令与密钥标签。")
    )
