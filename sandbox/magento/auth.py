"""Who asks: an integration's OAuth 1.0a signature, or its access token alone where the shop allows that."""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock

from msgspec import Struct
from oauthlib.common import Request as SignedRequest
from oauthlib.oauth1.rfc5849 import signature

from sandbox.magento.errors import ApiError, unauthorized
from sandbox.messages import Request

NONCES_KEPT = 100_000
# Seconds a signature stays good, as oauth/timeline/... is set in a new shop.
WINDOW_SECONDS = 600
ALL = "all"


class Integration(Struct):
    """The four secrets of one integration, and the resources it may use ("all", or their names)."""

    consumer_key: str = "practiceconsumerkey0123456789abcd"
    consumer_secret: str = "practiceconsumersecret0123456789"
    access_token: str = "practiceaccesstoken0123456789abc"
    access_token_secret: str = "practicetokensecret0123456789abc"
    resources: tuple[str, ...] = (ALL,)


class Authentication:
    """`takes_bearer`: the shop has switched on that a token alone is enough, which a new one has not."""

    def __init__(self, integration: Integration, takes_bearer: bool = False) -> None:
        self.integration = integration
        self.takes_bearer = takes_bearer
        self._nonces: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = Lock()

    def check(self, request: Request, resource: str) -> None:
        """Raises ApiError 401. A stranger hears the same as an integration without the permission."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "oauth":
            self._signed(request)
        elif not (scheme.lower() == "bearer" and self.takes_bearer and rest == self.integration.access_token):
            raise unauthorized(resource)
        if ALL not in self.integration.resources and resource not in self.integration.resources:
            raise unauthorized(resource)

    def _signed(self, request: Request) -> None:
        headers = {"Authorization": request.headers["Authorization"]}
        uri = f"{'https' if request.is_https else 'http'}://{request.headers.get('Host', '')}{request.target}"
        query = request.target.partition("?")[2]
        given = dict(signature.collect_parameters(query, headers=headers, exclude_oauth_signature=False))
        mine = self.integration
        if given.get("oauth_consumer_key") != mine.consumer_key:
            raise ApiError(401, "A consumer with the ID %1 does not exist. Verify the ID and try again.", ["0"])
        if given.get("oauth_token") != mine.access_token:
            raise ApiError(401, "Specified token does not exist")
        if given.get("oauth_signature_method") not in ("HMAC-SHA256", "HMAC-SHA1"):
            raise ApiError(400, "Signature method %1 is not supported", [given.get("oauth_signature_method", "")])
        self._check_time(given)
        signed = SignedRequest(uri, request.method, b"", headers)
        signed.params = signature.collect_parameters(query, headers=headers)
        signed.signature = given["oauth_signature"]
        verify = signature.verify_hmac_sha256
        if given["oauth_signature_method"] == "HMAC-SHA1":
            verify = signature.verify_hmac_sha1
        if not verify(signed, mine.consumer_secret, mine.access_token_secret):
            raise ApiError(401, "The signature is invalid. Verify and try again.")

    def _check_time(self, given: dict[str, str]) -> None:
        # The real time, not the shop's clock: the caller signs with its own.
        at = given.get("oauth_timestamp", "")
        if not at.isdigit() or abs(time.time() - int(at)) > WINDOW_SECONDS:
            raise ApiError(400, "Incorrect timestamp value in the oauth_timestamp parameter")
        used = (at, given.get("oauth_nonce", ""))
        with self._lock:
            if used in self._nonces:
                raise ApiError(401, "The nonce is already being used by the consumer with ID %1.", ["1"])
            self._nonces[used] = None
            if len(self._nonces) > NONCES_KEPT:
                self._nonces.popitem(last=False)
