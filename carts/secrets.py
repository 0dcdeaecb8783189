"""Credentials: encrypted at rest, masked on screen, kept out of logs.

CREDENTIALS_KEY holds one or more Fernet keys: the first encrypts, every one decrypts. To rotate, put a new key in
front, run ``manage.py rotate_credentials``, then drop the old one.
"""

import json
import logging
import re
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.views.debug import ExceptionReporter

from carts.errors import ConfigError

HIDDEN = "[hidden]"
_SECRET_PATTERNS = re.compile(
    r"\b[cC][ksKS]_[0-9a-zA-Z]{8,}"
    r"|(?<=consumer_key=)[^&\s\"']+|(?<=consumer_secret=)[^&\s\"']+"
    r"|(?<=oauth_consumer_key=)[^&\s\"']+|(?<=oauth_signature=)[^&\s\"']+"
    r"|(?<=Basic )[A-Za-z0-9+/=]{8,}|(?<=Bearer )[A-Za-z0-9._\-]{8,}"
    # user:password@ of an address, such as the broker's
    r"|(?<=://)[^/\s:@\"']*:[^/\s@\"']+(?=@)"
)


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIALS_KEYS])


def seal(credentials: Mapping[str, str]) -> str:
    return _fernet().encrypt(json.dumps(dict(credentials), sort_keys=True).encode()).decode()


def unseal(token: str) -> dict[str, str]:
    """The credentials; {} for a cart that has none yet. ConfigError when no key of the environment fits."""
    if not token:
        return {}
    try:
        return dict(json.loads(_fernet().decrypt(token.encode())))
    except InvalidToken:
        raise ConfigError(
            "The saved credentials cannot be decrypted: CREDENTIALS_KEY of this server is not the one they were saved "
            "with. Put the old key back (a second one is allowed), or enter the credentials again under Edit."
        ) from None


def reseal(token: str) -> str:
    """The same credentials under the first key."""
    return _fernet().rotate(token.encode()).decode() if token else ""


# What staff type in place of a saved credential that is to go.
REMOVE = "-"


def mask(secret: str) -> str:
    """What the screen shows of a saved secret."""
    return f"Saved, ends in {secret[-4:]}" if len(secret) >= 12 else ("Saved" if secret else "Not set")


def redact(text: str) -> str:
    return _SECRET_PATTERNS.sub(HIDDEN, text)


class RedactingFormatter(logging.Formatter):
    """The last guard: of what a log handler writes, message and traceback alike, keys, signatures, authorizations
    and passwords in addresses are taken out."""

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record))


class RedactingReporter(ExceptionReporter):
    """Django's page and mail about an error, which show local variables and what was posted."""

    def get_traceback_html(self) -> str:
        return redact(super().get_traceback_html())

    def get_traceback_text(self) -> str:
        return redact(super().get_traceback_text())
