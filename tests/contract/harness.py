"""What the contract needs to know of a platform beside its adapter and its practice shop: one line each."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from carts.errors import CartError
from carts.platforms import REGISTRY, connect
from carts.platforms.base import CartAdapter, Connection
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, RawRecord, Window
from sandbox.bigcommerce.looks import variant_id
from sandbox.messages import Received
from sandbox.testing import PracticeShop, practice_shop

# Short, so that a shop that never answers costs a test little; long enough for a busy machine.
TIMEOUT_SECONDS = 2.0
# All that happens in a test's shop is placed behind it: recent enough for a key that sees recent orders only.
START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=20)
SECOND = timedelta(seconds=1)


def plain_id(kind: str, row: Any) -> str:
    return str(row.id)


def with_its_product(kind: str, row: Any) -> str:
    """A platform that numbers variations apart from products."""
    return f"{row.parent_id}-{row.id}" if kind == ITEM and row.parent_id else str(row.id)


def is_no_get(request: Received) -> bool:
    return request.method != "GET"


def is_mutation(request: Received) -> bool:
    return b'"query":"mutation' in request.body


@dataclass(frozen=True)
class Harness:
    """`external_id`: how the platform names a row of the practice shop's neutral state. `is_write`: whether a request
    changes something. `write_fault`, `record_fault`: what a fault has to strike to hit a batch of stock, and one of
    items."""

    options: Mapping[str, Any] = field(default_factory=dict)
    external_id: Callable[[str, Any], str] = plain_id
    is_write: Callable[[Received], bool] = is_no_get
    write_fault: Mapping[str, Any] = field(default_factory=lambda: {"method": "POST"})
    record_fault: Mapping[str, Any] = field(default_factory=lambda: {"method": "PUT"})
    # Credentials that prove what the shop sends us, which reading it does not try.
    untried: frozenset[str] = frozenset()
    # Whether a quantity is set only where the shop shows the one we knew.
    compares_stock: bool = False
    # Whether a discount of the whole order is taken off its lines, or is a line of its own.
    discounts_by_line: bool = True
    # Where a fault for one of WooCommerce's paths has to strike here; "" strikes everywhere.
    paths: Mapping[str, str] = field(default_factory=lambda: {"/batch": "", "/products": "", "/orders": ""})


def bigcommerce_id(kind: str, row: Any) -> str:
    """An item goes by product and variant; the product of several variants by its own id."""
    if kind != ITEM or row.kind == "variable":
        return str(row.id)
    return f"{row.parent_id or row.id}-{variant_id(row)}"


HARNESSES: dict[str, Harness] = {
    "bigcommerce": Harness(
        options={"settle_seconds": 0},
        external_id=bigcommerce_id,
        untried=frozenset({"client_secret"}),
        write_fault={"method": "PUT", "match": "/adjustments"},
    ),
    "woocommerce": Harness(
        options={"basic_over_http": False},
        write_fault={"match": "/batch"},
        record_fault={"match": "/batch"},
        paths={},
    ),
    "magento": Harness(
        record_fault={"method": "POST", "match": "/products"},
    ),
    "prestashop": Harness(
        external_id=with_its_product,
        discounts_by_line=False,
        write_fault={"method": "PATCH", "match": "/stock_availables"},
        record_fault={"method": "PATCH", "match": "/products"},
    ),
    "shopify": Harness(
        options={"by_token": True},
        is_write=is_mutation,
        compares_stock=True,
        write_fault={"body": "inventorySetQuantities"},
        record_fault={"body": "productVariantsBulkUpdate"},
    ),
}


class Ground:
    """One practice shop on a socket, its adapter, and what a test asks of both."""

    def __init__(self, platform: str, harness: Harness, place: PracticeShop) -> None:
        self.platform, self.harness, self.place, self.shop = platform, harness, place, place.shop
        self.capabilities = REGISTRY[platform].capabilities
        self._made: list[CartAdapter] = []
        self.adapter = self.connect()

    def connect(self, *, address: str | None = None, **credentials: str) -> CartAdapter:
        """An adapter of its own; what is given replaces the shop's address or some of its credentials."""
        info_zone = str(self.shop.zone)
        connection = Connection(
            self.place.address if address is None else address,
            {**self.place.credentials, **credentials},
            timezone=info_zone,
            timeout_seconds=TIMEOUT_SECONDS,
        )
        adapter = connect(self.platform, connection)
        if self.capabilities.has_locations and address is None and not credentials:
            location = adapter.check().locations[0].external_id
            adapter.close()
            adapter = connect(
                self.platform,
                Connection(
                    connection.url,
                    connection.credentials,
                    timezone=info_zone,
                    location=location,
                    timeout_seconds=TIMEOUT_SECONDS,
                ),
            )
        self._made.append(adapter)
        return adapter

    def close(self) -> None:
        for adapter in self._made:
            adapter.close()

    @property
    def secrets(self) -> list[str]:
        hidden = {field.name for field in self.adapter.credential_fields if field.is_secret}
        return [value for name, value in self.place.credentials.items() if value and name in hidden]

    # What is in the shop, as the platform names it --------------------------------------------------

    def id_of(self, row: Any, kind: str = ORDER) -> str:
        return self.harness.external_id(kind, row)

    def ids_of(self, rows: Sequence[Any], kind: str = ORDER) -> list[str]:
        return [self.id_of(row, kind) for row in rows]

    def ref(self, sku: str) -> ItemRef:
        """The one item with this SKU, found as the engine finds it."""
        (row,) = self.adapter.find(ITEM, sku)
        return ItemRef(row.external_id, self.adapter.parse_item(row.body).parent_id)

    def wares(self, *, variations: bool | None = None) -> list[Any]:
        """The shop's own rows of what can be bought, SKU and stock kept."""
        rows = [row for row in self.shop.products.rows.values() if row.sku and row.manages_stock]
        return [row for row in rows if variations is None or bool(row.parent_id) is variations]

    # What the adapter says ---------------------------------------------------------------------------

    def fetched(self, since: datetime | None = START, *, in_flight: int = 1, kind: str = ORDER) -> list[RawRecord]:
        pages = self.adapter.fetch(kind, Window(since=since, requests_in_flight=in_flight))
        return [row for page in pages for row in page.rows]

    def writes(self) -> list[Received]:
        return [each for each in self.place.requests if self.harness.is_write(each)]

    def all_by_id(self, kind: str) -> list[RawRecord]:
        """Every row of page_by_id, and the variations of those that have some."""
        rows: list[RawRecord] = []
        position = ""
        while True:
            page = self.adapter.page_by_id(kind, position)
            rows += page.rows
            assert page.is_last is (page.next_position == "")
            if page.is_last:
                break
            position = page.next_position
        if kind == ITEM:
            groups = [row.external_id for row in rows if self.adapter.parse_item(row.body).has_variations]
            rows += [row for group in groups for row in self.adapter.fetch_variations(group)]
        return rows

    def parse(self, kind: str, body: bytes | str) -> Any:
        parsers = {
            ORDER: self.adapter.parse_order,
            ITEM: self.adapter.parse_item,
            CUSTOMER: self.adapter.parse_customer,
        }
        return parsers[kind](body)

    def tells_no_secret(self, error: CartError) -> None:
        told = f"{error.sentence} {error.detail} {error!r}"
        assert not [secret for secret in self.secrets if secret in told]


@contextmanager
def ground_of(platform: str, **sizes: Any):
    """A practice shop of this platform with its adapter; `sizes` as in sandbox.testing.practice_shop."""
    harness = HARNESSES[platform]
    with practice_shop(platform=platform, **{**harness.options, **sizes}) as place:
        ground = Ground(platform, harness, place)
        try:
            yield ground
        finally:
            ground.close()
