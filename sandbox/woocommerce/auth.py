"""Who asks: HTTP Basic over TLS, one-legged OAuth 1.0a anywhere, and what the key may do."""

from __future__ import annotations

import base64
import time
from collections import OrderedDict
from threading import Lock

from msgspec import Struct
from oauthlib.common import Request as SignedRequest
from oauthlib.oauth1.rfc5849 import signature

from sandbox.messages import Request
from sandbox.woocommerce.errors import ApiError

# WooCommerce's own window: a request signed longer ago, or further ahead, is refused.
WINDOW_SECONDS = 15 * 60
# Nonces of the window are all that need remembering; this many requests in 15 minutes is beyond any test.
NONCES_KEPT = 100_000
_OAUTH = ("consumer_key", "timestamp", "nonce", "signature", "signature_method")


class Key(Struct, frozen=True):
    """`scope` is read, write or read_write."""

    key: str
    secret: str
    scope: str = "read_write"


def refused(message: str, code: str = "woocommerce_rest_authentication_error") -> ApiError:
    return ApiError(401, code, message)


class Authentication:
    """The shop's keys. `basic_over_http` takes Basic on plain HTTP too, which the real shop never does."""

    def __init__(self, basic_over_http: bool = False) -> None:
        self.basic_over_http = basic_over_http
        self._keys: dict[str, Key] = {}
        self._nonces: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()

    def add(self, key: Key) -> None:
        self._keys[key.key] = key

    def revoke(self, key: str) -> None:
        self._keys.pop(key, None)

    def check(self, request: Request) -> None:
        """Raises ApiError 401 unless the request is signed by a key whose scope covers it."""
        key = self._basic(request) if request.is_https or self.basic_over_http else None
        key = key or self._signed(request)
        if key is None:
            raise ApiError(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
        needed = "read" if request.method in ("GET", "HEAD") else "write"
        if needed not in key.scope.split("_") and request.method != "OPTIONS":
            raise refused(f"The API key provided does not have {needed} permissions.")

    def _basic(self, request: Request) -> Key | None:
        name, secret = request.args.get("consumer_key", ""), request.args.get("consumer_secret", "")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if not (name and secret) and scheme.lower() == "basic":
            try:
                name, _, secret = base64.b64decode(token).decode().partition(":")
            except ValueError:
                return None
        if not (name and secret):
            return None
        key = self._keys.get(name)
        if key is None:
            raise refused("Consumer key is invalid.")
        if key.secret != secret:
            raise refused("Consumer secret is invalid.")
        return key

    def _signed(self, request: Request) -> Key | None:
        authorization = request.headers.get("Authorization", "")
        headers = {"Authorization": authorization} if authorization.startswith("OAuth ") else {}
        scheme = "https" if request.is_https else "http"
        uri = f"{scheme}://{request.headers.get('Host', '')}{request.target}"
        query = request.target.partition("?")[2]
        if not headers and "oauth_" not in query:
            return None
        try:
            parts = signature.collect_parameters(query, headers=headers, exclude_oauth_signature=False)
        except ValueError:
            return None
        with_signature = dict(parts)
        given = {name: with_signature.get(f"oauth_{name}", "") for name in _OAUTH}
        if not any(given.values()):
            return None
        missing = [f"oauth_{name}" for name, value in given.items() if not value]
        if missing:
            raise refused(f"Missing OAuth parameter{'s' if len(missing) > 1 else ''} {', '.join(missing)}")
        key = self._keys.get(given["consumer_key"])
        if key is None:
            raise refused("Consumer key is invalid.")
        signed = SignedRequest(uri, request.method, b"", headers)
        signed.params = signature.collect_parameters(query, headers=headers)
        signed.signature = given["signature"]
        self._check_signature(signed, given["signature_method"], key)
        self._check_time(given)
        return key

    @staticmethod
    def _check_signature(signed: SignedRequest, method: str, key: Key) -> None:
        verify = {
            "HMAC-SHA1": signature.verify_hmac_sha1,
            "HMAC-SHA256": signature.verify_hmac_sha256,
        }.get(method)
        if verify is None:
            raise refused("Invalid signature - signature method is invalid.")
        if not verify(signed, key.secret, ""):
            raise refused("Invalid signature - provided signature does not match.")

    def _check_time(self, given: dict[str, str]) -> None:
        # The real time, not the shop's clock: the caller signs with its own.
        if not given["timestamp"].isdigit() or abs(time.time() - int(given["timestamp"])) > WINDOW_SECONDS:
            raise refused("Invalid timestamp.")
        used = (given["timestamp"], given["nonce"])
        with self._lock:
            if used in self._nonces:
                raise refused("Invalid nonce - nonce has already been used.")
            self._nonces[used] = None
            if len(self._nonces) > NONCES_KEPT:
                self._nonces.popitem(last=False)
