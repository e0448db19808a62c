import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from joserfc import jws
from joserfc.jwk import JWKRegistry, KeySet

from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Conflict, Invalid, NotFound
from shuren.kernel.models import AuditEntry, Event
from shuren.trust import api
from shuren.trust.data import DigestAlgorithm, KeyAlgorithm, KeyStatus, KeyStore, SignatureForm
from shuren.trust.models import Key
from shuren.trust.rules.signing import made_pkcs8
from shuren.trust.services.keys import stores

NOW = datetime(2026, 9, 1, 8, tzinfo=UTC)
ALGORITHMS = list(KeyAlgorithm)
JOSE = [kind for kind in KeyAlgorithm if kind is not KeyAlgorithm.SM2]

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def forgotten_signers() -> None:
    stores._signers.clear()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("form", list(SignatureForm))
def test_a_key_signs_and_verifies(algorithm: KeyAlgorithm, form: SignatureForm) -> None:
    api.make_key(name="test.key", algorithm=algorithm, now=NOW)
    signature = api.sign(b"text", key="test.key", form=form)
    assert api.verify(b"text", signature, key="test.key", form=form)
    assert not api.verify(b"Text", signature, key="test.key", form=form)
    assert not api.verify(b"text", signature[:-1], key="test.key", form=form)
    assert not api.verify(b"text", b"", key="test.key", form=form)
    assert not api.verify(b"text", signature, key="another", form=form)


def test_the_private_part_is_sealed_in_the_table_for_its_own_row() -> None:
    for name in ("one", "two"):
        api.make_key(name=name, algorithm=KeyAlgorithm.ES256, now=NOW)
    one, two = Key.objects.order_by("name")
    assert bytes(one.sealed).startswith(b"v")
    one.sealed = two.sealed
    with pytest.raises(api.SealBroken):
        stores.private_pkcs8_of(one)


def test_a_name_is_taken_once() -> None:
    made = api.make_key(name="one", algorithm=KeyAlgorithm.ED25519, now=NOW)
    with pytest.raises(Conflict):
        api.make_key(name="one", algorithm=KeyAlgorithm.ED25519, now=NOW)
    assert api.ensure_key(name="one", algorithm=KeyAlgorithm.ED25519, now=NOW) == made == api.key_of("one")


@pytest.mark.parametrize("name", ["", "A", "a..b", ".a", "a b", "a/b", "é", "a" * 121])
def test_names_that_could_be_misread_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        api.make_key(name=name, algorithm=KeyAlgorithm.ED25519, now=NOW)


def test_missing_keys() -> None:
    assert api.key_of("none") is None
    for call in (api.public_key_of, api.private_jwk_of, lambda name: api.sign(b"", key=name)):
        with pytest.raises(NotFound):
            call("none")
    with pytest.raises(NotFound):
        api.rotate_key(name="none", now=NOW)
    with pytest.raises(NotFound):
        api.revoke_key(name="none", version=1, now=NOW)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_old_versions_verify_until_they_are_revoked(algorithm: KeyAlgorithm) -> None:
    first = api.make_key(name="k", algorithm=algorithm, now=NOW)
    old = api.sign(b"text", key="k")
    second = api.rotate_key(name="k", now=NOW)
    assert (second.version, second.status) == (2, KeyStatus.ACTIVE)
    assert second.spki != first.spki
    new = api.sign(b"text", key="k")
    assert api.verify(b"text", old, key="k")
    assert not api.verify(b"text", old, key="k", version=2)
    assert api.verify(b"text", new, key="k", version=2)
    api.revoke_key(name="k", version=1, now=NOW)
    assert not api.verify(b"text", old, key="k")
    assert [(key.version, key.status) for key in api.key_versions("k")] == [(2, "active"), (1, "revoked")]
    api.revoke_key(name="k", version=2, now=NOW)
    assert api.key_of("k") is None
    assert api.rotate_key(name="k", now=NOW).version == 3


def test_every_change_is_audited_and_published_without_secrets() -> None:
    api.make_key(name="k", algorithm=KeyAlgorithm.ES256, now=NOW)
    api.rotate_key(name="k", now=NOW)
    api.revoke_key(name="k", version=1, now=NOW)
    expected = ["trust.key_made", "trust.key_rotated", "trust.key_revoked"]
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == expected
    assert list(Event.objects.order_by("id").values_list("name", flat=True)) == expected
    assert {frozenset(entry.details) for entry in AuditEntry.objects.all()} == {
        frozenset({"name", "version", "algorithm", "key_id", "store"})
    }


@pytest.mark.parametrize("algorithm", JOSE)
def test_joserfc_reads_our_keys_and_signatures(algorithm: KeyAlgorithm) -> None:
    key = api.make_key(name="k", algorithm=algorithm, now=NOW)
    alg = "EdDSA" if algorithm is KeyAlgorithm.ED25519 else algorithm.value
    keys = KeySet.import_key_set(api.public_jwks(["k"]))
    assert [found.kid for found in keys] == [key.key_id]
    assert not any("d" in found for found in api.public_jwks(["k"])["keys"])
    read = jws.deserialize_compact(api.sign_jws(b"payload", key="k", header={"typ": "JWT"}), keys, algorithms=[alg])
    assert (read.payload, read.protected) == (b"payload", {"typ": "JWT", "alg": alg, "kid": key.key_id})
    ours = JWKRegistry.import_key(api.private_jwk_of("k"))
    theirs = jws.serialize_compact({"alg": alg, "kid": key.key_id}, b"payload", ours, algorithms=[alg])
    assert jws.deserialize_compact(theirs, keys, algorithms=[alg]).payload == b"payload"


