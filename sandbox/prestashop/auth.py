"""Who asks, and what the key may do: rights by resource and method."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from sandbox.messages import Request, Response
from sandbox.prestashop.xml import ApiError

KEY_LENGTH = 32
METHODS = ("GET", "PUT", "POST", "PATCH", "DELETE", "HEAD")
Rights = Mapping[str, frozenset[str]]


class Keys:
    """The shop's keys with their rights; a resource that is not named may not be used at all."""

    def __init__(self) -> None:
        self._keys: dict[str, Rights] = {}

    def add(self, key: str, rights: Rights) -> None:
        self._keys[key] = rights

    def rights(self, request: Request) -> Rights | Response:
        """The key's, or the plain answer to somebody without one. Raises ApiError 401."""
        key = _given(request)
        if not key:
            return Response(401, b"401 Unauthorized", [("WWW-Authenticate", 'Basic realm="Welcome"')],
                            content_type="text/html; charset=UTF-8")  # fmt: skip
        if len(key) != KEY_LENGTH:
            raise ApiError(401, 18, "Invalid authentication key format")
        rights = self._keys.get(key)
        if rights is None:
            raise ApiError(401, 20, "Authentication key is not active")
        if not rights:
            raise ApiError(401, 21, "No permission for this authentication key")
        return rights


def _given(request: Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(token).decode().partition(":")[0]
    except ValueError:
        return ""


def check(rights: Rights, resource: str, method: str) -> None:
    """Raises ApiError where the key may not do this."""
    if resource not in rights:
        raise ApiError(401, 26, f'Resource of type "{resource}" is not allowed with this authentication key')
    if method not in rights[resource]:
        raise ApiError(
            405, 25, f"Method {method} is not allowed for the resource {resource} with this authentication key"
        )
