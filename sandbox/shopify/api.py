"""Shopify's Admin API: the GraphQL endpoint and the token endpoint, in front of the neutral shop."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLError,
    OperationDefinitionNode,
    execute_sync,
    parse,
    validate,
)

from sandbox.messages import Request, Response, json_response
from sandbox.shop import Shop
from sandbox.shopify.access import READING, WRITING, Access
from sandbox.shopify.call import Call
from sandbox.shopify.catalogue_body import customer_body, product_body
from sandbox.shopify.cost import MOST_FOR_ONE_QUERY, Bucket, Reckoner
from sandbox.shopify.listing import Lists
from sandbox.shopify.looks import gid
from sandbox.shopify.order_body import order_body
from sandbox.shopify.resolving import plain, practice_schema
from sandbox.shopify.webhooks import API_VERSION, Webhooks

TOKEN, CLIENT_ID, CLIENT_SECRET = "shpat_practice", "practice-client", "shpss_practice"
PATH = f"/admin/api/{API_VERSION}/graphql.json"
TOKEN_PATH = "/admin/oauth/access_token"


class Shopify:
    """The platform: give it a shop, hand it requests. What a test may change: `access` (scopes, tokens), `bucket`,
    `throttled_status` (200 or 429), `rejects_whole_batches`, `taxes_included`."""

    def __init__(self, shop: Shop, access: Access, plan: str, locations: int, taxes_included: bool) -> None:
        self.shop = shop
        self.signs_in_by_token = False
        self.access = access
        self.bucket = Bucket(plan)
        self.throttled_status = 200
        # Whether one bad row of a stock batch keeps the others out is not documented; both are tried.
        self.rejects_whole_batches = True
        self.taxes_included = taxes_included
        self.locations = {number: f"Location {number}" for number in range(1, locations + 1)}
        # Idempotency keys: the input, and the answer that is given again.
        self.answered: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self.lists = Lists(shop, lambda: access.may("read_all_orders"))
        self.webhooks = Webhooks(shop, access.client_secret)
        encode = msgspec.json.Encoder().encode
        shop.orders.render = lambda order: encode(order_body(shop, order, self.taxes_included))
        shop.products.render = lambda product: encode(product_body(product))
        shop.customers.render = lambda customer: encode(customer_body(customer))

    @classmethod
    def of(cls, shop: Shop, options: Mapping[str, Any]) -> Shopify:
        """`scopes`; `plan` (cost.PLANS); `locations`, how many; `taxes_included`: whether prices are with tax;
        `by_token`: staff enter an access token, not a client id and secret; `throttled_status`: 200 or 429."""
        scopes = options.get("scopes", (*READING, *WRITING))
        access = Access(shop.clock, TOKEN, CLIENT_ID, CLIENT_SECRET, scopes)
        plan, locations = options.get("plan", "enterprise"), options.get("locations", 1)
        platform = cls(shop, access, plan, locations, options.get("taxes_included", False))
        platform.signs_in_by_token = options.get("by_token", False)
        platform.throttled_status = options.get("throttled_status", 200)
        return platform

    @property
    def address(self) -> str:
        return self.shop.url

    @property
    def credentials(self) -> dict[str, str]:
        if self.signs_in_by_token:
            return {"access_token": self.access.token}
        return {"client_id": self.access.client_id, "client_secret": self.access.client_secret}

    def about(self) -> dict[str, Any]:
        return {
            "id": gid("Shop", 1),
            "name": self.shop.name,
            "myshopifyDomain": "practice-shop.myshopify.com",
            "currencyCode": self.shop.currency,
            "ianaTimezone": str(self.shop.zone),
            "taxesIncluded": self.taxes_included,
            "weightUnit": "KILOGRAMS",
            "plan": {"publicDisplayName": "Practice"},
        }

    def deliver(self, topic: str, record_id: int, delivery_id: str = "") -> list[int]:
        return self.webhooks.deliver(topic, record_id, delivery_id)

    def refusal(self, status: int) -> Response:
        """How this platform says 401 and 500."""
        if status == 401:
            said = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return json_response({"errors": said}, 401)
        error = {"message": "Internal error.", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
        return json_response({"errors": [error]}, status)

    def handle(self, request: Request) -> Response:
        if request.path == TOKEN_PATH and request.method == "POST":
            return self._token(request)
        if request.path != PATH or request.method != "POST":
            return json_response({"errors": "Not Found"}, 404)
        if not self.access.lets_in(request.headers.get("X-Shopify-Access-Token", "")):
            return self.refusal(401)
        try:
            asked = request.json()
            document, variables = asked["query"], asked.get("variables") or {}
        except (msgspec.DecodeError, KeyError, TypeError):
            return json_response({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        with self.shop.lock:
            return self._answer(document, variables)

    def _token(self, request: Request) -> Response:
        """A form, not JSON."""
        token = self.access.grant(dict(parse_qsl(request.body.decode())))
        if token is None:
            error = {"error": "invalid_client", "error_description": "The client is not known or its secret is wrong."}
            return json_response(error, 400)
        body = {"access_token": token, "scope": ",".join(self.access.scopes), "expires_in": self.access.token_seconds}
        return json_response(body)

    def _answer(self, text: str, variables: dict[str, Any]) -> Response:
        document, errors = _checked(text)
        if errors:
            return json_response({"errors": [error.formatted for error in errors]})
        reckoner = _reckoner(document, variables)
        requested = reckoner.requested()
        if requested > MOST_FOR_ONE_QUERY:
            said = f"Query cost is {requested}, which exceeds the single query max cost limit ({MOST_FOR_ONE_QUERY})."
            error = {"message": said, "extensions": {"code": "MAX_COST_EXCEEDED", "cost": requested}}
            return self._costed({"errors": [error]}, requested, None)
        if requested > self.bucket.left:
            return self._throttled(requested)
        call = Call(self)
        result = execute_sync(
            practice_schema(), document, context_value=call, variable_values=variables, field_resolver=plain
        )
        actual = min(requested, reckoner.actual(result.data))
        self.bucket.left -= actual
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [error.formatted for error in result.errors]
        response = self._costed(body, requested, actual)
        response.listed, response.listed_kind = call.listed, call.listed_kind
        return response

    def _throttled(self, requested: int) -> Response:
        if self.throttled_status == 429:
            wait = max(1.0, (requested - self.bucket.left) / self.bucket.restore)
            body = {"errors": "Exceeded the rate limit of this app. Reduce request rates to resume service."}
            return json_response(body, 429, [("Retry-After", f"{wait:.0f}")])
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return self._costed({"errors": [error]}, requested, None)

    def _costed(self, body: dict[str, Any], requested: int, actual: int | None) -> Response:
        cost = {
            "requestedQueryCost": requested,
            "actualQueryCost": actual,
            "throttleStatus": self.bucket.status(),
        }
        headers = [("X-Shopify-API-Version", API_VERSION)]
        return json_response({**body, "extensions": {"cost": cost}}, 200, headers)


@lru_cache(maxsize=256)
def _checked(text: str) -> tuple[DocumentNode, tuple[GraphQLError, ...]]:
    """The parsed query and what the schema has against it."""
    try:
        document = parse(text)
    except GraphQLError as error:
        return DocumentNode(definitions=()), (error,)
    return document, tuple(validate(practice_schema(), document))


def _reckoner(document: DocumentNode, variables: dict[str, Any]) -> Reckoner:
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    return Reckoner(practice_schema(), operation, fragments, variables)
