"""A cart that takes our stock: items linked to a practice shop's, and what that shop did and when."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import requests

from bench.shop import CREDENTIALS
from bench.world import make_cart

if TYPE_CHECKING:
    from carts.models import Cart
    from carts.records import ItemRef

START = 1_000
PER_PAGE = 100
LONG_SECONDS = 3600
PATIENCE_SECONDS = 60
PARENTS, SIZES = 10, 10


@dataclass(frozen=True)
class Wares:
    """What is linked: our item's id by the shop's item. `spare` is nobody's, for calls that go past us."""

    simple: "dict[ItemRef, int]"
    variations: "dict[ItemRef, int]"
    spare: "ItemRef"


class Shop:
    """The practice shop, asked past our adapter."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def call(self, method: str, path: str, **content: Any) -> Any:
        params = CREDENTIALS if path.startswith("wp-json") else {}
        answer = self._session.request(method, f"{self.url}/{path}", params=params, timeout=30, **content)
        answer.raise_for_status()
        return answer.json()

    def forget(self) -> None:
        self.call("DELETE", "_practice/requests")

    def slow_down(self, seconds: float) -> None:
        """Answer everybody so much later from now on."""
        self.call("DELETE", "_practice/faults")
        if seconds:
            self.call("POST", "_practice/faults", json={"kind": "latency", "seconds": seconds, "times": 0})

    def writes(self) -> list[float]:
        """When each stock-writing request since `forget` was done, oldest first."""
        asked = self.call("GET", "_practice/requests")
        return [request["done"] for request in asked if request["path"].endswith("/batch")]

    def simple_refs(self, number: int) -> "list[ItemRef]":
        from carts.records import ItemRef

        refs: list[ItemRef] = []
        page = 0
        while len(refs) < number:
            page += 1
            rows = self.call("GET", f"wp-json/wc/v3/products?per_page={PER_PAGE}&page={page}&order=asc&orderby=id")
            refs += [ItemRef(str(row["id"]), "") for row in rows if row["type"] == "simple" and row["sku"]]
        return refs[:number]

    def add_variations(self) -> "list[ItemRef]":
        """Of PARENTS new products, SIZES each."""
        from carts.records import ItemRef

        refs = []
        for number in range(PARENTS):
            parent = self.call("POST", "wp-json/wc/v3/products", json={"name": f"Box {number}", "type": "variable"})
            rows = [
                {
                    "sku": f"BOX-{number}-{size}",
                    "regular_price": "10.00",
                    "manage_stock": True,
                    "stock_quantity": 1,
                    "attributes": [{"name": "Size", "option": str(size)}],
                }
                for size in range(SIZES)
            ]
            path = f"wp-json/wc/v3/products/{parent['id']}/variations/batch"
            made = self.call("POST", path, json={"create": rows})["create"]
            refs += [ItemRef(str(row["id"]), str(parent["id"])) for row in made]
        return refs


def link(shop: Shop, number: int) -> "tuple[Cart, Wares]":
    """A RUNNING cart that takes stock, `number` simple items and all variations; nothing is on hand yet.

    Its orders count as just polled and its stock as just compared, as they are nearly always in real life.
    """
    from django.utils import timezone

    from carts.models import Outbox

    now = timezone.now()
    cart = make_cart(shop.url)
    cart.to_stock_updates, cart.started_at, cart.poll_interval_seconds = True, now, LONG_SECONDS
    cart.save()
    cart.feeds.update(polled_at=now)
    Outbox.objects.create(cart=cart, kind="stock", swept_at=now)
    *refs, spare = shop.simple_refs(number + 1)
    return cart, Wares(linked(cart, refs), linked(cart, shop.add_variations()), spare)


def linked(cart: "Cart", refs: "Collection[ItemRef]") -> "dict[ItemRef, int]":
    from django.utils import timezone

    from backoffice.models import Item
    from carts.models import Record

    items = [Item(sku=f"OURS-{ref.external_id}", name=f"Item {ref.external_id}") for ref in refs]
    for item in items:
        item.set_keys()
    ids = [item.pk for item in Item.objects.bulk_create(items)]
    by_ref = dict(zip(refs, ids, strict=True))
    now = timezone.now()
    Record.objects.bulk_create(
        Record(
            cart=cart, kind="item", external_id=ref.external_id, parent_id=ref.parent_id, state="imported",
            digest=b"", payload="", local_id=item_id, seen_at=now, changed_at=now,
        )
        for ref, item_id in by_ref.items()
    )  # fmt: skip
    return by_ref


def change(item_ids: Collection[int], quantity: int) -> None:
    """So many more of each, in one statement and one transaction."""
    from backoffice.services import stock
    from backoffice.types import StockChange

    stock.move([StockChange(item_id, "adjustment", on_hand=Decimal(quantity)) for item_id in item_ids])


def settle() -> None:
    """Wait until nothing is to be sent and nobody sends. RuntimeError when something could not be."""
    from carts.models import Outbox, Push

    deadline = time.monotonic() + PATIENCE_SECONDS
    while Push.objects.filter(state="waiting").exists() or Outbox.objects.exclude(lease_token="").exists():
        if time.monotonic() > deadline:
            raise RuntimeError("Stock was still waiting after a minute, so the figures would mean nothing.")
        time.sleep(0.02)
    if failed := Push.objects.filter(state="failed").values_list("reason", flat=True).first():
        raise RuntimeError(f"Stock could not be sent: {failed}")


def check(cart: "Cart", wares: Wares) -> None:
    """RuntimeError unless the shop shows the last quantity of every linked item."""
    from backoffice.models import StockLevel
    from carts.services.connections import adapter_for

    ours = {**wares.simple, **wares.variations}
    shown = adapter_for(cart).read_stock(list(ours))
    wanted = dict(StockLevel.objects.values_list("pk", "on_hand"))
    wrong = [ref.external_id for ref, item_id in ours.items() if shown.get(ref) != wanted[item_id]]
    if wrong:
        raise RuntimeError(f"{len(wrong)} quantities of the shop are not the last ones: {', '.join(wrong[:10])}")
