"""Shopify, Admin GraphQL API (facts and traps: docs/platforms/shopify.md)."""

import base64
import hashlib
import hmac
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, ROUND_UP, Decimal
from functools import partial
from typing import Any, ClassVar, NoReturn
from urllib.parse import urlencode

import msgspec

from carts.errors import AuthError, CartError, ConfigError, NotFound, RateLimited, Rejected, Stale, Unavailable
from carts.platforms.base import Allowance, Capabilities, Connection, CredentialField
from carts.platforms.bodies import NUMBER, broken_answer, digest_of, exact_decoder, exact_encoder, money, reading
from carts.platforms.http import Answer, ShopSession, Speech, message_of, retry_after_seconds
from carts.platforms.paging import followed_pages
from carts.records import (
    CUSTOMER,
    ITEM,
    ORDER,
    Address,
    CartCustomer,
    CartItem,
    CartOrder,
    ItemRef,
    Listing,
    Location,
    OrderLine,
    Page,
    RawRecord,
    RecordChange,
    Refund,
    RowResult,
    ShopInfo,
    StockLevel,
    WebhookHint,
    Window,
)

# The one place of the version. Shopify serves each for a year at least; docs/platforms/shopify.md says how to move on.
API_VERSION, API_RETIRES = "2026-07", date(2027, 7, 1)
LABEL = "Shopify"
TYPES = {ORDER: "Order", ITEM: "ProductVariant", CUSTOMER: "Customer"}
ROOTS = {ORDER: "orders", ITEM: "productVariants", CUSTOMER: "customers"}
# A query may ask for 1,000 points at most, and an order with its lines is dear: fifty with so many lines each are just
# below that. A shop that reckons otherwise refuses the page, and is asked for half as many from then on.
PAGE_SIZES = {ORDER: 50, ITEM: 100, CUSTOMER: 100}
NESTED_SIZE = 250  # the most a list gives; plain lists (refunds, transactions) have no second page
BATCH_SIZE = 250  # the most rows an input takes
MOST_FOR_ONE_QUESTION = 1000.0
# What a request is taken to cost until the shop has told once; pages of orders may take nearly all that one may.
FIRST_ESTIMATE, FIRST_ESTIMATE_OF_ORDERS = 100.0, 976.0
# A token is renewed when a tenth of its life is left.
RENEWED_AFTER = 0.9
ONE, ZERO, CENT = Decimal(1), Decimal(0), Decimal("0.01")
ITEM_LINE, SHIPPING_LINE, FEE_LINE, ROUNDING_LINE, OTHER_LINE = "item", "shipping", "fee", "rounding", "other"
TEST_STATUS, CANCELLED_STATUS = "test", "cancelled"
ONCE_PAID = frozenset({"PAID", "PARTIALLY_REFUNDED", "REFUNDED"})
PRICE_FIELDS = frozenset({"price", "sale_price", "barcode", "weight"})
PRODUCT_FIELDS = frozenset({"name", "description", "is_active"})
NEEDED_SCOPES = {
    "read_orders": "no order can be read",
    "read_all_orders": "orders older than 60 days are not shown by the shop, so they are never imported",
    "read_products": "items cannot be read, and orders neither, as their lines name them",
    "read_inventory": "stock cannot be read, nor sent",
    "read_locations": "the places where the shop keeps stock cannot be listed",
    "read_customers": "customers cannot be read, and orders neither, as each names its own",
    "write_inventory": "stock cannot be sent to the cart",
    "write_products": "items cannot be sent to the cart",
    "write_customers": "customers cannot be sent to the cart",
}
NEEDED_FOR_ORDERS = frozenset({"read_orders", "read_products", "read_customers"})
TOPIC_KINDS = {
    "ORDERS_CREATE": ORDER,
    "ORDERS_UPDATED": ORDER,
    "ORDERS_DELETE": ORDER,
    "REFUNDS_CREATE": ORDER,
    "PRODUCTS_CREATE": ITEM,
    "PRODUCTS_UPDATE": ITEM,
    "CUSTOMERS_CREATE": CUSTOMER,
    "CUSTOMERS_UPDATE": CUSTOMER,
    "CUSTOMERS_DELETE": CUSTOMER,
}
NO_KEY = (
    "There is neither an Admin API access token nor a client id with its client secret. Enter one of the two under "
    "Edit, then click Test Connection."
)
NO_LOCATION = "It is not said where in the shop our stock lies. Choose the Stock location under Edit; nothing was sent."
NOT_STOCKED = (
    "The cart does not stock this item at our location, or does not track it, so the quantity went nowhere. Tick Track "
    "quantity and the location on it in the shop's admin and click Retry, or leave it as it is and click Ignore."
)
SHOWS_ANOTHER = "The cart shows another quantity than we knew; it is read and reckoned again."
WITH_OTHERS = "The cart took none of these quantities because of another item's; they are read and sent again."

# What is asked for ------------------------------------------------------------------------------------

FRAGMENTS = {
    "Amount": "on MoneyBag { shopMoney { amount } }",
    "Both": "on MoneyBag { shopMoney { amount } presentmentMoney { amount } }",
    "Taxes": "on TaxLine { priceSet { ...Amount } }",
    "Place": """on MailingAddress {
      firstName lastName company address1 address2 city provinceCode zip countryCodeV2 phone }""",
    "LineParts": """on LineItem {
      id sku name quantity currentQuantity isGiftCard
      variant { id }
      originalUnitPriceSet { ...Amount }
      discountAllocations { allocatedAmountSet { ...Amount } }
      taxLines { ...Taxes }
      duties { taxLines { ...Taxes } } }""",
    "ShippingParts": """on ShippingLine {
      id title discountedPriceSet { ...Amount } currentDiscountedPriceSet { ...Amount } taxLines { ...Taxes } }""",
    "RefundLineParts": """on RefundLineItem {
      quantity lineItem { id } subtotalSet { ...Amount } totalTaxSet { ...Amount } }""",
    "RefundParts": "on Refund { id note totalRefundedSet { ...Amount } }",
    "PaymentParts": "on OrderTransaction { id kind status gateway amountSet { ...Amount } }",
    "OrderParts": """on Order {
      id name test edited createdAt processedAt updatedAt cancelledAt email note taxesIncluded dutiesIncluded
      currencyCode presentmentCurrencyCode displayFinancialStatus fullyPaid paymentGatewayNames
      customer { id }
      billingAddress { ...Place }
      shippingAddress { ...Place }
      totalPriceSet { ...Both }
      currentTotalPriceSet { ...Amount }
      totalTaxSet { ...Amount }
      currentTotalTaxSet { ...Amount }
      totalDiscountsSet { ...Amount }
      currentTotalDiscountsSet { ...Amount }
      originalTotalDutiesSet { ...Amount }
      currentTotalDutiesSet { ...Amount }
      totalTipReceivedSet { ...Amount }
      totalCashRoundingAdjustment { paymentSet { ...Amount } }
      additionalFees { id name price { ...Amount } taxLines { ...Taxes } }
      lineItems(first: 7) { pageInfo { hasNextPage endCursor } nodes { ...LineParts } }
      shippingLines(first: 2) { pageInfo { hasNextPage endCursor } nodes { ...ShippingParts } }
      refunds(first: 4) { ...RefundParts }
      transactions(first: 4) { ...PaymentParts } }""",
    "ProductVariantParts": """on ProductVariant {
      id sku title barcode price compareAtPrice updatedAt inventoryQuantity
      inventoryItem { id tracked updatedAt measurement { weight { value unit } } }
      product { id title descriptionHtml status hasOnlyDefaultVariant updatedAt } }""",
    "CustomerParts": """on Customer {
      id firstName lastName createdAt updatedAt
      defaultEmailAddress { emailAddress }
      defaultPhoneNumber { phoneNumber }
      defaultAddress { id ...Place } }""",
}
# The lists inside an order: those that go on by a cursor, and the plain ones that are simply cut off.
NESTED = {"lineItems": "LineParts", "shippingLines": "ShippingParts"}
CUT_OFF = {"refunds": ("RefundParts", 4), "transactions": ("PaymentParts", 4)}


