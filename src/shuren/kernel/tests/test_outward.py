import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shuren.kernel import outward

TRICKS = (
    *("ftp://a.cn/", "file:///etc/passwd", "https://", "https://user@a.cn/", "https://a.cn\\@b.cn/", "//a.cn/"),
    *("javascript:1", "http://a.cn/", "https://a.cn:99999/"),
)


class Answerer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.end_headers()
            return
        body = b"x" * (400_000 if self.path == "/long" else 5)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answerer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_port
    server.shutdown()


def named(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let every name lead to these addresses."""

    def found(host: str, port: int, **_rest: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "172.16.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "100.64.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::a9fe:a9fe",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "255.255.255.255",
    ],
)
def test_what_is_not_public_is_refused_whatever_it_is_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    named(monkeypatch, address)
    with pytest.raises(outward.OutwardRefused):
        outward.target_of("https://app.example.cn/hook")


def test_one_address_of_ours_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "93.184.216.34", "10.0.0.1")
    with pytest.raises(outward.OutwardRefused):
        outward.target_of("https://app.example.cn/")


@pytest.mark.parametrize(
    "url",
    TRICKS,
)
def test_only_https_addresses_without_tricks(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    named(monkeypatch, "93.184.216.34")
    with pytest.raises(outward.OutwardRefused):
        outward.target_of(url)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "localhost", "[::1]", "0"])
def test_other_spellings_of_this_machine_are_seen_through(host: str) -> None:
    with pytest.raises(outward.OutwardRefused):
        outward.target_of(f"https://{host}/")


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "93.184.216.34")
    target = outward.target_of("https://app.example.cn:8443/hook?a=1")
    assert (target.ip, target.authority, target.path) == ("93.184.216.34", "app.example.cn:8443", "/hook?a=1")


def test_a_named_private_network_may_be_called(settings: Any, port: int) -> None:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    assert outward.call(f"http://127.0.0.1:{port}/").body == b"xxxxx"


def test_redirects_stay_unanswered_and_length_is_bounded(settings: Any, port: int) -> None:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    assert outward.call(f"http://127.0.0.1:{port}/away").status == 302
    with pytest.raises(outward.OutwardFailed):
        outward.call(f"http://127.0.0.1:{port}/long")
    with pytest.raises(outward.OutwardFailed):
        outward.call("http://127.0.0.1:1/")


def test_a_name_that_leads_elsewhere_a_moment_later_is_called_where_it_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, settings: Any, port: int
) -> None:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    real, asked = socket.getaddrinfo, []

    def found(host: str, *rest: Any, **more: Any) -> list[Any]:
        if host != "app.example.cn":
            return real(host, *rest, **more)
        asked.append(host)
        address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    assert outward.call(f"http://app.example.cn:{port}/").body == b"xxxxx"
    assert asked == ["app.example.cn"]
    with pytest.raises(outward.OutwardRefused):
        outward.call(f"http://app.example.cn:{port}/")


BEGUN = b"HTTP/1.1 200 OK\r\n"
TRICKLES = {
    "headers": (BEGUN, b"X-More: 1\r\n"),
    "one header": (BEGUN + b"X-Long: ", b"x"),
    "body": (BEGUN + b"Content-Length: 100000\r\n\r\n", b"x"),
    "body without a length": (BEGUN + b"\r\n", b"x"),
    "chunks": (BEGUN + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "for ever continuing": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "nothing": (b"", b""),
}


class Trickler:
    """A receiver that answers a few bytes at a time and never comes to an end; with `certificate` over TLS."""

    def __init__(self, first: bytes, drop: bytes, certificate: Path | None = None) -> None:
        self._first, self._drop = first, drop
        self._context = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            plain, _address = self._listener.accept()
            there = self._context.wrap_socket(plain, server_side=True) if self._context else plain
            there.sendall(self._first)
            for _turn in range(200):
                time.sleep(0.05)
                there.sendall(self._drop)


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate of 127.0.0.1 that this process believes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "receiver.pem"
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(encoding))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.mark.parametrize("manner", TRICKLES)
def test_who_answers_by_drops_keeps_nobody_beyond_the_limit(settings: Any, manner: str) -> None:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.1/32"]
    receiver = Trickler(*TRICKLES[manner])
    began = time.monotonic()
    with pytest.raises(outward.OutwardFailed):
        outward.call(f"http://127.0.0.1:{receiver.port}/", seconds=0.4)
    assert time.monotonic() - began < 2


def test_nor_does_who_answers_by_drops_behind_tls(settings: Any, certificate: Path) -> None:
    settings.SHUREN_PRIVATE_TARGETS = ["127.0.0.0/8", "::1/128"]
    receiver = Trickler(*TRICKLES["body"], certificate=certificate)
    began = time.monotonic()
    with pytest.raises(outward.OutwardFailed):
        outward.call(f"https://localhost:{receiver.port}/", seconds=0.6)
    assert 0.5 < time.monotonic() - began < 2


def test_paths_in_chinese_are_called_as_browsers_call_them(monkeypatch: pytest.MonkeyPatch) -> None:
    named(monkeypatch, "93.184.216.34")
    assert outward.target_of("https://app.example.cn/隐私 政策?a=%20b").path == "/%E9%9A%90%E7%A7%81%20%E6%94%BF%E7%AD%96?a=%20b"
