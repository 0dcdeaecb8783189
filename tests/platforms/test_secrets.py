"""Credentials: sealed at rest, masked on screen, kept out of logs."""

import io
import logging

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from carts import secrets
from carts.errors import ConfigError

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
KEY, SECRET = "ck_" + "4f1e" * 10, "cs_" + "9a0b" * 10


@given(st.dictionaries(st.text(), st.text()))
def test_what_is_sealed_comes_back_and_cannot_be_read_without_the_key(credentials):
    token = secrets.seal(credentials)
    assert secrets.unseal(token) == credentials
    assert not [value for value in credentials.values() if len(value) > 6 and value in token]


def test_no_credentials_yet():
    assert secrets.unseal("") == {}
    assert secrets.reseal("") == ""


def test_a_second_key_lets_the_first_be_rotated(settings):
    settings.CREDENTIALS_KEYS = [OLD]
    token = secrets.seal({"consumer_secret": SECRET})
    settings.CREDENTIALS_KEYS = [NEW, OLD]
    assert secrets.unseal(token) == {"consumer_secret": SECRET}
    rotated = secrets.reseal(token)
    settings.CREDENTIALS_KEYS = [NEW]
    assert secrets.unseal(rotated) == {"consumer_secret": SECRET}
    with pytest.raises(ConfigError, match="CREDENTIALS_KEY") as raised:
        secrets.unseal(token)
    assert SECRET not in str(raised.value) and raised.value.__cause__ is None


def test_the_screen_shows_four_characters_at_most():
    assert secrets.mask(SECRET) == f"Saved, ends in {SECRET[-4:]}"
    # Of a short one, four characters would be much of it.
    assert secrets.mask("short-one!!") == "Saved"
    assert secrets.mask("") == "Not set"


@pytest.mark.parametrize(
    "text",
    [
        f"key {KEY} and {SECRET}",
        f"GET /wp-json/wc/v3/orders?consumer_key={KEY}&consumer_secret={SECRET}&page=2",
        f"oauth_consumer_key={KEY}&oauth_signature={SECRET}%3D",
        "Authorization: Basic Y2tfNGYxZTRmMWU6Y3NfOWEwYg==",
        "Authorization: Bearer shpat_0123456789abcdef",
        f"{{'consumer_secret': '{SECRET}'}}",
    ],
)
def test_redacted_text_holds_no_secret(text):
    clean = secrets.redact(text)
    for hidden in (KEY, SECRET, "Y2tfNGYx", "shpat_0123"):
        assert hidden not in clean
    assert secrets.HIDDEN in clean


def test_redacting_leaves_other_text_alone():
    text = "Order 1041 of shop.example.test: HTTP 500, basic_auth, page=2&per_page=100"
    assert secrets.redact(text) == text


def test_a_log_line_holds_no_secret_even_in_its_traceback():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(secrets.RedactingFormatter())
    logger = logging.Logger("a test's own")
    logger.addHandler(handler)
    logger.warning("sent with %s", KEY)
    try:
        raise RuntimeError(f"https://shop.example.test/?consumer_secret={SECRET}")
    except RuntimeError:
        logger.exception("It failed")
    assert "It failed" in stream.getvalue()
    assert KEY not in stream.getvalue() and SECRET not in stream.getvalue()
