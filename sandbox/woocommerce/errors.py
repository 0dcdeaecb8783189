"""Refusals in WordPress's own words."""

from __future__ import annotations

from typing import Any

from sandbox.messages import Response, json_response


class ApiError(Exception):
    """A refusal with WordPress's error code; `extra` joins `status` under `data`."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra

    def body(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "message": self.message,
            "data": {"status": self.status, **self.extra},
        }

    def response(self) -> Response:
        return json_response(self.body(), self.status)


def invalid_id(kind: str, status: int = 404) -> ApiError:
    """No such record; `kind` as in WordPress: shop_order, product, ..."""
    return ApiError(status, f"woocommerce_rest_{kind}_invalid_id", "Invalid ID.")


def invalid_params(problems: dict[str, tuple[str, str, Any]]) -> ApiError:
    """Arguments that break their schema, as {name: (code, message, data)}."""
    details = {
        name: {"code": code, "message": message, "data": data} for name, (code, message, data) in problems.items()
    }
    params = {name: message for name, (_, message, _) in problems.items()}
    text = f"Invalid parameter(s): {', '.join(problems)}"
    return ApiError(400, "rest_invalid_param", text, params=params, details=details)


def no_route() -> ApiError:
    return ApiError(404, "rest_no_route", "No route was found matching the URL and request method.")
