"""Refusals in Shopify's own words: of a whole request, and of a row inside an answer."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLError


def bad_request(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def denied(field: str, scope: str) -> GraphQLError:
    return GraphQLError(
        f"Access denied for {field} field. Required access: `{scope}` access scope.",
        extensions={"code": "ACCESS_DENIED", "requiredAccess": f"`{scope}` access scope."},
    )


def refusal(message: str, *field: str, code: str | None = None) -> dict[str, Any]:
    """One of an answer's `userErrors`."""
    return {"message": message, "field": list(field) or None, "code": code}
