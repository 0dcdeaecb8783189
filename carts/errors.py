"""The few kinds of error a cart can raise. Each decides by itself what happens next (design, section 6).

`sentence` is for staff: what happened, what to do. `detail` is technical, for the log; neither ever holds a secret.
"""


class CartError(Exception):
    """Base of all. `permanent`: trying again without a person changes nothing."""

    permanent = False
    kind = "error"

    def __init__(self, sentence: str, *, detail: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail


class AuthError(CartError):
    """The cart refused the key, or the key may not do this. The feed needs a person."""

    permanent = True
    kind = "auth"


class ConfigError(CartError):
    """URL, TLS or a setting is wrong. The feed needs a person."""

    permanent = True
    kind = "config"


class RateLimited(CartError):
    """The cart asked us to wait. Not counted as a failure. `wait_seconds` is the shop's own word, or None."""

    kind = "rate_limited"

    def __init__(self, sentence: str, *, wait_seconds: float | None = None, detail: str = "") -> None:
        super().__init__(sentence, detail=detail)
        self.wait_seconds = wait_seconds


class Unavailable(CartError):
    """Timeouts, 5xx, HTML where JSON belongs, truncated bodies: exponential back-off."""

    kind = "unavailable"


class Rejected(CartError):
    """The cart, or our own rules, refused this one record. It becomes a problem; the rest goes on."""

    permanent = True
    kind = "rejected"


class NotFound(CartError):
    """The record is not in the cart any more."""

    permanent = True
    kind = "not_found"


class Stale(CartError):
    """The cart did not take a quantity because it shows another one than we knew. It is read and reckoned again."""

    kind = "stale"


class StopRequested(Exception):
    """The lease is gone: staff clicked Stop, or another worker took over. Nothing more may be written."""


class Refused(Exception):
    """A person asked for something that may not be done now. `sentence` says why and what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
