"""Refusals as BigCommerce words them: v3 gives an object with a title, v2 a list of messages."""

from __future__ import annotations

from typing import Any

from sandbox.messages import Headers, Response, json_response

_DOCUMENTATION = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"


class ApiError(Exception):
    """A refusal; `errors` are by field."""

    def __init__(self, status: int, title: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.errors = errors or {}

    def response(self, version: str = "v3", headers: Headers | None = None) -> Response:
        if version == "v2":
            return json_response([{"status": self.status, "message": self.title}], self.status, headers)
        body = {"status": self.status, "title": self.title, "type": _DOCUMENTATION, "errors": self.errors}
        return json_response(body, self.status, headers)


def not_found() -> ApiError:
    return ApiError(404, "The requested resource was not found.")


def too_large() -> ApiError:
    return ApiError(413, "The request payload is too large.")


def invalid(errors: dict[str, Any]) -> ApiError:
    return ApiError(422, "JSON data is missing or invalid", errors)


def duplicate(what: str) -> ApiError:
    return ApiError(409, f"The {what} is a duplicate", {what: f"The {what} is already in use."})
