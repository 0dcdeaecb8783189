"""Promise 11: secrets stay secret, in the log, in tracebacks, on error pages, and when the key is rotated."""

import io
import logging
import logging.config
import sys

import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.management import CommandError, call_command
from django.views.debug import get_exception_reporter_class, technical_500_response

from carts import secrets
from carts.errors import ConfigError
from carts.models import Cart

KEY, SECRET = "ck_" + "a1" * 20, "cs_" + "b2" * 20
CREDENTIALS = {"consumer_key": KEY, "consumer_secret": SECRET}
LEAKS = (
    f"refused {KEY}",
    f"GET /orders?oauth_consumer_key={KEY}&oauth_signature=c2lnbmF0dXJl&page=1",
    "Authorization: Basic Y2tfYTE6Y3NfYjI=",
    "no broker at redis://:broker-password@localhost:6379/0",
)
SECRETS = (KEY, SECRET, "c2lnbmF0dXJl", "Y2tfYTE6Y3NfYjI=", "broker-password")


@pytest.fixture
def console():
    """What the handlers of the application's own settings write."""
    written = io.StringIO()
    logging.config.dictConfig(settings.LOGGING)
    handler = logging.getLogger().handlers[0]
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


@pytest.mark.parametrize("leak", LEAKS)
def test_the_log_holds_no_secret_in_messages_nor_in_tracebacks(console, leak):
    logger = logging.getLogger("carts.services.feeds")
    try:
        raise ValueError(leak)
    except ValueError:
        logger.exception("Poll of feed %s failed: %s", 7, leak)
    written = console.getvalue()
    assert "Poll of feed 7 failed" in written
    assert "ValueError: " in written
    assert secrets.HIDDEN in written
    assert not [secret for secret in SECRETS if secret in written]


def fail_with(credentials):
    broker = LEAKS[-1]
    raise RuntimeError(f"{credentials['consumer_secret']} {broker}")


def test_error_pages_and_mails_hold_no_secret(rf, settings):
    settings.DEBUG = True  # the most Django ever tells
    settings.REDIS_URL = "redis://:broker-password@localhost:6379/0"
    request = rf.post("/carts/", {"consumer_secret": SECRET})
    try:
        fail_with(CREDENTIALS)
    except RuntimeError:
        raised = sys.exc_info()
    page = technical_500_response(request, *raised).content.decode()
    mail = get_exception_reporter_class(request)(request, *raised, is_email=True).get_traceback_text()
    for text in (page, mail):
        assert "RuntimeError" in text
        told = [*SECRETS, settings.SECRET_KEY, *settings.CREDENTIALS_KEYS]
        assert not [secret for secret in told if secret in text]


@pytest.mark.django_db
def test_rotation_puts_every_cart_under_the_first_key(settings, capsys):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    settings.CREDENTIALS_KEYS = [old]
    for name in ("One", "Two"):
        Cart.objects.create(name=name, url="https://shop.example.test", credentials=secrets.seal(CREDENTIALS))
    Cart.objects.create(name="Without", url="https://shop.example.test")

    settings.CREDENTIALS_KEYS = [new]
    with pytest.raises(ConfigError):
        secrets.unseal(Cart.objects.get(name="One").credentials)

    settings.CREDENTIALS_KEYS = [new, old]
    call_command("rotate_credentials")
    assert capsys.readouterr().out == "The credentials of 2 carts are under the first key now.\n"

    settings.CREDENTIALS_KEYS = [new]
    found = {cart.name: secrets.unseal(cart.credentials) for cart in Cart.objects.all()}
    assert found == {"One": CREDENTIALS, "Two": CREDENTIALS, "Without": {}}


@pytest.mark.django_db
def test_rotation_names_the_carts_whose_key_is_lost_and_does_the_others(settings):
    lost, old, new = (Fernet.generate_key().decode() for _ in range(3))
    tokens = {}
    for name, key in (("Lost", lost), ("Kept", old)):
        settings.CREDENTIALS_KEYS = [key]
        tokens[name] = secrets.seal(CREDENTIALS)
        Cart.objects.create(name=name, url="https://shop.example.test", credentials=tokens[name])
    settings.CREDENTIALS_KEYS = [new, old]
    with pytest.raises(CommandError, match="fits the credentials of: Lost"):
        call_command("rotate_credentials")
    assert Cart.objects.get(name="Lost").credentials == tokens["Lost"]
    settings.CREDENTIALS_KEYS = [new]
    assert secrets.unseal(Cart.objects.get(name="Kept").credentials) == CREDENTIALS
