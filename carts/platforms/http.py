"""One pooled HTTP session a cart, and the translation of everything that can go wrong into CartErrors."""

import email.utils
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from carts.errors import AuthError, CartError, ConfigError, NotFound, RateLimited, Rejected, Unavailable

CONNECT_TIMEOUT_SECONDS = 10.0
DETAIL_LENGTH = 300
BAD_ADDRESS = "The Cart Connect URL is not a web address. Correct it under Edit; nothing was sent."


@dataclass(frozen=True, slots=True)
class Answer:
    """What the shop said, its body whole. Names as in requests, where it comes from."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Speech:
    """How a platform writes: what it is asked for, whether a body is of that kind, what a refusal says, and how long it
    asks us to wait (None: it does not say)."""

    accept: str
    is_body: Callable[[Answer], bool]
    message: Callable[[Answer], str]
    wait_seconds: Callable[[Answer], float | None]


class ShopSession:
    """Sends requests to one shop. Never follows a redirect (it would carry the key elsewhere), never retries."""

    def __init__(
        self,
        *,
        ca_bundle: str,
        timeout_seconds: float,
        pool_size: int = 4,
        speech: "Speech | None" = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._speech = speech or JSON
        self._session = requests.Session()
        # The environment's proxies and .netrc must not decide where a shop's key goes.
        self._session.trust_env = False
        self._session.verify = ca_bundle or True
        self._session.headers.update({"Accept": self._speech.accept, "User-Agent": "CartSync", **(headers or {})})
        adapter = HTTPAdapter(pool_connections=1, pool_maxsize=pool_size, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._timeout = (min(CONNECT_TIMEOUT_SECONDS, timeout_seconds), timeout_seconds)

    def request(
        self,
        method: str,
        url: str,
        *,
        auth: AuthBase | None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer, whose body is whole and of the platform's kind, or empty with a 204. Anything else is raised as
        the CartError it means."""
        content = {"auth": auth, "params": params, "json": json, "data": data, "headers": headers}
        response = self._exchange(method, url, content)
        if response.status_code >= 300:
            raise error_of(response, self._speech)
        if response.status_code != 204 and not self._speech.is_body(response):
            raise Unavailable(
                "The shop answered with a web page where data belongs: it may be in maintenance, or a security "
                "plug-in stands in between. Open the shop in a browser. The next try follows by itself.",
                detail=_excerpt(response),
            )
        return response

    def _exchange(self, method: str, url: str, content: Mapping[str, Any]) -> Answer:
        """The answer whatever its status, its body whole. Raises what kept it from coming."""
        try:
            received = self._session.request(
                method, url, timeout=self._timeout, allow_redirects=False, stream=True, **content
            )
            # The body in one piece: requests' own way is 10 KB at a time, a third of the time of reading a page.
            return Answer(received.status_code, received.headers, b"".join(received.iter_content(None)))
        except requests.RequestException as error:
            raise _network_error(error, url) from None
        except (UnicodeError, ValueError) as error:
            raise ConfigError(BAD_ADDRESS, detail=type(error).__name__) from None
        except OSError as error:
            # Requests says so of its own accord, and not as one of its exceptions.
            raise ConfigError(
                "The TLS certificate file named for this cart cannot be read on this server. Correct it under Edit; "
                "nothing was sent.",
                detail=type(error).__name__,
            ) from None

    def close(self) -> None:
        self._session.close()


def _is_json(response: Answer) -> bool:
    return "json" in response.headers.get("Content-Type", "") and response.content[:1] in (b"{", b"[", b'"')


def _excerpt(response: Answer) -> str:
    return f"HTTP {response.status_code}: {response.text[:DETAIL_LENGTH]}"


def _network_error(error: requests.RequestException, url: str) -> CartError:
    """The exception's own text may hold the address with its query, so only its kind is kept."""
    detail = type(error).__name__
    if isinstance(
        error,
        requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | requests.exceptions.InvalidSchema,
    ):
        return ConfigError(BAD_ADDRESS, detail=detail)
    host = urlsplit(url).netloc
    if isinstance(error, requests.exceptions.SSLError):
        return ConfigError(
            f"The certificate of {host} is not valid for a safe connection. Have the shop's certificate renewed, "
            "or name its certificate file under Edit; then click Test Connection.",
            detail=detail,
        )
    if isinstance(error, requests.exceptions.Timeout):
        return Unavailable(
            f"{host} did not answer in time. If it goes on, ask the shop's host. The next try follows by itself.",
            detail=detail,
        )
    if isinstance(error, requests.exceptions.ConnectionError) and "NameResolution" in repr(error):
        return Unavailable(
            f"There is no server named {host}. Check the Cart Connect URL. The next try follows by itself.",
            detail="name resolution failed",
        )
    return Unavailable(
        f"The connection to {host} broke. If it goes on, ask the shop's host. The next try follows by itself.",
        detail=detail,
    )


def error_of(response: Answer, speech: "Speech | None" = None) -> CartError:
    """What a status of 300 and above means; the adapter may know better from the body's code."""
    speech = speech or JSON
    status, detail = response.status_code, _excerpt(response)
    if status < 400:
        target = response.headers.get("Location", "")
        part = urlsplit(target)
        place = f"{part.scheme}://{part.netloc}{part.path}" if part.netloc else part.path
        return ConfigError(
            f"The shop sends us on to {place or 'another address'}. Put the shop's final address into Cart Connect "
            "URL (https, with or without www) and click Test Connection.",
            detail=f"HTTP {status}",
        )
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        what = "asked us to slow down" if status == 429 else "is closed for maintenance"
        return RateLimited(
            f"The shop {what}. Nothing is lost; we go on when the time it named is over.",
            wait_seconds=speech.wait_seconds(response),
            detail=detail,
        )
    if status == 401 or (status == 403 and speech.is_body(response)):
        return _refused_key(response, detail, speech.message(response))
    if status in (404, 410):
        return NotFound("The shop does not have this record.", detail=detail)
    if 400 <= status < 500 and speech.is_body(response):
        return Rejected(f"The shop refused the request: {speech.message(response)}", detail=detail)
    return Unavailable(
        f"The shop answered with an error of its own (HTTP {status}). If it goes on, ask the shop's host. The next "
        "try follows by itself.",
        detail=detail,
    )


def _refused_key(response: Answer, detail: str, said: str) -> AuthError:
    if response.status_code == 403:
        return AuthError(
            f"The key is right, but its user may not do this in the shop (it says: {said}) Make a key for a user who "
            "may manage the shop, enter it under Edit, then click Test Connection.",
            detail=detail,
        )
    return AuthError(
        f"The shop refused the key (it says: {said}) Check under Edit that key and secret are whole, not revoked, and "
        "allowed to read, then click Test Connection. Nothing is read until then.",
        detail=detail,
    )


def message_of(response: Answer) -> str:
    try:
        body = msgspec.json.decode(response.content)
    except msgspec.DecodeError:
        return f"HTTP {response.status_code}"
    message = body.get("message") if isinstance(body, dict) else None
    return str(message)[:DETAIL_LENGTH] if message else f"HTTP {response.status_code}"


def retry_after_seconds(value: str) -> float | None:
    """Seconds of a Retry-After header in either of its forms; None when it is absent or nonsense."""
    value = value.strip()
    if value.isdigit():
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


JSON = Speech(
    accept="application/json",
    is_body=_is_json,
    message=message_of,
    wait_seconds=lambda answer: retry_after_seconds(answer.headers.get("Retry-After", "")),
)
