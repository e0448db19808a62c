"""A rollover of the key that signs for SAML services, seen by a service of somebody else (pysaml2)."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.apps import apps
from django.test import Client
from saml2 import BINDING_HTTP_POST, BINDING_HTTP_REDIRECT
from saml2.client import Saml2Client
from saml2.sigver import SignatureError

from shuren.identity.services.saml import keys
from shuren.identity.tests.conftest import School
from shuren.identity.tests.federation.saml_sp import Provider
from shuren.identity.tests.federation.test_saml import IDP, idp_metadata, posted, registered, signed_in
from shuren.kernel import clock
from shuren.kernel.data import SYSTEM
from shuren.trust import api as trust
from shuren.trust.data import KeyStore

pytestmark = pytest.mark.skipif(keys.xmlsec_path() is None, reason="xmlsec1 is not installed")
Enter = Callable[..., Client]
DAY = timedelta(days=1)


def name_told(browser: Client, client: Saml2Client) -> str:
    """Sign in by the service's client as it is configured, and let it check the answer by the metadata it holds."""
    request_id, info = client.prepare_for_authenticate(entityid=IDP, binding=BINDING_HTTP_REDIRECT, sign=True)
    fields = posted(signed_in(browser, dict(info["headers"])["Location"].removeprefix("http://testserver")))
    answer = client.parse_authn_request_response(fields["SAMLResponse"], BINDING_HTTP_POST, outstanding={request_id: "/"})
    return str(answer.ava["displayName"][0])


def aged(key_version: int, age: timedelta) -> None:
    """Let a version have been made some time ago."""
    apps.get_model("trust", "Key").objects.filter(name=keys.KEY, version=key_version).update(created_at=clock.now() - age)
    keys.certificate_of.cache_clear()


def shown() -> list[int]:
    return [key.version for key in keys.shown_versions(now=clock.now())]


def test_services_go_through_a_rollover(sign_in: Enter, school: School) -> None:
    provider = Provider()
    registered(school, provider)
    browser = sign_in("pupil")
    idp_metadata()
    aged(1, 400 * DAY)
    old_client = provider.client(idp_metadata())
    assert name_told(browser, old_client) == "张三"

    keys.rotate_saml_key(actor=SYSTEM, now=clock.now())
    assert shown() == [1, 2]
    both = idp_metadata()
    assert both.count("X509Certificate>") == 4
    assert name_told(browser, old_client) == "张三"  # who has not read the new metadata yet goes on
    ready_client = provider.client(both)
    assert name_told(browser, ready_client) == "张三"

    aged(2, keys.ANNOUNCED_FOR + DAY)
    after_client = provider.client(idp_metadata())
    assert shown() == [2, 1]
    assert name_told(browser, ready_client) == "张三"
    assert name_told(browser, after_client) == "张三"
    with pytest.raises(SignatureError):
        name_told(browser, old_client)  # who never read them is told apart, not let through

    aged(2, 2 * keys.ANNOUNCED_FOR + DAY)
    assert shown() == [2]
    assert idp_metadata().count("X509Certificate>") == 2


def test_a_certificate_is_the_same_each_time(db: None) -> None:
    key = keys.signing_version(now=clock.now())
    once = keys.certificate_of(key)
    keys.certificate_of.cache_clear()
    assert keys.certificate_of(key) == once
    certificate = x509.load_pem_x509_certificate(once)
    certificate.verify_directly_issued_by(certificate)
    assert (
        certificate.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        == key.spki
    )


def test_the_private_part_lies_in_no_folder(db: None, settings: Any) -> None:
    path = keys.key_file(keys.signing_version(now=clock.now()))
    assert b"PRIVATE KEY" in Path(path).read_bytes()
    assert path.startswith("/proc/")
    assert not Path(settings.SHUREN_SAML_KEY_FILE).exists()


def test_a_revoked_version_neither_signs_nor_is_shown(db: None) -> None:
    now = clock.now()
    keys.signing_version(now=now)
    keys.rotate_saml_key(now=now)
    trust.revoke_key(name=keys.KEY, version=1, now=now)
    assert keys.signing_version(now=now).version == 2
    assert shown() == [2]
    trust.revoke_key(name=keys.KEY, version=2, now=now)
    assert keys.signing_version(now=now).version == 3


def test_a_key_of_an_older_release_goes_on(db: None, settings: Any, tmp_path: Path) -> None:
    path = tmp_path / "saml.key"
    old = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = old.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(pem)
    settings.SHUREN_SAML_KEY_FILE = path
    taken = keys.signing_version(now=clock.now())
    assert taken.store is KeyStore.FILE
    assert trust.verify(b"x", trust.sign(b"x", key=keys.KEY), key=keys.KEY)
    spki = old.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert taken.spki == spki
    following = keys.rotate_saml_key(now=clock.now())
    assert following.store is KeyStore.FILE
    assert path.with_name("saml.key.2").exists()