def test_the_key_set_keeps_retired_keys_and_drops_revoked_and_national_ones() -> None:
    api.make_key(name="k", algorithm=KeyAlgorithm.ES256, now=NOW)
    api.make_key(name="sm", algorithm=KeyAlgorithm.SM2, now=NOW)
    api.rotate_key(name="k", now=NOW)
    assert len(api.public_jwks(["k", "sm"])["keys"]) == 2
    api.revoke_key(name="k", version=1, now=NOW)
    assert len(api.public_jwks(["k", "sm"])["keys"]) == 1
    for refused in (lambda: api.sign_jws(b"", key="sm"), lambda: api.private_jwk_of("sm")):
        with pytest.raises(Invalid):
            refused()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_in_a_file_under_a_passphrase(algorithm: KeyAlgorithm, tmp_path: Path, settings: Any) -> None:
    settings.SHUREN_KEY_PASSPHRASE = "correct horse"
    path = tmp_path / "keys" / "k.pem"
    key = api.make_key(name="k", algorithm=algorithm, now=NOW, store=KeyStore.FILE, reference=str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    assert Key.objects.get().sealed is None
    # OpenSSL opens the same file, SM2 included.
    command = ["openssl", "pkey", "-in", path, "-passin", "pass:correct horse", "-pubout"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == key.pem
    stores._signers.clear()
    assert api.verify(b"x", api.sign(b"x", key="k"), key="k")
    stores._signers.clear()
    settings.SHUREN_KEY_PASSPHRASE = "wrong"
    with pytest.raises(Invalid):
        api.sign(b"x", key="k")


def test_a_file_that_was_swapped_is_not_signed_with(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    api.make_key(name="k", algorithm=KeyAlgorithm.ES256, now=NOW, store=KeyStore.FILE, reference=str(path))
    path.write_bytes(stores.locked_pem(made_pkcs8(KeyAlgorithm.ES256), b""))
    stores._signers.clear()
    with pytest.raises(Invalid, match="换掉"):
        api.sign(b"x", key="k")


def test_a_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Invalid):
        api.make_key(name="k", algorithm=KeyAlgorithm.ES256, now=NOW, store=KeyStore.ENVIRONMENT, reference="SHUREN_TEST_KEY")
    monkeypatch.setenv("SHUREN_TEST_KEY", stores.locked_pem(made_pkcs8(KeyAlgorithm.ES256), b"").decode())
    with pytest.raises(Invalid):
        api.make_key(name="k", algorithm=KeyAlgorithm.RS256, now=NOW, store=KeyStore.ENVIRONMENT, reference="SHUREN_TEST_KEY")
    api.make_key(name="k", algorithm=KeyAlgorithm.ES256, now=NOW, store=KeyStore.ENVIRONMENT, reference="SHUREN_TEST_KEY")
    assert api.verify(b"x", api.sign(b"x", key="k"), key="k")
    with pytest.raises(Invalid, match="存放在系统外"):
        api.rotate_key(name="k", now=NOW)
    monkeypatch.setenv("SHUREN_TEST_KEY_2", stores.locked_pem(made_pkcs8(KeyAlgorithm.ES256), b"").decode())
    assert api.rotate_key(name="k", now=NOW, reference="SHUREN_TEST_KEY_2").version == 2


def test_pem_and_digests() -> None:
    key = api.make_key(name="k", algorithm=KeyAlgorithm.ES256, now=NOW)
    assert load_pem_public_key(key.pem.encode())
    assert load_pem_private_key(stores.locked_pem(stores.private_pkcs8_of(Key.objects.get()), b""), None)
    assert [len(api.digest(b"abc", algorithm)) for algorithm in DigestAlgorithm] == [32, 32]


def test_an_app_never_reaches_the_keys_or_values_of_another() -> None:
    made = api.make_key_for("reader", key="receipts", algorithm=KeyAlgorithm.SM2, actor=SYSTEM, now=NOW)
    assert made.name == "app.reader.receipts"
    signature = api.sign_for("reader", b"x", key="receipts")
    assert api.verify_for("reader", b"x", signature, key="receipts")
    assert not api.verify_for("writer", b"x", signature, key="receipts")
    for app, key in (("writer", "receipts"), ("reader", "other")):
        with pytest.raises(NotFound):
            api.sign_for(app, b"x", key=key)
    for app, key in (("reader.receipts", "x"), ("", "receipts"), ("reader", "a.b"), ("READER", "receipts"), ("reader", "x" * 51)):
        with pytest.raises(Invalid):
            api.sign_for(app, b"x", key=key)
    sealed = api.seal_for("reader", b"secret", purpose="phone")
    assert api.unseal_for("reader", sealed, purpose="phone") == b"secret"
    for app, purpose in (("writer", "phone"), ("reader", "mail")):
        with pytest.raises(api.SealBroken):
            api.unseal_for(app, sealed, purpose=purpose)
    for app, purpose in (("a/b", "phone"), ("reader", ""), ("reader", "x" * 201)):
        with pytest.raises(Invalid):
            api.seal_for(app, b"secret", purpose=purpose)


def test_an_app_sees_only_its_own_list() -> None:
    for app in ("reader", "reader-2", "reade"):
        api.make_key_for(app, key="k", algorithm=KeyAlgorithm.ES256, actor=SYSTEM, now=NOW)
    api.rotate_key_for("reader", key="k", actor=SYSTEM, now=NOW)
    assert [(key.name, key.version) for key in api.keys_for("reader")] == [("app.reader.k", 2)]
    api.revoke_key_for("reader", key="k", version=1, actor=SYSTEM, now=NOW)
    assert [key.status for key in api.key_versions_for("reader", key="k")] == ["active", "revoked"]
