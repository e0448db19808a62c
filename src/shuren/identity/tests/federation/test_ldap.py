"""A real LDAP server of a school (slapd): in the clear inside the house, by ldaps and StartTLS with an authority of its own."""

import datetime as dt
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.test import Client

from shuren.identity.models import Upstream, UpstreamLink
from shuren.identity.services.upstream import ldap
from shuren.identity.services.upstream.proven import NotProven
from shuren.identity.tests.conftest import School
from shuren.identity.tests.federation.conftest import Outside
from shuren.identity.tests.federation.test_upstream import path_of, registered
from shuren.kernel import clock

SLAPD = "/usr/sbin/slapd"
CONF = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {folder}/pid
database mdb
suffix "dc=school"
rootdn "cn=admin,dc=school"
rootpw secret
directory {folder}/data
"""
ENTRIES = """dn: dc=school
objectClass: dcObject
objectClass: organization
o: school
dc: school

dn: uid=zhang,dc=school
objectClass: inetOrgPerson
uid: zhang
cn: zhang
sn: zhang
employeeNumber: {number}
userPassword: zhang-password

dn: uid=stranger,dc=school
objectClass: inetOrgPerson
uid: stranger
cn: stranger
sn: stranger
userPassword: stranger-password
"""


pytestmark = pytest.mark.skipif(
    not Path(SLAPD).exists() or not ldap.is_available() or shutil.which("ldapadd") is None,
    reason="slapd or ldap3 is not installed",
)
TLS = """TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
TLSVerifyClient never
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(folder: Path, number: str, *, more: str = "") -> Iterator[tuple[str, str]]:
    """A slapd with a school's people: its plain address and the one by TLS."""
    (folder / "data").mkdir()
    lines = CONF.format(folder=folder).replace("database mdb", f"{more}database mdb", 1)
    (folder / "slapd.conf").write_text(lines)
    ports = free_port(), free_port()
    plain, secret = f"ldap://127.0.0.1:{ports[0]}", f"ldaps://127.0.0.1:{ports[1]}"
    urls = f"{plain} {secret}" if more else plain
    server = subprocess.Popen([SLAPD, "-f", str(folder / "slapd.conf"), "-h", urls, "-d", "0"])
    for _try in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", ports[0])) == 0:
                break
        time.sleep(0.1)
    words = ["ldapadd", "-x", "-H", plain, "-D", "cn=admin,dc=school", "-w", "secret"]
    subprocess.run(words, input=ENTRIES.format(number=number).encode(), check=True)
    yield plain, secret
    server.terminate()
    server.wait(10)


def kept(school: School, address: str) -> Upstream:
    return registered(
        school,
        kind="ldap",
        address=address,
        client_id="cn=admin,dc=school",
        secret="secret",
        base_dn="dc=school",
        claim="employeeNumber",
    )


@pytest.fixture
def directory_server(school: School, tmp_path: Path, outside: Outside) -> Iterator[Upstream]:
    with served(tmp_path, school.account("head").person.number) as (plain, _secret):
        yield kept(school, plain)


