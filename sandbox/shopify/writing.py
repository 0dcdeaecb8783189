"""Which mutation does what. All answer with 200; only `userErrors` tell that nothing was done."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo

from sandbox.shopify import writing_customers, writing_products, writing_stock
from sandbox.shopify.errors import refusal
from sandbox.shopify.looks import number


def create_webhook(_: Any, info: GraphQLResolveInfo, topic: str, webhookSubscription: dict[str, Any]) -> Any:
    uri = webhookSubscription.get("uri") or ""
    if not uri.startswith(("https://", "http://127.0.0.1")):
        return {"userErrors": [refusal("Address must be a valid https URL", "webhookSubscription", "uri")]}
    made = info.context.platform.webhooks.subscribe(topic, uri)
    if made is None:
        message = "Address for this topic has already been taken"
        return {"userErrors": [refusal(message, "webhookSubscription", "uri")]}
    return {"webhookSubscription": made, "userErrors": []}


def delete_webhook(_: Any, info: GraphQLResolveInfo, id: str) -> Any:
    if not info.context.platform.webhooks.unsubscribe(number(id, "WebhookSubscription")):
        return {"userErrors": [refusal("Webhook subscription does not exist", "id")]}
    return {"deletedWebhookSubscriptionId": id, "userErrors": []}


RESOLVERS = {
    "inventorySetQuantities": writing_stock.set_quantities,
    "productVariantsBulkUpdate": writing_products.update_variants,
    "productUpdate": writing_products.update_product,
    "productSet": writing_products.set_product,
    "customerUpdate": writing_customers.update_customer,
    "customerCreate": writing_customers.create_customer,
    "customerAddressUpdate": writing_customers.update_address,
    "customerAddressCreate": writing_customers.update_address,
    "webhookSubscriptionCreate": create_webhook,
    "webhookSubscriptionDelete": delete_webhook,
}
