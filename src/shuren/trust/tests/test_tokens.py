"""Keys in a token, tried on SoftHSM; skipped only where that is not installed."""

import importlib
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid
from shuren.trust import api
from shuren.trust.data import CertificateKind, KeyAlgorithm, KeyStore, SubjectName
from shuren.trust.models import Key
from shuren.trust.services.keys import stores, tokens

MODULE = next((path for path in Path("/usr/lib").glob("**/libsofthsm2.so")), None)
NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(MODULE is None or not shutil.which("softhsm2-util"), reason="SoftHSM is not installed"),
]


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One token for all tests here: the library reads its settings once per process."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        command = ["softhsm2-util", "--init-token", "--free", "--label", "shuren", "--pin", "1234", "--so-pin", "5678"]
        subprocess.run(command, check=True, capture_output=True)
        pkcs11 = importlib.import_module("pkcs11")
        with pkcs11.lib(str(MODULE)).get_token(token_label="shuren").open(rw=True, user_pin="1234") as session:
            curve = importlib.import_module("pkcs11.util.ec").encode_named_curve_parameters("secp256r1")
            parameters = session.create_domain_parameters(pkcs11.KeyType.EC, {pkcs11.Attribute.EC_PARAMS: curve}, local=True)
            for label in ("ec", "ec-2"):
                parameters.generate_keypair(store=True, label=label)
            session.generate_keypair(pkcs11.KeyType.RSA, 2048, store=True, label="rsa")
        yield


@pytest.fixture(autouse=True)
def named(token: None, settings: Any) -> Iterator[None]:
    settings.SHUREN_HSM_MODULE, settings.SHUREN_HSM_TOKEN, settings.SHUREN_HSM_PIN = str(MODULE), "shuren", "1234"
    stores._signers.clear()
    yield
    tokens.forget_sessions()


def made(algorithm: KeyAlgorithm, reference: str) -> None:
    api.make_key(name="k", algorithm=algorithm, now=NOW, store=KeyStore.PKCS11, reference=reference)


@pytest.mark.parametrize(("algorithm", "label"), [(KeyAlgorithm.ES256, "ec"), (KeyAlgorithm.RS256, "rsa")])
def test_the_token_signs_and_keeps_the_key(algorithm: KeyAlgorithm, label: str) -> None:
    made(algorithm, label)
    assert Key.objects.get().sealed is None
    signature = api.sign(b"text", key="k")
    assert api.verify(b"text", signature, key="k")
    assert not api.verify(b"Text", signature, key="k")
    assert api.sign_jws(b"payload", key="k").count(".") == 2
    with pytest.raises(Invalid, match="不能取出"):
        api.private_jwk_of("k")


def test_an_authority_whose_key_lies_in_the_token() -> None:
    wanted: dict[str, Any] = {"actor": SYSTEM, "now": NOW, "algorithm": KeyAlgorithm.ES256}
    api.found_authority(code="root", title="根", store=KeyStore.PKCS11, reference="ec", **wanted)
    subject = SubjectName(common_name="李老师")
    found, _file = api.issue_with_key(
        authority="root", kind=CertificateKind.PERSON, subject=subject, passphrase="long enough", days=30, **wanted
    )
    assert api.validate_certificate(found.der, now=NOW).is_valid


def test_a_lost_session_is_opened_again() -> None:
    made(KeyAlgorithm.ES256, "ec")
    api.sign(b"text", key="k")
    for session in tokens._sessions.values():
        session.close()
    assert api.verify(b"text", api.sign(b"text", key="k"), key="k")


def test_turning_over_needs_another_label() -> None:
    made(KeyAlgorithm.ES256, "ec")
    old = api.sign(b"text", key="k")
    with pytest.raises(Invalid):
        api.rotate_key(name="k", now=NOW, reference="ec")
    assert api.rotate_key(name="k", now=NOW, reference="ec-2").version == 2
    assert api.verify(b"text", old, key="k", version=1)


def test_what_is_not_there_is_said(settings: Any) -> None:
    for algorithm, label in ((KeyAlgorithm.ES256, "none"), (KeyAlgorithm.SM2, "ec"), (KeyAlgorithm.ED25519, "ec")):
        with pytest.raises(Invalid):
            made(algorithm, label)
    settings.SHUREN_HSM_TOKEN = "another"
    with pytest.raises(Invalid, match="没有响应"):
        made(KeyAlgorithm.ES256, "ec")
    settings.SHUREN_HSM_MODULE = ""
    with pytest.raises(Invalid, match="没有设置"):
        made(KeyAlgorithm.ES256, "ec")
