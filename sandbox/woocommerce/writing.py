"""The POST, PUT, DELETE and batch routes, the same for every kind of record."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from sandbox.messages import Request, Response
from sandbox.woocommerce.errors import ApiError
from sandbox.woocommerce.fields import Field, body_of, check, is_true, whole

if TYPE_CHECKING:
    from sandbox.woocommerce.api import WooCommerce

# The filter woocommerce_rest_batch_items_limit's default: rows of create, update and delete together.
BATCH_LIMIT = 100


class Resource(Protocol):
    """One kind of record to write. Every method raises ApiError and then has changed nothing."""

    fields: dict[str, Field]
    path: str

    def create(self, given: dict[str, Any]) -> int: ...

    def update(self, record_id: int, given: dict[str, Any]) -> None: ...

    def delete(self, record_id: int, force: bool) -> bytes:
        """Returns the body the record had."""
        ...

    def body(self, record_id: int) -> bytes: ...


Maker = Callable[..., Resource]


def create(make: Maker) -> Callable[..., Response]:
    """The POST route of a collection; further parts of the path go to `make`."""

    def answer(api: WooCommerce, request: Request, *path: int) -> Response:
        resource = make(api.shop, *path)
        given = body_of(request)
        check(given, resource.fields)
        record_id = resource.create(given)
        location = f"{api.shop.url}/wp-json/wc/v3/{resource.path}/{record_id}"
        return Response(201, resource.body(record_id), [("Location", location)])

    return answer


def update(make: Maker) -> Callable[..., Response]:
    def answer(api: WooCommerce, request: Request, *path: int) -> Response:
        *parents, record_id = path
        resource = make(api.shop, *parents)
        given = body_of(request)
        check(given, resource.fields)
        resource.update(record_id, given)
        return Response(200, resource.body(record_id))

    return answer


def delete(make: Maker) -> Callable[..., Response]:
    def answer(api: WooCommerce, request: Request, *path: int) -> Response:
        *parents, record_id = path
        force = is_true({**body_of(request), **request.args}.get("force", False))
        return Response(200, make(api.shop, *parents).delete(record_id, force))

    return answer


def batch(make: Maker) -> Callable[..., Response]:
    """Answers 200 whatever the rows did; a row that failed carries its error and undoes no other."""

    def answer(api: WooCommerce, request: Request, *path: int) -> Response:
        resource = make(api.shop, *path)
        given = body_of(request)
        parts = {name: given.get(name) or [] for name in ("create", "update", "delete")}
        if sum(len(rows) for rows in parts.values()) > BATCH_LIMIT:
            raise ApiError(
                413,
                "woocommerce_rest_request_entity_too_large",
                f"Unable to accept more than {BATCH_LIMIT} items for this request.",
            )
        done = {name: [_row(resource, name, row) for row in rows] for name, rows in parts.items() if rows}
        return Response(200, msgspec.json.encode(done))

    return answer


def _row(resource: Resource, part: str, row: Any) -> Any:
    record_id = 0 if part == "create" else whole(row.get("id") if isinstance(row, dict) else row)
    try:
        if part == "delete":
            return msgspec.Raw(resource.delete(record_id, True))
        if part == "create":
            record_id = resource.create(row)
        else:
            resource.update(record_id, row)
        return msgspec.Raw(resource.body(record_id))
    except ApiError as refusal:
        return {"id": record_id, "error": refusal.body()}