def _document(text: str) -> str:
    """With the fragments it spreads; one that nobody spreads is refused by the shop."""
    wanted: list[str] = []
    found = re.findall(r"\.\.\.(\w+)", text)
    while found:
        name = found.pop()
        if name not in wanted and name != "on":
            wanted.append(name)
            found += re.findall(r"\.\.\.(\w+)", FRAGMENTS[name])
    return "\n".join([text, *(f"fragment {name} {FRAGMENTS[name]}" for name in wanted)])


def _list_of(kind: str, name: str, sort_key: str) -> str:
    return _document(f"""query {TYPES[kind]}{name}($q: String, $first: Int!, $after: String) {{
      {ROOTS[kind]}(first: $first, after: $after, query: $q, sortKey: {sort_key}) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ ...{TYPES[kind]}Parts }} }} }}""")


def _newest_of(kind: str, sort_key: str) -> str:
    return _document(f"""query {TYPES[kind]}Newest($q: String, $first: Int!, $after: String) {{
      {ROOTS[kind]}(first: $first, after: $after, query: $q, sortKey: {sort_key}, reverse: true) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ ...{TYPES[kind]}Parts }} }}
      {ROOTS[kind]}Count(query: $q, limit: null) {{ count }} }}""")


LISTS = {ORDER: _list_of(ORDER, "List", "UPDATED_AT"), CUSTOMER: _list_of(CUSTOMER, "List", "UPDATED_AT")}
LISTS_BY_ID = {kind: _list_of(kind, "ById", "ID") for kind in (ITEM, CUSTOMER)}
NEWEST = {
    ORDER: _newest_of(ORDER, "PROCESSED_AT"),
    ITEM: _newest_of(ITEM, "ID"),
    CUSTOMER: _newest_of(CUSTOMER, "CREATED_AT"),
}
PICKED = {
    kind: _document(f"query {name}Picked($ids: [ID!]!) {{ nodes(ids: $ids) {{ ...{name}Parts }} }}")
    for kind, name in TYPES.items()
}
MORE = {
    field: _document(f"""query More_{field}($id: ID!, $first: Int!, $after: String) {{
      order(id: $id) {{ {field}(first: $first, after: $after) {{
        pageInfo {{ hasNextPage endCursor }} nodes {{ ...{fragment} }} }} }} }}""")
    for field, fragment in NESTED.items()
}
ALL_OF = {
    field: _document(
        f"query All_{field}($id: ID!, $first: Int!) {{ order(id: $id) {{ {field}(first: $first) "
        f"{{ ...{fragment} }} }} }}"
    )
    for field, (fragment, _) in CUT_OFF.items()
}
REFUND_LINES = _document("""query RefundLines($id: ID!, $first: Int!, $after: String) {
  refund(id: $id) { refundLineItems(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { ...RefundLineParts } } } }""")
CHANGED_PRODUCTS = """query ChangedProducts($q: String, $first: Int!, $after: String) {
  products(first: $first, after: $after, query: $q, sortKey: UPDATED_AT) {
    pageInfo { hasNextPage endCursor }
    nodes { id variants(first: 100) { pageInfo { hasNextPage } nodes { id } } } } }"""
CHANGED_STOCK_ITEMS = """query ChangedInventoryItems($q: String, $first: Int!, $after: String) {
  inventoryItems(first: $first, after: $after, query: $q) {
    pageInfo { hasNextPage endCursor } nodes { id variants(first: 1) { nodes { id } } } } }"""
SHOP = """query Shop {
  shop { name myshopifyDomain currencyCode ianaTimezone }
  currentAppInstallation { accessScopes { handle } } }"""
LOCATIONS = "query Locations { locations(first: 250) { nodes { id name } } }"
STOCK = """query Stock($ids: [ID!]!, $location: ID!) { nodes(ids: $ids) { ... on ProductVariant {
  id inventoryItem { id tracked inventoryLevel(locationId: $location) {
    quantities(names: ["available"]) { name quantity } } } } } }"""
SET_STOCK = """mutation SetStock($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id } userErrors { code field message } } }"""
SET_VARIANT = """mutation SetVariant($product: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $product, variants: $variants) { userErrors { field message } } }"""
SET_PRODUCT = """mutation SetProduct($product: ProductUpdateInput!) {
  productUpdate(product: $product) { userErrors { field message } } }"""
NEW_PRODUCT = """mutation NewProduct($input: ProductSetInput!) { productSet(input: $input, synchronous: true) {
  product { variants(first: 1) { nodes { id } } } userErrors { field message } } }"""
SET_CUSTOMER = """mutation SetCustomer($input: CustomerInput!) {
  customerUpdate(input: $input) { userErrors { field message } } }"""
NEW_CUSTOMER = """mutation NewCustomer($input: CustomerInput!) {
  customerCreate(input: $input) { customer { id } userErrors { field message } } }"""
SET_ADDRESS = """mutation SetAddress($customer: ID!, $id: ID!, $address: MailingAddressInput!) {
  customerAddressUpdate(customerId: $customer, addressId: $id, address: $address) { userErrors { field message } } }"""
NEW_ADDRESS = """mutation NewAddress($customer: ID!, $address: MailingAddressInput!) {
  customerAddressCreate(customerId: $customer, address: $address, setAsDefault: true) {
    userErrors { field message } } }"""
HOOKS = """query Webhooks($after: String) { webhookSubscriptions(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor } nodes { id topic uri } } }"""
NEW_HOOK = """mutation NewWebhook($topic: WebhookSubscriptionTopic!, $uri: String!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    userErrors { field message } } }"""
DROP_HOOK = """mutation DropWebhook($id: ID!) { webhookSubscriptionDelete(id: $id) { userErrors { field message } } }"""
OPERATIONS = (
    *LISTS.values(), *LISTS_BY_ID.values(), *NEWEST.values(), *PICKED.values(), *MORE.values(), *ALL_OF.values(),
    REFUND_LINES,
    CHANGED_PRODUCTS, CHANGED_STOCK_ITEMS, SHOP, LOCATIONS, STOCK, SET_STOCK, SET_VARIANT, SET_PRODUCT, NEW_PRODUCT,
    SET_CUSTOMER, NEW_CUSTOMER, SET_ADDRESS, NEW_ADDRESS, HOOKS, NEW_HOOK, DROP_HOOK,
)  # fmt: skip


