"""Who gets in, and what a key may do."""

import base64
from urllib.parse import urlencode

import pytest
import requests
from requests_oauthlib import OAuth1

from sandbox.testing import practice_shop

HTTPS = {"X-Forwarded-Proto": "https"}


@pytest.fixture
def strict():
    """A shop as the real one is: no Basic over plain HTTP."""
    with practice_shop(basic_over_http=False) as place:
        yield place


def orders(place, **options) -> requests.Response:
    return requests.get(f"{place.url}/wp-json/wc/v3/orders", timeout=10, **options)


def refusal(answer: requests.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.json()["code"], answer.json()["message"]


ANONYMOUS = (401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
WRONG = "woocommerce_rest_authentication_error"


def test_nobody_is_refused_as_measured(strict):
    answer = orders(strict)
    assert refusal(answer) == ANONYMOUS
    assert answer.json()["data"] == {"status": 401}


def test_basic_is_not_heard_over_plain_http(strict):
    assert refusal(orders(strict, auth=(strict.key, strict.secret))) == ANONYMOUS


def test_basic_is_heard_behind_a_proxy_that_ends_tls(strict):
    assert orders(strict, auth=(strict.key, strict.secret), headers=HTTPS).status_code == 200


def test_key_and_secret_in_the_query_over_https(strict):
    query = {"consumer_key": strict.key, "consumer_secret": strict.secret}
    assert orders(strict, params=query, headers=HTTPS).status_code == 200
    assert refusal(orders(strict, params=query)) == ANONYMOUS


@pytest.mark.parametrize(
    ("key", "secret", "message"),
    [("ck_other", "cs_practice", "Consumer key is invalid."), ("ck_practice", "x", "Consumer secret is invalid.")],
)
def test_a_wrong_key_or_secret(strict, key, secret, message):
    assert refusal(orders(strict, auth=(key, secret), headers=HTTPS)) == (401, WRONG, message)


@pytest.mark.parametrize("method", ["HMAC-SHA1", "HMAC-SHA256"])
@pytest.mark.parametrize("where", ["AUTH_HEADER", "QUERY"])
def test_oauth_over_plain_http(strict, method, where):
    auth = OAuth1(strict.key, strict.secret, signature_method=method, signature_type=where)
    answer = orders(strict, auth=auth, params={"per_page": 5, "search": "a b&c=d"})
    assert answer.status_code == 200


def test_oauth_signs_writes_too(strict):
    auth = OAuth1(strict.key, strict.secret)
    url = f"{strict.url}/wp-json/wc/v3/customers"
    assert requests.post(url, json={"email": "new@example.test"}, auth=auth, timeout=10).status_code == 201


def test_a_wrong_signature(strict):
    assert refusal(orders(strict, auth=OAuth1(strict.key, "other"))) == (
        401,
        WRONG,
        "Invalid signature - provided signature does not match.",
    )


def test_an_unknown_key_that_signs(strict):
    assert refusal(orders(strict, auth=OAuth1("ck_other", "x")))[2] == "Consumer key is invalid."


def test_a_signature_method_the_shop_does_not_know(strict):
    auth = OAuth1(strict.key, strict.secret, signature_method="PLAINTEXT")
    assert refusal(orders(strict, auth=auth))[2] == "Invalid signature - signature method is invalid."


def test_a_signed_request_counts_once(strict):
    url = f"{strict.url}/wp-json/wc/v3/orders"
    auth = OAuth1(strict.key, strict.secret, signature_type="QUERY")
    signed = requests.Request("GET", url, auth=auth).prepare().url
    assert requests.get(signed, timeout=10).status_code == 200
    assert refusal(requests.get(signed, timeout=10))[2] == "Invalid nonce - nonce has already been used."


@pytest.mark.parametrize("timestamp", ["1000000000", "4000000000"])
def test_a_signature_of_another_time(strict, timestamp):
    auth = OAuth1(strict.key, strict.secret, timestamp=timestamp)
    assert refusal(orders(strict, auth=auth))[2] == "Invalid timestamp."


def test_missing_oauth_parts(strict):
    query = urlencode({"oauth_consumer_key": strict.key, "oauth_nonce": "1"})
    answer = requests.get(f"{strict.url}/wp-json/wc/v3/orders?{query}", timeout=10)
    assert refusal(answer)[:2] == (401, WRONG)
    assert "oauth_signature" in answer.json()["message"]


def test_a_read_only_key_that_writes_gets_401_and_changes_nothing(strict):
    strict.add_key("ck_reader", "cs_reader", "read")
    url = f"{strict.url}/wp-json/wc/v3/customers"
    answer = requests.post(
        url, json={"email": "new@example.test"}, auth=("ck_reader", "cs_reader"), headers=HTTPS, timeout=10
    )
    assert refusal(answer) == (401, WRONG, "The API key provided does not have write permissions.")
    assert strict.shop.customer_by_email("new@example.test") is None
    assert orders(strict, auth=("ck_reader", "cs_reader"), headers=HTTPS).status_code == 200


def test_a_revoked_key_opens_nothing_any_more(strict):
    strict.platform.keys.revoke(strict.key)
    assert refusal(orders(strict, auth=OAuth1(strict.key, strict.secret)))[2] == "Consumer key is invalid."


def test_a_write_only_key_that_reads(strict):
    strict.add_key("ck_writer", "cs_writer", "write")
    answer = orders(strict, auth=("ck_writer", "cs_writer"), headers=HTTPS)
    assert refusal(answer)[2] == "The API key provided does not have read permissions."


def test_the_log_keeps_no_credentials(strict):
    query = {"consumer_key": strict.key, "consumer_secret": strict.secret, "page": "1"}
    orders(strict, params=query, headers=HTTPS, auth=(strict.key, strict.secret))
    orders(strict, auth=OAuth1(strict.key, strict.secret, signature_type="QUERY"))
    kept = repr(list(strict.requests))
    token = base64.b64encode(f"{strict.key}:{strict.secret}".encode()).decode()
    assert [(line.path, line.query) for line in strict.requests] == [
        ("/wp-json/wc/v3/orders", {"page": "1"}),
        ("/wp-json/wc/v3/orders", {}),
    ]
    assert not [secret for secret in (strict.key, strict.secret, token, "oauth_signature") if secret in kept]
