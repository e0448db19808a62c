"""Where private parts lie: sealed in the table, in a file with a passphrase, in the environment, or in a token."""

import os
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from shuren.kernel.errors import Invalid
from shuren.trust.data import KeyAlgorithm, KeyStore
from shuren.trust.models import Key
from shuren.trust.rules.crypto.encoding import NotAKey
from shuren.trust.rules.crypto.pem import NotOpened, locked_pem, pkcs8_of_pem
from shuren.trust.rules.signing import Signer, SoftwareSigner, made_pkcs8
from shuren.trust.services.keys.tokens import TokenSigner
from shuren.trust.services.sealing import seal, unseal

SEALED_PURPOSE = "trust.key/{name}/{version}"
_KEPT = 256
_signers: dict[bytes, Signer] = {}


def place_private(row: Key) -> bytes:
    """Make the private part of a new row, or take up the one that lies where it refers to; returns SPKI in DER."""
    algorithm = KeyAlgorithm(row.algorithm)
    if row.store == KeyStore.SEALED:
        pkcs8 = made_pkcs8(algorithm)
        row.sealed = seal(pkcs8, purpose=SEALED_PURPOSE.format(name=row.name, version=row.version))
        return SoftwareSigner(pkcs8, algorithm).spki
    if row.store == KeyStore.FILE and not Path(row.reference).exists():
        _write_private(Path(row.reference), locked_pem(made_pkcs8(algorithm), _passphrase()))
    try:
        return _opened(row).spki
    except NotAKey as fault:
        raise Invalid(_("那里的密钥不是 %(algorithm)s 密钥。") % {"algorithm": algorithm.value}, remedy=str(fault)) from None


def signer_of(row: Key) -> Signer:
    """Whatever signs with the private part of `row`; kept in memory by its public part, so that it is opened once."""
    public = bytes(row.public)
    if public not in _signers:
        if len(_signers) >= _KEPT:
            _signers.pop(next(iter(_signers)), None)
        signer = _opened(row)
        if signer.spki != public:
            raise Invalid(
                _("密钥“%(name)s”存放处的内容已被换掉。") % {"name": row.name}, remedy=_("请放回原来的密钥，或更换新版本。")
            )
        _signers[public] = signer
    return _signers[public]


def private_pkcs8_of(row: Key) -> bytes:
    """The private part itself, PKCS#8 in DER; raises `Invalid` for keys that cannot leave their place."""
    if row.store == KeyStore.SEALED:
        return unseal(bytes(row.sealed or b""), purpose=SEALED_PURPOSE.format(name=row.name, version=row.version))
    if row.store == KeyStore.PKCS11:
        raise Invalid(_("密码设备里的密钥不能取出。"), remedy=_("请让设备签名（sign_jws），不要取私钥。"))
    try:
        if row.store == KeyStore.FILE:
            return pkcs8_of_pem(Path(row.reference).read_bytes(), _passphrase())
        return pkcs8_of_pem(os.environ[row.reference].encode(), _passphrase())
    except (OSError, KeyError, NotOpened) as fault:
        raise Invalid(
            _("密钥“%(name)s”打不开：%(fault)s") % {"name": row.name, "fault": fault},
            remedy=_("请检查密钥的存放处与口令。"),
        ) from None


def _opened(row: Key) -> SoftwareSigner | TokenSigner:
    if row.store == KeyStore.PKCS11:
        return TokenSigner(row.reference, KeyAlgorithm(row.algorithm))
    return SoftwareSigner(private_pkcs8_of(row), KeyAlgorithm(row.algorithm))


def _passphrase() -> bytes:
    return str(settings.SHUREN_KEY_PASSPHRASE).encode()


def _write_private(path: Path, text: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