def authority(folder: Path, names: list[x509.GeneralName]) -> None:
    """An authority made on the spot, and a server certificate of it for these names."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _which in range(2)]
    title, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "school CA")]), clock.now()

    def signed(key: ec.EllipticCurvePrivateKey, subject: x509.Name, extension: Any, is_critical: bool) -> bytes:
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(title)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=30))
            .add_extension(extension, critical=is_critical)
        )
        return built.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    (folder / "ca.pem").write_bytes(signed(keys[0], title, x509.BasicConstraints(ca=True, path_length=None), True))
    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ldap.school.example")])
    (folder / "server.pem").write_bytes(signed(keys[1], server, x509.SubjectAlternativeName(names), False))
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(keys[1].private_bytes(*pem))


@pytest.fixture
def secured(school: School, tmp_path: Path, outside: Outside, settings: Any) -> Callable[..., Any]:
    """Return a context that runs a server with a certificate for these names, believed by its own authority."""

    @contextmanager
    def secure(*names: x509.GeneralName) -> Iterator[dict[str, str]]:
        authority(tmp_path, list(names))
        settings.SHUREN_LDAP_CA_FILE = str(tmp_path / "ca.pem")
        number = school.account("head").person.number
        with served(tmp_path, number, more=TLS.format(folder=tmp_path) + "security ssf=0 simple_bind=0\n") as found:
            yield dict(zip(("starttls", "ldaps"), found, strict=True))

    return secure


HERE = x509.IPAddress(ip_address("127.0.0.1"))


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_people_come_in_over_tls(way: str, school: School, secured: Callable[..., Any]) -> None:
    with secured(HERE) as urls:
        upstream = kept(school, urls[way])
        ldap.check(upstream)
        client = Client()
        assert client.post(path_of(upstream), {"username": "zhang", "password": "zhang-password"}).status_code == 302
        assert UpstreamLink.objects.get().account == school.account("head")
        assert Client().post(path_of(upstream), {"username": "zhang", "password": "wrong"}).status_code == 401


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_a_server_of_another_authority_is_told_nothing(
    way: str, school: School, secured: Callable[..., Any], settings: Any, tmp_path: Path
) -> None:
    with secured(HERE) as urls:
        upstream = kept(school, urls[way])
        other = tmp_path / "other"
        other.mkdir()
        authority(other, [HERE])
        for authority_file in (str(other / "ca.pem"), ""):
            settings.SHUREN_LDAP_CA_FILE = authority_file
            settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.0/8"] if authority_file or way == "ldaps" else []
            with pytest.raises(NotProven):
                ldap.prove(upstream, name="zhang", password="zhang-password")


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_a_server_by_another_name_is_told_nothing(way: str, school: School, secured: Callable[..., Any]) -> None:
    names = (x509.DNSName("ldap.elsewhere.example"), x509.IPAddress(ip_address("127.0.0.9")))
    with secured(*names) as urls, pytest.raises(NotProven):
        ldap.prove(kept(school, urls[way]), name="zhang", password="zhang-password")


def test_starttls_that_is_not_offered_is_no_reason_to_speak_in_the_clear(
    school: School, directory_server: Upstream, settings: Any, tmp_path: Path
) -> None:
    authority(tmp_path, [HERE])
    settings.SHUREN_LDAP_CA_FILE = str(tmp_path / "ca.pem")
    with pytest.raises(NotProven):
        ldap.prove(directory_server, name="zhang", password="zhang-password")


def test_directory_of_a_school(school: School, directory_server: Upstream) -> None:
    client, path = Client(), path_of(directory_server)
    assert client.get(path).status_code == 200
    assert client.post(path, {"username": "zhang", "password": "zhang-password"}).status_code == 302
    assert client.get("/account/").status_code == 200
    assert UpstreamLink.objects.get().account == school.account("head")
    assert Client().post(path, {"username": "stranger", "password": "stranger-password"}).status_code == 403
    assert Client().post(path, {"username": "zhang", "password": "wrong"}).status_code == 401
    for name in (
        "*",
        "zh*",
        "zhang)(uid=*",
        "*)(objectClass=*",
        "zhang)(|(uid=*",
        "\\2a",
        "zhang\x00",
        "(uid=zhang)",
        "zhang,dc=school",
        "）",
        "&",
        "|",
    ):
        with pytest.raises(NotProven):
            ldap.prove(directory_server, name=name, password="zhang-password")
    for password in ("", " ", "zhang-password\x00"):
        with pytest.raises(NotProven):
            ldap.prove(directory_server, name="zhang", password=password)


def test_guessing_at_a_directory_is_slowed(directory_server: Upstream) -> None:
    client, path = Client(), path_of(directory_server)
    found = [client.post(path, {"username": "zhang", "password": f"wrong {number}"}).status_code for number in range(7)]
    assert found[0] == 401
    assert found[-1] == 429