class Shopify:
    label: ClassVar[str] = LABEL
    url_help: ClassVar[str] = "The shop's own address at Shopify, such as https://example.myshopify.com."
    capabilities: ClassVar[Capabilities] = Capabilities(
        orders="Found by the time they were last modified; an order is here within one poll of being placed or edited. "
        "Test orders are left out unless their status is chosen.",
        items="Each variant is an item. Found by when it, its product or its stock item was modified, within one poll.",
        customers="Found by the time they were last modified, within one poll; deleted ones when all are compared.",
        cannot=(
            "Orders deleted in the shop are not reported by it.",
            "Orders older than 60 days are only shown to an app with the scope read_all_orders.",
            "Name, description and Active of a variant belong to its product; they are set in the shop's admin.",
            "A customer has one address here: the shop's default address. Others of the shop are left as they are.",
            "A product created from here is not shown in any sales channel until staff publish it in the shop's admin.",
        ),
        order_statuses={
            "paid": "Paid",
            "partially_refunded": "Partially refunded",
            "pending": "Payment pending",
            "authorized": "Authorized",
            "partially_paid": "Partially paid",
            "refunded": "Refunded",
            "voided": "Voided",
            "expired": "Expired",
            CANCELLED_STATUS: "Cancelled",
            TEST_STATUS: "Test order",
        },
        paid_statuses=("paid", "partially_refunded"),
        # Lists are answered by the shop's search index, whose lag is not documented.
        overlap_seconds=300,
        tells_changes=frozenset({ORDER, ITEM, CUSTOMER}),
        item_fields=PRICE_FIELDS | PRODUCT_FIELDS,
        variation_fields=PRICE_FIELDS,
        customer_fields=frozenset({"name", "company", "email", "phone", "billing"}),
        items_a_request=1,
        customers_a_request=1,
        has_locations=True,
        api_version=API_VERSION,
        api_retires=API_RETIRES,
        webhook_topics=tuple(TOPIC_KINDS),
    )
    credential_fields: ClassVar[tuple[CredentialField, ...]] = (
        CredentialField(
            "access_token",
            "Admin API access token",
            "Starts with shpat_. Leave it empty where the app has a client id and secret.",
            is_required=False,
        ),
        CredentialField(
            "client_id",
            "Client id",
            "Of the app in the Dev Dashboard, which must belong to the same organisation as the shop.",
            is_secret=False,
            is_required=False,
        ),
        CredentialField(
            "client_secret",
            "Client secret",
            "Of the same app. Beside an access token it only proves that webhooks are the shop's.",
            is_required=False,
        ),
    )

    def __init__(self, connection: Connection) -> None:
        self._url = connection.url.rstrip("/")
        self._location = connection.location
        self._budget = connection.budget
        self._session = ShopSession(
            ca_bundle=connection.ca_bundle, timeout_seconds=connection.timeout_seconds, speech=SPEECH
        )
        self._secret = connection.credentials.get("client_secret", "")
        self._tokens = _Tokens(self._session, self._url, connection.credentials)
        # What the shop said that each operation may cost, and how many rows it gives at once without refusing.
        self._estimates: dict[str, float] = {}
        self._page_sizes = dict(PAGE_SIZES)
        self._served_version = API_VERSION
        # A variant keeps its stock item for life.
        self._stock_items: dict[str, str] = {}

    def close(self) -> None:
        self._session.close()

    # Requests -------------------------------------------------------------------------------------

    def _ask(self, document: str, **variables: Any) -> dict[str, Any]:
        """The `data` of an answer without errors. Sent once, but for a token that the shop did not take."""
        body = exact_encoder.encode({"query": document, "variables": variables})
        name = document.split("(", 1)[0].split()[1]
        first = FIRST_ESTIMATE_OF_ORDERS if name.startswith("Order") else FIRST_ESTIMATE
        estimate = self._estimates.get(name, first)
        self._budget.spend(estimate)
        try:
            answer = self._send(body)
        except RateLimited as error:
            self._budget.refused(error.wait_seconds)
            raise
        data = _decode(answer.content)
        if not isinstance(data, dict):
            raise broken_answer(LABEL, ValueError("no object"))
        cost = (data.get("extensions") or {}).get("cost") or {}
        self._learn(name, estimate, cost)
        if data.get("errors"):
            refusal = _error_of(data["errors"], cost)
            if isinstance(refusal, RateLimited):
                self._budget.refused(refusal.wait_seconds)
            raise refusal
        if not isinstance(data.get("data"), dict):
            raise broken_answer(LABEL, ValueError("no data"))
        return data["data"]

    def _send(self, body: bytes) -> Answer:
        """A token the shop refuses did no work, so asking again with a new one doubles nothing."""
        token = self._tokens.current()
        try:
            return self._post(body, token)
        except AuthError:
            if not self._tokens.can_renew:
                raise
        self._tokens.forget(token)
        return self._post(body, self._tokens.current())

    def _post(self, body: bytes, token: str) -> Answer:
        url = f"{self._url}/admin/api/{API_VERSION}/graphql.json"
        headers = {"Content-Type": "application/json", "X-Shopify-Access-Token": token}
        answer = self._session.request("POST", url, auth=None, data=body, headers=headers)
        self._served_version = answer.headers.get("X-Shopify-API-Version", API_VERSION)
        return answer

    def _learn(self, name: str, estimate: float, cost: Mapping[str, Any]) -> None:
        throttle = cost.get("throttleStatus")
        if not throttle:
            return
        requested = float(cost.get("requestedQueryCost") or estimate)
        # What is refused as too dear is never spent.
        self._estimates[name] = min(requested, MOST_FOR_ONE_QUESTION)
        allowance = Allowance(
            limit=float(throttle["maximumAvailable"]),
            left=float(throttle["currentlyAvailable"]),
            restore_per_second=float(throttle["restoreRate"]),
        )
        self._budget.learn(allowance, spent=estimate, cost=float(cost.get("actualQueryCost") or 0))

    def _connection(
        self, kind: str, document: str, position: str, query: str | None, most: int = NESTED_SIZE
    ) -> dict[str, Any]:
        """One page of a list; half as many rows from now on, where the shop finds it too dear."""
        while True:
            size = min(self._page_sizes[kind], most)
            try:
                return self._ask(document, q=query, first=size, after=position or None)
            except TooDear:
                if size == 1:
                    raise
                self._page_sizes[kind] = size // 2

    # Reading --------------------------------------------------------------------------------------

    def check(self) -> ShopInfo:
        try:
            data = self._ask(SHOP)
        except NotFound as error:
            raise ConfigError(
                f"There is no shop with API version {API_VERSION} at this address. Check the Cart Connect URL: it is "
                "the shop's own address at Shopify, https://….myshopify.com. Then click Test Connection.",
                detail=error.detail,
            ) from None
        shop = data["shop"]
        granted = {scope["handle"] for scope in data["currentAppInstallation"]["accessScopes"]}
        # Shopify grants reading with writing.
        granted |= {scope.replace("write_", "read_") for scope in granted if scope.startswith("write_")}
        missing = [scope for scope in NEEDED_SCOPES if scope not in granted]
        sentences = [f"The scope {scope} is missing: {NEEDED_SCOPES[scope]}." for scope in missing]
        if NEEDED_FOR_ORDERS & set(missing):
            raise AuthError(
                f"{' '.join(sentences)} Grant them to the app in the shop and click Test Connection.",
                detail=f"granted: {', '.join(sorted(granted))}",
            )
        if self._served_version != API_VERSION:
            sentences.append(
                f"The shop answers with API version {self._served_version}: it does not serve {API_VERSION} any more. "
                "Update CartSync before something is misread."
            )
        locations = self._locations() if granted & {"read_locations", "read_inventory"} else ()
        can_write = not any(scope.startswith("write_") for scope in missing)
        return ShopInfo(
            name=str(shop["name"]),
            currency=str(shop["currencyCode"]),
            timezone=str(shop["ianaTimezone"]),
            version=self._served_version,
            can_write=can_write,
            permissions="Read and write" if can_write else f"Missing: {', '.join(missing)}",
            address=f"https://{shop['myshopifyDomain']}",
            locations=locations,
            warnings=tuple(sentences),
        )

    def _locations(self) -> tuple[Location, ...]:
        nodes = self._ask(LOCATIONS)["locations"]["nodes"]
        return tuple(Location(_number(node["id"]), str(node["name"])) for node in nodes)

    def fetch(self, kind: str, window: Window) -> Generator[Page]:
        return self._changed_items(window) if kind == ITEM else self._changed(kind, window)

    def _changed(self, kind: str, window: Window) -> Generator[Page]:
        since = window.since
        # A customer's time may match by whole days, of a zone that is not said: a day more is asked for, and left out.
        asked = since - timedelta(days=1) if since and kind == CUSTOMER else since
        pages = followed_pages(partial(self._list_page, LISTS[kind], kind, _modified_since(asked)), window)
        for page in pages:
            rows = [self._whole(row, window.before_request) for row in page.rows] if kind == ORDER else page.rows
            fresh = tuple(row for row in rows if not since or not row.modified_at or row.modified_at >= since)
            yield Page(fresh, page.total, page.is_last, page.next_position)

    def _list_page(self, document: str, kind: str, query: str | None, position: str) -> Page:
        data = self._connection(kind, document, position, query)
        return _page(kind, data[ROOTS[kind]])

    def _changed_items(self, window: Window) -> Generator[Page]:
        """No list of variants can be sorted by time, so each is read by id to its end: variants that changed, then
        those whose product or stock item did."""
        query = " ".join(filter(None, (_modified_since(window.since), EVERY_PRODUCT)))
        seen: set[str] = set()
        is_all = window.since is None
        for page in followed_pages(partial(self._list_page, LISTS_BY_ID[ITEM], ITEM, query), window):
            seen |= {row.external_id for row in page.rows}
            yield Page(page.rows, None, page.is_last and is_all)
        if is_all:
            return
        yield from self._items_of_changed_products(window, seen)
        yield from self._items_of_changed_stock(window, seen)

    def _items_of_changed_products(self, window: Window, seen: set[str]) -> Generator[Page]:
        query = f"{_modified_since(window.since)} {STATUSES}"
        for products in self._nodes(CHANGED_PRODUCTS, "products", query, window):
            yield from self._unseen(products, window, seen)
            for product in products:
                if product["variants"]["pageInfo"]["hasNextPage"]:
                    window.before_request()
                    rows = self._variants_of(_number(product["id"]), window)
                    yield Page(tuple(row for row in rows if row.external_id not in seen), None, False)
                    seen |= {row.external_id for row in rows}

    def _items_of_changed_stock(self, window: Window, seen: set[str]) -> Generator[Page]:
        query = _modified_since(window.since)
        for stock_items in self._nodes(CHANGED_STOCK_ITEMS, "inventoryItems", query, window):
            yield from self._unseen(stock_items, window, seen)
        yield Page((), None, True)

    def _unseen(self, owners: Sequence[Mapping[str, Any]], window: Window, seen: set[str]) -> Generator[Page]:
        """The variants that these products or stock items name, less those that were read already."""
        named = {_number(variant["id"]) for owner in owners for variant in (owner["variants"] or {}).get("nodes", ())}
        wanted = sorted(named - seen, key=int)
        seen |= named
        for start in range(0, len(wanted), PAGE_SIZES[ITEM]):
            window.before_request()
            yield Page(tuple(self._picked(ITEM, wanted[start : start + PAGE_SIZES[ITEM]])), None, False)

    def _nodes(self, document: str, root: str, query: str | None, window: Window) -> Generator[list[dict[str, Any]]]:
        position = ""
        while True:
            window.before_request()
            connection = self._connection(ITEM, document, position, query)[root]
            yield connection["nodes"]
            position = connection["pageInfo"]["endCursor"] or ""
            if not connection["pageInfo"]["hasNextPage"]:
                return

    def _whole(self, row: RawRecord, before_request: Callable[[], None]) -> RawRecord:
        """An order with all its lists: what was cut off of them is asked for, and their cursors, which are none of the
        order's, are left out."""
        node = _decode(row.body)
        node_id = node["id"]
        for field in NESTED:
            nodes, info = node[field]["nodes"], node[field]["pageInfo"]
            while info["hasNextPage"]:
                before_request()
                order = self._ask(MORE[field], id=node_id, first=NESTED_SIZE, after=info["endCursor"])["order"]
                if order is None:
                    raise Unavailable("An order was deleted while it was read. The next try follows by itself.")
                nodes, info = nodes + order[field]["nodes"], order[field]["pageInfo"]
            node[field] = nodes
        for field, (_, first) in CUT_OFF.items():
            if len(node[field]) == first:
                before_request()
                order = self._ask(ALL_OF[field], id=node_id, first=NESTED_SIZE)["order"]
                node[field] = (order or node)[field]
        if node["edited"]:
            # Which of the units that are gone came back, and which were edited away: only the refunds tell.
            for refund in _refunded(node):
                refund["refundLineItems"] = self._refund_lines(refund["id"], before_request)
        return _raw_record(ORDER, node)

    def _refund_lines(self, refund_id: str, before_request: Callable[[], None]) -> list[dict[str, Any]]:
        lines: list[dict[str, Any]] = []
        position: str | None = None
        while True:
            before_request()
            refund = self._ask(REFUND_LINES, id=refund_id, first=NESTED_SIZE, after=position)["refund"]
            if refund is None:
                return lines
            lines += refund["refundLineItems"]["nodes"]
            position = refund["refundLineItems"]["pageInfo"]["endCursor"]
            if not refund["refundLineItems"]["pageInfo"]["hasNextPage"]:
                return lines

    def fetch_many(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        ids = [external_id for external_id in external_ids if external_id.isdecimal()]
        size = PAGE_SIZES[kind]
        rows = [row for start in range(0, len(ids), size) for row in self._picked(kind, ids[start : start + size])]
        return [self._whole(row, lambda: None) for row in rows] if kind == ORDER else rows

    def _picked(self, kind: str, external_ids: Sequence[str]) -> list[RawRecord]:
        nodes = self._ask(PICKED[kind], ids=[_gid(TYPES[kind], each) for each in external_ids])["nodes"]
        return [_raw_record(kind, node) for node in nodes if node]

    def fetch_variations(self, parent_id: str) -> list[RawRecord]:
        """Variants are rows of their own here, so nobody has to ask; who does gets them."""
        return self._variants_of(parent_id, Window()) if parent_id.isdecimal() else []

    def _variants_of(self, product_id: str, window: Window) -> list[RawRecord]:
        ask = partial(self._list_page, LISTS_BY_ID[ITEM], ITEM, f"product_id:{product_id} {EVERY_PRODUCT}")
        return [row for page in followed_pages(ask, window) for row in page.rows]

    def listing(self, kind: str, listing: Listing) -> Page:
        terms = [_quoted(listing.search)] if listing.search else []
        if kind == ORDER:
            terms += _order_terms(listing)
        if kind == ITEM:
            terms.append(EVERY_PRODUCT)
        data = self._connection(kind, NEWEST[kind], listing.position, " ".join(terms) or None, listing.per_page)
        page = _page(kind, data[ROOTS[kind]])
        total = (data[f"{ROOTS[kind]}Count"] or {}).get("count")
        rows = tuple(self._whole(row, lambda: None) for row in page.rows) if kind == ORDER else page.rows
        return Page(rows, total, page.is_last, page.next_position)

    def admin_url(self, kind: str, external_id: str) -> str:
        if kind == ITEM:
            # A variant's page is known by its product, which the list finds.
            return f"{self._url}/admin/products?query=variant_id%3A{external_id}"
        return f"{self._url}/admin/{ROOTS[kind]}/{external_id}"

    # Stock ----------------------------------------------------------------------------------------

    def read_stock(self, refs: Sequence[ItemRef]) -> dict[ItemRef, Decimal | None]:
        found: dict[ItemRef, Decimal | None] = {}
        for batch in self.stock_batches(refs):
            by_id = {ref.external_id: ref for ref in batch}
            for node in self._stock_nodes(list(by_id)):
                item, level = node["inventoryItem"], node["inventoryItem"]["inventoryLevel"]
                kept = item["tracked"] and level
                found[by_id[_number(node["id"])]] = Decimal(level["quantities"][0]["quantity"]) if kept else None
        return found

    def _stock_nodes(self, external_ids: Sequence[str]) -> list[dict[str, Any]]:
        if not self._location:
            raise ConfigError(NO_LOCATION)
        ids = [_gid("ProductVariant", each) for each in external_ids if each.isdecimal()]
        if not ids:
            return []
        nodes = self._ask(STOCK, ids=ids, location=_gid("Location", self._location))["nodes"]
        there = [node for node in nodes if node]
        self._stock_items |= {_number(node["id"]): node["inventoryItem"]["id"] for node in there}
        return there

    def stock_batches(self, refs: Sequence[ItemRef]) -> list[list[ItemRef]]:
        return [list(refs[start : start + BATCH_SIZE]) for start in range(0, len(refs), BATCH_SIZE)]

    def push_stock(self, levels: Sequence[StockLevel]) -> list[RowResult]:
        unknown = [level.external_id for level in levels if level.external_id not in self._stock_items]
        if unknown or not self._location:
            self._stock_nodes(unknown)
        known = [level for level in levels if level.external_id in self._stock_items]
        errors = self._set_stock(known) if known else {}
        gone = NotFound("The cart does not have this item any more.")
        return [
            RowResult(level.external_id, errors.get(level.external_id))
            if level.external_id in self._stock_items
            else RowResult(level.external_id, gone)
            for level in levels
        ]

    def _set_stock(self, levels: Sequence[StockLevel]) -> dict[str, CartError]:
        """Errors by variant. Whether a bad row keeps the others out is not documented, so the answer has to tell:
        without an adjustment group nothing was done, and the others are sent without the bad ones, once."""
        errors, is_done = self._try_stock(levels)
        left = [level for level in levels if level.external_id not in errors]
        if is_done or not left:
            return errors
        more, is_done = self._try_stock(left)
        if not is_done:
            more = {level.external_id: more.get(level.external_id, Stale(WITH_OTHERS)) for level in left}
        return errors | more

    def _try_stock(self, levels: Sequence[StockLevel]) -> tuple[dict[str, CartError], bool]:
        """One request with a key of its own, so that none is ever done twice: errors by variant, and whether the rows
        without one are done."""
        location = _gid("Location", self._location)
        quantities = [
            {
                "inventoryItemId": self._stock_items[level.external_id],
                "locationId": location,
                "quantity": int(level.quantity),
                # Has to be there: null sets it whatever the shop shows.
                "changeFromQuantity": None if level.known is None else int(level.known),
            }
            for level in levels
        ]
        given = {"name": "available", "reason": "correction", "quantities": quantities}
        answer = self._ask(SET_STOCK, input=given, key=str(uuid.uuid4()))["inventorySetQuantities"]
        errors = _stock_errors(answer["userErrors"], levels)
        return errors, not errors or bool(answer["inventoryAdjustmentGroup"])

    # Items and customers --------------------------------------------------------------------------

    def page_by_id(self, kind: str, position: str) -> Page:
        try:
            return self._list_page(LISTS_BY_ID[kind], kind, EVERY_PRODUCT if kind == ITEM else None, position)
        except Rejected:
            if not position:
                raise
            # A cursor that the shop does not know any more.
            return self.page_by_id(kind, "")

    def read_records(self, kind: str, refs: Sequence[ItemRef]) -> dict[ItemRef, RawRecord]:
        by_id = {ref.external_id: ref for ref in refs}
        return {by_id[row.external_id]: row for row in self.fetch_many(kind, list(by_id))}

    def find(self, kind: str, key: str) -> list[RawRecord]:
        """The shop's search is wider than the question, so what it found is looked at."""
        wanted = key.strip().lower()
        term = f"email:{_quoted(key.strip())}" if kind == CUSTOMER else f"sku:{_quoted(key.strip())} {EVERY_PRODUCT}"
        found: list[RawRecord] = []
        for page in followed_pages(partial(self._list_page, LISTS_BY_ID[kind], kind, term), Window()):
            found += page.rows
        if kind == CUSTOMER:
            return [row for row in found if self.parse_customer(row.body).email.strip().lower() == wanted]
        return [row for row in found if self.parse_item(row.body).sku.strip().lower() == wanted]

    def push_records(self, kind: str, changes: Sequence[RecordChange]) -> list[RowResult]:
        shown = self.read_records(kind, [change.ref for change in changes])
        push = self._push_customer if kind == CUSTOMER else self._push_item
        results = []
        for change in changes:
            row = shown.get(change.ref)
            error: CartError | None = NotFound("The cart does not have this record any more.")
            if row is not None:
                try:
                    push(_decode(row.body), change.values)
                    error = None
                except (Rejected, NotFound) as refused:
                    error = refused
            results.append(RowResult(change.ref.external_id, error))
        return results

    def _push_item(self, node: dict[str, Any], values: Mapping[str, str]) -> None:
        product = node["product"]
        of_product, of_variant = _product_input(values), _variant_input(values, node)
        if of_product and not product["hasOnlyDefaultVariant"]:
            raise Rejected(
                "Name, description and Active belong to the variant's product; set them in the shop's admin."
            )
        if of_product:
            answer = self._ask(SET_PRODUCT, product={"id": product["id"], **of_product})["productUpdate"]
            _refuse(answer["userErrors"])
        if of_variant:
            variants = [{"id": node["id"], **of_variant}]
            answer = self._ask(SET_VARIANT, product=product["id"], variants=variants)["productVariantsBulkUpdate"]
            _refuse(answer["userErrors"])

    def _push_customer(self, node: dict[str, Any], values: Mapping[str, str]) -> None:
        given = _customer_input(values)
        if given:
            _refuse(self._ask(SET_CUSTOMER, input={"id": node["id"], **given})["customerUpdate"]["userErrors"])
        self._set_address(node, values)

    def _set_address(self, node: Mapping[str, Any], values: Mapping[str, str]) -> None:
        address = _address_input(values)
        if not address:
            return
        default = node.get("defaultAddress")
        if default:
            answer = self._ask(SET_ADDRESS, customer=node["id"], id=default["id"], address=address)
            _refuse(answer["customerAddressUpdate"]["userErrors"])
        else:
            answer = self._ask(NEW_ADDRESS, customer=node["id"], address=address)
            _refuse(answer["customerAddressCreate"]["userErrors"])

    def create_record(self, kind: str, key: str, values: Mapping[str, str]) -> RawRecord:
        if kind == CUSTOMER:
            given = {**_customer_input(values), "email": key}
            answer = self._ask(NEW_CUSTOMER, input=given)["customerCreate"]
            _refuse(answer["userErrors"])
            made = answer["customer"]
            self._set_address(made, values)
        else:
            answer = self._ask(NEW_PRODUCT, input=_new_product(key, values))["productSet"]
            _refuse(answer["userErrors"])
            made = answer["product"]["variants"]["nodes"][0]
        rows = self._picked(kind, [_number(made["id"])])
        if not rows:
            raise Unavailable("The cart made the record but does not show it yet. The next try finds it.")
        return rows[0]

    # Webhooks -------------------------------------------------------------------------------------

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[WebhookHint, ...]:
        signature = base64.b64encode(hmac.new(self._secret.encode(), body, hashlib.sha256).digest())
        if not self._secret or not hmac.compare_digest(signature, headers.get("x-shopify-hmac-sha256", "").encode()):
            raise Rejected("The webhook is not signed with this cart's client secret.")
        topic = headers.get("x-shopify-topic", "").upper().replace("/", "_")
        kind = TOPIC_KINDS.get(topic)
        if kind is None:
            return ()
        data = _decode(body)
        if kind == ITEM:
            ids = [variant.get("id") for variant in data.get("variants") or ()]
        else:
            ids = [data.get("order_id") if topic == "REFUNDS_CREATE" else data.get("id")]
        delivery = headers.get("x-shopify-webhook-id", "")
        return tuple(WebhookHint(delivery, kind, str(each)) for each in ids if each)

    def keep_webhooks(self, address: str) -> tuple[str, ...]:
        if not self._secret:
            raise ConfigError(
                "Without the app's client secret nothing shows that a webhook is the shop's, so none was subscribed. "
                "Enter it under Edit to be told of changes at once."
            )
        there = self._webhooks()
        wanted = set(TOPIC_KINDS)
        for hook in there:
            if hook["uri"] == address and hook["topic"] in wanted:
                wanted.remove(hook["topic"])
            elif hook["topic"] in TOPIC_KINDS:
                self._drop_webhook(hook["id"])
        anew = tuple(topic for topic in TOPIC_KINDS if topic in wanted)
        for topic in anew:
            answer = self._ask(NEW_HOOK, topic=topic, uri=address)["webhookSubscriptionCreate"]
            _refuse(answer["userErrors"])
        return anew

    def drop_webhooks(self, address: str) -> None:
        for hook in self._webhooks():
            if hook["uri"] == address:
                self._drop_webhook(hook["id"])

    def _webhooks(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        position: str | None = None
        while True:
            connection = self._ask(HOOKS, after=position)["webhookSubscriptions"]
            found += connection["nodes"]
            position = connection["pageInfo"]["endCursor"]
            if not connection["pageInfo"]["hasNextPage"]:
                return found

    def _drop_webhook(self, hook_id: str) -> None:
        _refuse(self._ask(DROP_HOOK, id=hook_id)["webhookSubscriptionDelete"]["userErrors"])

    # Mapping: pure functions of the shop's text -------------------------------------------------------

    def parse_order(self, body: bytes | str) -> CartOrder:
        with reading("order", LABEL):
            return _order(exact_decoder.decode(body))

    def parse_item(self, body: bytes | str) -> CartItem:
        with reading("item", LABEL):
            return _item(exact_decoder.decode(body))

    def parse_customer(self, body: bytes | str) -> CartCustomer:
        with reading("customer", LABEL):
            return _customer(exact_decoder.decode(body))

    def clean(self, body: bytes) -> str:
        """Nothing secret is asked for: neither network addresses nor the links that open an order."""
        return body.decode()


class TooDear(Rejected):
    """The query may cost more than the shop allows for one."""


class _Tokens:
    """The token of the requests: the one that was entered, or one of the client-credentials grant, renewed in time."""

    def __init__(self, session: ShopSession, url: str, credentials: Mapping[str, str]) -> None:
        self._session, self._url = session, url
        self._fixed = credentials.get("access_token", "")
        self._client_id = credentials.get("client_id", "")
        self._client_secret = credentials.get("client_secret", "")
        self._lock = threading.Lock()
        self._token, self._renew_at = "", 0.0

    @property
    def can_renew(self) -> bool:
        return not self._fixed

    def current(self) -> str:
        if self._fixed:
            return self._fixed
        with self._lock:
            if not self._token or time.time() >= self._renew_at:
                self._token, life_seconds = self._grant()
                self._renew_at = time.time() + life_seconds * RENEWED_AFTER
            return self._token

    def forget(self, token: str) -> None:
        """Unless another thread has a newer one already."""
        with self._lock:
            if self._token == token:
                self._token = ""

    def _grant(self) -> tuple[str, float]:
        if not self._client_id or not self._client_secret:
            raise ConfigError(NO_KEY)
        given = {"grant_type": "client_credentials", "client_id": self._client_id, "client_secret": self._client_secret}
        url, headers = f"{self._url}/admin/oauth/access_token", {"Content-Type": "application/x-www-form-urlencoded"}
        try:
            answer = self._session.request("POST", url, auth=None, data=urlencode(given).encode(), headers=headers)
        except (Rejected, AuthError, NotFound) as error:
            raise AuthError(
                "The shop gave no token for this client id and client secret. Check under Edit that both are whole, "
                "and that the app is installed in this shop and of the same organisation; then click Test Connection.",
                detail=error.detail,
            ) from None
        data = _decode(answer.content)
        if not isinstance(data, dict) or not data.get("access_token"):
            raise broken_answer(LABEL, ValueError("no access_token"))
        return str(data["access_token"]), float(data.get("expires_in") or 0)


# Answers ----------------------------------------------------------------------------------------------

# Drafts and archived products too: an unfiltered list may leave them out.
STATUSES = "status:active,draft,archived,unlisted"
EVERY_PRODUCT = f"product_{STATUSES}"


def _message(answer: Answer) -> str:
    """`errors` is a text, an object or a list, by what refused."""
    try:
        errors = msgspec.json.decode(answer.content).get("errors")
    except (msgspec.DecodeError, AttributeError):
        return message_of(answer)
    return _said(errors) if errors else message_of(answer)


def _said(errors: Any) -> str:
    if isinstance(errors, list):
        return "; ".join(str(each.get("message") if isinstance(each, dict) else each) for each in errors)[:300]
    return str(errors)[:300]


SPEECH = Speech(
    accept="application/json",
    is_body=lambda answer: "json" in answer.headers.get("Content-Type", "") and answer.content[:1] == b"{",
    message=_message,
    wait_seconds=lambda answer: retry_after_seconds(answer.headers.get("Retry-After", "")),
)


def _error_of(errors: Any, cost: Mapping[str, Any]) -> CartError:
    """What the errors of an answer with status 200 mean."""
    said = _said(errors)
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    code = (first.get("extensions") or {}).get("code", "")
    detail = f"{code}: {said}"
    if code == "THROTTLED":
        return RateLimited(
            "The shop asked us to slow down. Nothing is lost; we go on when its points are back.",
            wait_seconds=_wait_seconds(cost),
            detail=detail,
        )
    if code == "MAX_COST_EXCEEDED":
        return TooDear("The shop finds the question too dear.", detail=detail)
    if code == "ACCESS_DENIED":
        return AuthError(
            f"The app may not do this in the shop (it says: {said}) Grant it the scope in the shop, then click Test "
            "Connection, which names what is missing.",
            detail=detail,
        )
    if code in ("INTERNAL_SERVER_ERROR", "TIMEOUT", "SERVICE_UNAVAILABLE"):
        return Unavailable("The shop answered with an error of its own. The next try follows by itself.", detail=detail)
    return Rejected(f"The shop refused the request: {said}", detail=detail)


def _wait_seconds(cost: Mapping[str, Any]) -> float | None:
    """Until the points are there that the request may cost."""
    throttle = cost.get("throttleStatus")
    if not throttle or not throttle.get("restoreRate"):
        return None
    short = float(cost.get("requestedQueryCost") or 0) - float(throttle["currentlyAvailable"])
    return max(0.0, short / float(throttle["restoreRate"]))


def _refuse(errors: Sequence[Mapping[str, Any]]) -> None:
    """Every change is answered with 200; only the errors in it tell."""
    if errors:
        said = "; ".join(str(error.get("message") or "") for error in errors)[:300]
        fields = "; ".join(".".join(error.get("field") or ()) for error in errors)[:200]
        if "does not exist" in said.lower():
            raise NotFound("The cart does not have this record any more.", detail=said)
        raise Rejected(f"The cart refused the change: {said}", detail=fields)


def _stock_errors(found: Sequence[Mapping[str, Any]], levels: Sequence[StockLevel]) -> dict[str, CartError]:
    errors: dict[str, CartError] = {}
    for error in found:
        row = next((int(part) for part in error.get("field") or () if str(part).isdigit()), None)
        if row is None or row >= len(levels):
            _refuse_batch(error)
        else:
            errors[levels[row].external_id] = _stock_error(error)
    return errors


def _refuse_batch(error: Mapping[str, Any]) -> NoReturn:
    code, said = str(error.get("code") or ""), str(error.get("message") or "")[:200]
    if code.startswith("IDEMPOTENCY"):
        raise Unavailable("The cart is still busy with these quantities. The next try follows by itself.", detail=code)
    raise Rejected(f"The cart refused the quantities: {said}", detail=code)


def _stock_error(error: Mapping[str, Any]) -> CartError:
    code, said = str(error.get("code") or ""), str(error.get("message") or "")[:200]
    if code == "CHANGE_FROM_QUANTITY_STALE":
        return Stale(SHOWS_ANOTHER, detail=said)
    if code == "INVALID_INVENTORY_ITEM":
        return NotFound("The cart does not have this item any more.", detail=said)
    # The first is a code of 2026-07 that 2026-10 does not have any more.
    if code in ("ITEM_NOT_STOCKED_AT_LOCATION", "NON_MUTABLE_INVENTORY_ITEM") or "not stocked" in said:
        return Rejected(NOT_STOCKED, detail=f"{code}: {said}")
    return Rejected(f"The cart refused the quantity: {said}", detail=code)


def _decode(content: bytes) -> Any:
    try:
        return exact_decoder.decode(content)
    except msgspec.DecodeError as error:
        raise broken_answer(LABEL, error) from None


def _page(kind: str, connection: Mapping[str, Any]) -> Page:
    info = connection["pageInfo"]
    rows = tuple(_raw_record(kind, node) for node in connection["nodes"])
    return Page(rows, None, not info["hasNextPage"], (info["endCursor"] or "") if info["hasNextPage"] else "")


def _raw_record(kind: str, node: Mapping[str, Any]) -> RawRecord:
    """The node as it was asked for, whose keys stand in the order of the question."""
    body = exact_encoder.encode(node)
    times = [node["updatedAt"]]
    if kind == ITEM:
        times += [node["product"]["updatedAt"], node["inventoryItem"]["updatedAt"]]
    return RawRecord(_number(node["id"]), max(map(_utc, times)), digest_of(body), body)


def _gid(name: str, external_id: str) -> str:
    return f"gid://shopify/{name}/{external_id}"


def _number(gid: str) -> str:
    """An id without its kind: shorter on screen, and what webhooks and the admin's addresses hold."""
    return gid.rpartition("/")[2].partition("?")[0]


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


# Searches ---------------------------------------------------------------------------------------------


def _modified_since(since: datetime | None) -> str | None:
    """`>=` is inclusive; a time has to be quoted."""
    return f"updated_at:>='{_time(since)}'" if since else None


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _order_terms(listing: Listing) -> list[str]:
    terms = []
    if listing.placed_from:
        terms.append(f"processed_at:>='{_time(listing.placed_from)}'")
    if listing.placed_before:
        terms.append(f"processed_at:<'{_time(listing.placed_before)}'")
    statuses = [status for status in listing.status.split(",") if status in Shopify.capabilities.order_statuses]
    if statuses:
        special = {CANCELLED_STATUS: "status:cancelled", TEST_STATUS: "test:true"}
        terms.append(f"({' OR '.join(special.get(status, f'financial_status:{status}') for status in statuses)})")
    return terms


# From the shop ----------------------------------------------------------------------------------------


def _order(data: dict[str, Any]) -> CartOrder:
    """As it was sold, less what was edited away; what came back is a refund, as on other platforms."""
    rounding = _amount(data["totalCashRoundingAdjustment"]["paymentSet"])
    lines = _lines(data, rounding)
    customer, gateways = data.get("customer"), data.get("paymentGatewayNames") or ()
    returned, returned_tax = _returned(data)
    return CartOrder(
        external_id=_number(data["id"]),
        number=data["name"],
        parent_id="",
        status=_status(data),
        is_paid=data["displayFinancialStatus"] in ONCE_PAID or bool(data["fullyPaid"]),
        is_cancelled=bool(data["cancelledAt"]) or data["displayFinancialStatus"] in ("VOIDED", "REFUNDED", "EXPIRED"),
        placed_at=_utc(data["processedAt"] or data["createdAt"]),
        modified_at=_utc(data["updatedAt"]),
        currency=data["currencyCode"],
        total=_figure(data, "otalPriceSet") + returned + rounding,
        tax_total=_figure(data, "otalTaxSet") + returned_tax,
        discount_total=_figure(data, "otalDiscountsSet"),
        rounding_limit=_rounding_limit(data, len(lines)),
        lines=tuple(lines),
        external_customer_id=_number(customer["id"]) if customer else "",
        email=str(data.get("email") or ""),
        billing=_address(data.get("billingAddress") or data.get("shippingAddress")),
        shipping=_address(data.get("shippingAddress")),
        refunds=tuple(_refunds(data)),
        payment_method=", ".join(str(name) for name in gateways)[:200],
        note=data.get("note") or "",
        exchange=_exchange(data),
    )


def _figure(data: Mapping[str, Any], name: str) -> Decimal:
    """Of an order that was edited the current figure, else the one it was sold at."""
    bag = data[f"currentT{name}" if data["edited"] else f"t{name}"]
    return _amount(bag) if bag else ZERO


def _returned(data: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """What the current figures of an edited order lack, because it came back: with tax, and the tax in it."""
    if not data["edited"]:
        return ZERO, ZERO
    lines = [line for refund in _refunded(data) for line in refund["refundLineItems"]]
    tax = sum((_amount(line["totalTaxSet"]) for line in lines), ZERO)
    price = sum((_amount(line["subtotalSet"]) for line in lines), ZERO)
    return (price if data["taxesIncluded"] else price + tax), tax


def _units_left(data: Mapping[str, Any], line: Mapping[str, Any]) -> int:
    """Units that were not edited away. `quantity` counts all that ever were, `currentQuantity` lacks those that came
    back, too."""
    if not data["edited"]:
        return int(line["quantity"])
    back = [row["quantity"] for refund in _refunded(data) for row in refund["refundLineItems"]
            if row["lineItem"]["id"] == line["id"]]  # fmt: skip
    return min(int(line["quantity"]), int(line["currentQuantity"]) + sum(back))


def _status(data: Mapping[str, Any]) -> str:
    if data["test"]:
        return TEST_STATUS
    return CANCELLED_STATUS if data["cancelledAt"] else str(data["displayFinancialStatus"] or "pending").lower()


def _rounding_limit(data: Mapping[str, Any], lines: int) -> Decimal:
    """Each line's tax is rounded by itself, and that of a line of which units were taken back is our share of it: half
    a cent a line and a tax."""
    taxes = [len(line["taxLines"]) for line in data["lineItems"]]
    return (CENT * max(1, lines, sum(taxes)) / 2).quantize(CENT, ROUND_UP)


def _lines(data: dict[str, Any], rounding: Decimal) -> list[OrderLine]:
    sold = ((line, _units_left(data, line)) for line in data["lineItems"])
    lines = [_item_line(line, units, data["taxesIncluded"]) for line, units in sold if units]
    lines += [_shipping_line(line, data) for line in data["shippingLines"]]
    lines += [
        _named_line(FEE_LINE, fee["name"], _amount(fee["price"]), _taxes(fee["taxLines"]))
        for fee in data["additionalFees"]
    ]
    bag = data["currentTotalDutiesSet" if data["edited"] else "originalTotalDutiesSet"]
    duties = _amount(bag) if bag else ZERO
    if duties and not data["dutiesIncluded"]:
        tax = sum((_taxes(duty["taxLines"]) for line in data["lineItems"] for duty in line["duties"]), ZERO)
        lines.append(_named_line(FEE_LINE, "Duties", duties, tax))
    tip = _amount(data["totalTipReceivedSet"])
    # On some orders the tip is a line already, without a product; what is not among them is one more.
    tip -= sum((line.net for line in lines if line.kind == FEE_LINE and line.description == "Tip"), ZERO)
    if tip:
        lines.append(_named_line(FEE_LINE, "Tip", tip, ZERO))
    if rounding:
        lines.append(_named_line(ROUNDING_LINE, "Cash rounding", rounding, ZERO))
    return lines


def _item_line(line: dict[str, Any], units: int, taxes_included: bool) -> OrderLine:
    """The shop's price, discounts and taxes are for all units that ever were; where some were edited away, the others
    have their share."""
    quantity, left = Decimal(line["quantity"]), Decimal(units)
    tax = _taxes(line["taxLines"])
    # Of the whole order and of codes, too, which the line's own discounted total leaves out.
    discount = sum((_amount(each["allocatedAmountSet"]) for each in line["discountAllocations"]), ZERO)
    price = _amount(line["originalUnitPriceSet"]) * quantity - discount
    net = price - tax if taxes_included else price
    variant, kind = line["variant"], ITEM_LINE
    if line["isGiftCard"]:
        kind = OTHER_LINE  # a debt to whoever holds it, not a sale
    elif not variant and not line["sku"] and line["name"] == "Tip":
        kind = FEE_LINE
    return OrderLine(
        kind=kind,
        external_item_id=_number(variant["id"]) if variant and kind == ITEM_LINE else "",
        sku=str(line["sku"] or "") if kind == ITEM_LINE else "",
        description=str(line["name"]),
        quantity=left,
        net=_share(net, left, quantity),
        tax=_share(tax, left, quantity),
        discount=_share(discount * net / price if price and taxes_included else discount, left, quantity),
    )


def _share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return amount if part == whole or not whole else (amount * part / whole).quantize(CENT, ROUND_HALF_UP)


def _shipping_line(line: dict[str, Any], data: Mapping[str, Any]) -> OrderLine:
    sold, tax = _amount(line["discountedPriceSet"]), _taxes(line["taxLines"])
    price = _amount(line["currentDiscountedPriceSet"]) if data["edited"] else sold
    tax = _share(tax, price, sold)
    return _named_line(SHIPPING_LINE, line["title"], price - tax if data["taxesIncluded"] else price, tax)


def _named_line(kind: str, name: str, net: Decimal, tax: Decimal) -> OrderLine:
    return OrderLine(kind, external_item_id="", sku="", description=str(name), quantity=ONE, net=net, tax=tax)


def _refunded(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Without those that moved no money: they stand for an edit."""
    return [refund for refund in data["refunds"] if _amount(refund["totalRefundedSet"])]


def _refunds(data: Mapping[str, Any]) -> Iterable[Refund]:
    for refund in _refunded(data):
        yield Refund(_number(refund["id"]), _amount(refund["totalRefundedSet"]), refund["note"] or "")


def _exchange(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the buyer saw and paid in, where that is not the shop's currency, and what gift cards paid."""
    exchange: dict[str, Any] = {}
    if data["presentmentCurrencyCode"] != data["currencyCode"]:
        exchange |= {
            "presentment_currency": data["presentmentCurrencyCode"],
            "presentment_total": str(_money(data["totalPriceSet"]["presentmentMoney"]["amount"])),
            "shop_currency": data["currencyCode"],
            "shop_total": str(_amount(data["totalPriceSet"])),
        }
    paid = [
        _amount(each["amountSet"])
        for each in data["transactions"]
        if each["gateway"] == "gift_card" and each["status"] == "SUCCESS" and each["kind"] in ("SALE", "CAPTURE")
    ]
    return {**exchange, "paid_by_gift_card": str(sum(paid, ZERO))} if paid else exchange


def _taxes(lines: Iterable[Mapping[str, Any]]) -> Decimal:
    return sum((_amount(line["priceSet"]) for line in lines), ZERO)


def _amount(bag: Mapping[str, Any]) -> Decimal:
    return _money(bag["shopMoney"]["amount"])


def _money(value: Any) -> Decimal:
    """A finite Decimal of the shop's text. Floats cannot arrive here: the decoder makes none. "10.0" is 10.00."""
    amount = money(value)
    exponent = amount.as_tuple().exponent
    return amount.quantize(CENT) if isinstance(exponent, int) and exponent > -2 else amount


def _address(data: Mapping[str, Any] | None) -> Address:
    if not data:
        return Address()
    return Address(**{name: str(data.get(theirs) or "") for name, theirs in ADDRESS_NAMES.items()})


ADDRESS_NAMES = {
    "first_name": "firstName",
    "last_name": "lastName",
    "company": "company",
    "address_1": "address1",
    "address_2": "address2",
    "city": "city",
    "state": "provinceCode",
    "postcode": "zip",
    "country": "countryCodeV2",
    "phone": "phone",
}


def _item(data: dict[str, Any]) -> CartItem:
    product, stock_item = data["product"], data["inventoryItem"]
    is_single = bool(product["hasOnlyDefaultVariant"])
    price, compared = _money(data["price"]), data["compareAtPrice"]
    is_sale = compared is not None and _money(compared) > price
    weight, quantity = (stock_item["measurement"] or {}).get("weight"), data["inventoryQuantity"]
    return CartItem(
        external_id=_number(data["id"]),
        parent_id="" if is_single else _number(product["id"]),
        sku=str(data["sku"] or ""),
        name=str(product["title"]) if is_single else f"{product['title']} - {data['title']}",
        price=_money(compared) if is_sale else price,
        sale_price=price if is_sale else None,
        description=str(product["descriptionHtml"] or ""),
        barcode=str(data["barcode"] or ""),
        weight=Decimal(weight["value"]) if weight and weight["value"] else None,
        tax_class="",
        is_stock_managed=bool(stock_item["tracked"]),
        is_active=product["status"] in ("ACTIVE", "UNLISTED"),
        has_variations=False,
        stock=Decimal(quantity) if stock_item["tracked"] and quantity is not None else None,
        modified_at=max(map(_utc, (data["updatedAt"], product["updatedAt"], stock_item["updatedAt"]))),
    )


def _customer(data: dict[str, Any]) -> CartCustomer:
    address = _address(data["defaultAddress"])
    email, phone = data["defaultEmailAddress"], data["defaultPhoneNumber"]
    return CartCustomer(
        external_id=_number(data["id"]),
        email=str(email["emailAddress"]) if email else "",
        first_name=str(data["firstName"] or ""),
        last_name=str(data["lastName"] or ""),
        company=address.company,
        phone=str(phone["phoneNumber"]) if phone else address.phone,
        billing=address,
        shipping=Address(),
        modified_at=_utc(data["updatedAt"]),
    )


# To the shop ------------------------------------------------------------------------------------------


def _product_input(values: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if "name" in values:
        given["title"] = values["name"]
    if "description" in values:
        given["descriptionHtml"] = values["description"]
    if "is_active" in values:
        given["status"] = "ACTIVE" if values["is_active"] == "1" else "DRAFT"
    return given


def _variant_input(values: Mapping[str, str], node: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`node` as the shop shows the variant now: of price and sale price only one may be given, and a weight keeps its
    unit. Rejected where a number is none."""
    for name in ("price", "sale_price", "weight"):
        if values.get(name) and not NUMBER.fullmatch(values[name]):
            raise Rejected(
                f"“{values[name]}” is no number the shop would understand, so nothing of this item was sent."
            )
    given: dict[str, Any] = {}
    if "price" in values or "sale_price" in values:
        now = _item(dict(node)) if node else None
        price = values["price"] if "price" in values else str((now and now.price) or "0")
        shown = values["sale_price"] if "sale_price" in values else str((now and now.sale_price) or "")
        given |= {"price": shown or price or "0", "compareAtPrice": price if shown else None}
    if "barcode" in values:
        given["barcode"] = values["barcode"]
    if "weight" in values:
        measured = ((node or {}).get("inventoryItem") or {}).get("measurement") or {}
        unit = (measured.get("weight") or {}).get("unit", "KILOGRAMS")
        weight = {"value": Decimal(values["weight"] or "0"), "unit": unit}
        given["inventoryItem"] = {"measurement": {"weight": weight}}
    return given


def _new_product(sku: str, values: Mapping[str, str]) -> dict[str, Any]:
    """A product with the one variant that stands for it. SKU and tracking are of the variant's stock item."""
    variant = _variant_input(values)
    stock_item = {**variant.pop("inventoryItem", {}), "tracked": True}
    option = {"name": "Title", "values": [{"name": "Default Title"}]}
    chosen = [{"optionName": "Title", "name": "Default Title"}]
    variants = [{**variant, "sku": sku, "inventoryItem": stock_item, "optionValues": chosen}]
    return {"title": sku, **_product_input(values), "productOptions": [option], "variants": variants}


def _customer_input(values: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if "name" in values:
        first, _, last = values["name"].rpartition(" ")
        given |= {"firstName": first.strip(), "lastName": last}
    if "email" in values:
        if values["email"].count("@") != 1:
            raise Rejected(f"“{values['email']}” is not an e-mail address, so nothing of this customer was sent.")
        given["email"] = values["email"]
    if "phone" in values:
        given["phone"] = values["phone"] or None
    return given


def _address_input(values: Mapping[str, str]) -> dict[str, Any]:
    """Of the default address; what is not given of it stays."""
    given: dict[str, Any] = {}
    if "billing" in values:
        address = json.loads(values["billing"]) if values["billing"] else {}
        given = {
            theirs if theirs != "countryCodeV2" else "countryCode": address.get(name) or None
            for name, theirs in ADDRESS_NAMES.items()
            if name not in ("company", "phone")
        }
    if "company" in values:
        given["company"] = values["company"] or None
    return given
