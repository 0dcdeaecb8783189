"""Errors of WooCommerce alone, and of TLS; what goes wrong in every platform alike: tests/contract/test_errors.py."""

import contextlib
import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from carts.errors import AuthError, CartError, ConfigError, NotFound, Rejected
from carts.platforms import connect
from carts.platforms.base import Connection
from carts.platforms.http import retry_after_seconds
from carts.records import ORDER, Listing, Window
from tests.platforms.conftest import TIMEOUT_SECONDS, adapter_of


def error_of_reading(adapter) -> CartError:
    with pytest.raises(CartError) as raised:
        list(adapter.fetch(ORDER, Window()))
    return raised.value


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), (" 5 ", 5.0), ("0", 0.0), ("", None), ("soon", None), ("-3", None),
     ("Mon, 23 Nov 2026 13:00:30 GMT", 30.0), ("Mon, 23 Nov 2026 12:00:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_in_either_of_its_forms(header, seconds, time_machine):
    time_machine.move_to(dt.datetime(2026, 11, 23, 13, tzinfo=dt.UTC), tick=False)
    assert retry_after_seconds(header) == seconds


def test_a_wrong_key_a_wrong_secret_and_a_revoked_key_are_refused(place):
    for changes in ({"key": "ck_other"}, {"secret": "cs_other"}):
        assert type(error_of_reading(adapter_of(place, **changes))) is AuthError
    place.platform.keys.revoke(place.key)
    assert type(error_of_reading(adapter_of(place))) is AuthError


def test_a_key_that_may_only_read_reads_and_is_told_so(place):
    place.add_key("ck_reader", "cs_reader", "read")
    info = adapter_of(place, key="ck_reader", secret="cs_reader").check()
    assert (info.can_write, info.permissions[:9]) == (False, "Read only")
    assert adapter_of(place).check().can_write


def test_what_the_shop_does_not_have_or_does_not_take(place, adapter):
    with pytest.raises(NotFound):
        adapter.fetch_variations("424242")
    with pytest.raises(Rejected):
        adapter.listing(ORDER, Listing(per_page=101))
    assert adapter.fetch_many(ORDER, ["424242"]) == []


# TLS ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """Key and self-signed certificate of 127.0.0.1 in one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "shop.example.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "shop.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class _Orders(BaseHTTPRequestHandler):
    authorizations: list[str] = []

    def do_GET(self) -> None:
        self.authorizations.append(self.headers.get("Authorization", ""))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def tls_shop(certificate) -> Iterator[str]:
    """A server over TLS that answers every GET with an empty list."""
    _Orders.authorizations.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Orders)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_address[1]}"
    with contextlib.suppress(OSError):
        server.shutdown()
        server.server_close()


def over_tls(url: str, ca_bundle: str = ""):
    credentials = {"consumer_key": "ck_abc", "consumer_secret": "cs_def"}
    return connect("woocommerce", Connection(url, credentials, ca_bundle, timeout_seconds=TIMEOUT_SECONDS))


def test_a_certificate_nobody_vouches_for_is_refused_before_the_key_is_sent(tls_shop):
    error = error_of_reading(over_tls(tls_shop))
    assert isinstance(error, ConfigError)
    assert "certificate" in error.sentence
    assert _Orders.authorizations == []


def test_a_certificate_named_by_staff_is_enough_and_basic_is_used(tls_shop, certificate):
    assert [page.rows for page in over_tls(tls_shop, str(certificate)).fetch(ORDER, Window())] == [()]
    assert _Orders.authorizations == ["Basic Y2tfYWJjOmNzX2RlZg=="]


def test_a_certificate_file_that_cannot_be_used_needs_a_person(tls_shop, tmp_path):
    (tmp_path / "nonsense.pem").write_text("no certificate")
    for name in ("missing.pem", "nonsense.pem"):
        error = error_of_reading(over_tls(tls_shop, str(tmp_path / name)))
        assert isinstance(error, ConfigError)
        assert "certificate" in error.sentence


def test_tls_spoken_to_a_plain_shop_needs_a_person(place):
    error = error_of_reading(over_tls(place.url.replace("http:", "https:")))
    assert isinstance(error, ConfigError)
