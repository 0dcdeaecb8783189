"""Everything that can go wrong with a request ends in one of the few kinds, with a sentence fit for staff."""

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

from carts.errors import AuthError, CartError, ConfigError, NotFound, RateLimited, Rejected, Unavailable
from carts.platforms import connect
from carts.platforms.base import Connection
from carts.platforms.http import retry_after_seconds
from carts.records import ORDER, Listing, Window
from sandbox.testing import practice_shop
from tests.platforms.around import around
from tests.platforms.conftest import TIMEOUT_SECONDS, adapter_of


def error_of_reading(adapter) -> CartError:
    with pytest.raises(CartError) as raised:
        list(adapter.fetch(ORDER, Window()))
    return raised.value


@pytest.mark.parametrize(
    ("fault", "options", "kind"),
    [
        ("401", {}, AuthError),
        ("429", {}, RateLimited),
        ("429", {"retry_after": 17}, RateLimited),
        ("500", {}, Unavailable),
        ("timeout", {"seconds": TIMEOUT_SECONDS + 2}, Unavailable),
        ("reset", {}, Unavailable),
        ("truncated", {}, Unavailable),
        ("html200", {}, Unavailable),
        ("html503", {}, Unavailable),
        ("redirect", {}, ConfigError),
    ],
)
def test_each_fault_is_its_kind_of_error(place, adapter, fault, options, kind):
    place.shop.place_order()
    place.faults.add(fault, match="/orders", **options)
    error = error_of_reading(adapter)
    assert type(error) is kind
    told = f"{error.sentence} {error.detail}"
    assert error.sentence.endswith(".") and len(error.sentence) > 40
    for hidden in (place.key, place.secret, "oauth_", "?", "per_page"):
        assert hidden not in told
    # The fault struck one request, and the adapter tries none again by itself.
    assert [page.rows[0].external_id for page in adapter.fetch(ORDER, Window())] == [str(min(place.shop.orders.rows))]


def test_the_shops_own_waiting_time_is_kept(place, adapter):
    place.faults.add("429", retry_after=17)
    assert error_of_reading(adapter).wait_seconds == 17
    place.faults.add("429")
    assert error_of_reading(adapter).wait_seconds is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), (" 5 ", 5.0), ("0", 0.0), ("", None), ("soon", None), ("-3", None),
     ("Mon, 23 Nov 2026 13:00:30 GMT", 30.0), ("Mon, 23 Nov 2026 12:00:00 GMT", 0.0)],
)  # fmt: skip
def test_retry_after_in_either_of_its_forms(header, seconds, time_machine):
    time_machine.move_to(dt.datetime(2026, 11, 23, 13, tzinfo=dt.UTC), tick=False)
    assert retry_after_seconds(header) == seconds


def test_a_redirect_is_not_followed(place, adapter):
    """Whoever stands at the other address would get the key."""
    with practice_shop() as elsewhere:
        place.faults.add("redirect", to=f"{elsewhere.url}/wp-json/wc/v3/orders?consumer_key=ck_1234567890")
        error = error_of_reading(adapter)
        assert list(elsewhere.requests) == []
    assert isinstance(error, ConfigError)
    assert f"{elsewhere.url}/wp-json/wc/v3/orders" in error.sentence
    assert "ck_1234567890" not in f"{error.sentence}{error.detail}"


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


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:1", Unavailable),  # nobody listens there
        ("http://no-such-shop.invalid", Unavailable),
        ("http://[half", ConfigError),
        ("ftp://shop.example.test", ConfigError),
        ("no address", ConfigError),
    ],
)
def test_an_address_where_no_shop_is(place, url, kind):
    with pytest.raises(kind) as raised:
        adapter_of(place, url=url).check()
    assert place.secret not in f"{raised.value.sentence}{raised.value.detail}"


def test_a_site_that_is_no_shop_needs_a_person(place):
    with pytest.raises(ConfigError):
        adapter_of(place, url=f"{place.url}/blog").check()


def test_what_the_shop_does_not_have_or_does_not_take(place, adapter):
    with pytest.raises(NotFound):
        adapter.fetch_variations("424242")
    with pytest.raises(Rejected):
        adapter.listing(ORDER, Listing(per_page=101))
    assert adapter.fetch_many(ORDER, ["424242"]) == []


def test_json_that_is_no_list_of_orders(place, adapter):
    def swap(request, response) -> None:
        response.body = b'{"code": "odd"}'

    with around(place, after=swap):
        assert type(error_of_reading(adapter)) is Unavailable


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
    return connect("woocommerce", Connection(url, credentials, ca_bundle, TIMEOUT_SECONDS))


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
