"""Refusals in Magento's own words: a message with places, and what belongs there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.messages import Response, json_response


class ApiError(Exception):
    """`parameters` by name for `%name` in the message, in order for `%1`."""

    def __init__(
        self, status: int, message: str, parameters: Sequence[Any] | Mapping[str, Any] = (), **extra: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"message": message, **extra}
        if parameters:
            self.body["parameters"] = parameters

    def response(self) -> Response:
        return json_response(self.body, self.status)


def required(field: str) -> ApiError:
    return ApiError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": field})


def not_found(field: str, value: Any) -> ApiError:
    return ApiError(
        404,
        "No such entity with %fieldName = %fieldValue",
        {"fieldName": field, "fieldValue": value},
    )


def no_product() -> ApiError:
    return ApiError(404, "The product that was requested doesn't exist. Verify the product and try again.")


def no_route() -> ApiError:
    return ApiError(404, "Request does not match any route.")


def unauthorized(resource: str) -> ApiError:
    return ApiError(401, "The consumer isn't authorized to access %resources.", {"resources": resource})


def broken() -> ApiError:
    message = "Internal Error. Details are available in Magento log file. Report ID: webapi-0123456789abc"
    return ApiError(500, message)
