"""A practice shop that keeps stock, and a RUNNING cart that takes ours."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.conf import LazySettings
from django.utils import timezone

from backoffice.models import Item
from backoffice.services import stock
from carts.choices import Kind, RecordState
from carts.models import Cart, Record
from sandbox.testing import PracticeShop, practice_shop
from tests.contract.harness import HARNESSES
from tests.engine.helpers import know_the_items, poll, running_cart


@pytest.fixture(autouse=True)
def no_waiting(settings: LazySettings) -> None:
    """Windows, and the belief that no cart takes stock, are for live shops; a test waits for neither."""
    settings.STOCK_WINDOW_SECONDS = settings.STOCK_SWITCH_SECONDS = 0


@pytest.fixture
def place() -> Iterator[PracticeShop]:
    with practice_shop(products=20) as place:
        yield place


@pytest.fixture
def cart(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, its orders just polled, every item linked, takes stock."""
    know_the_items(place)
    cart = running_cart(place, to_stock_updates=True)
    link_all(cart, place)
    poll(cart)
    place.requests.clear()
    return cart


def link_all(cart: Cart, place: PracticeShop) -> None:
    """Link what has a SKU of ours, as Import selected does, without asking the shop."""
    ours = dict(Item.objects.values_list("sku", "pk"))
    now = timezone.now()
    Record.objects.bulk_create(
        Record(
            cart=cart,
            kind=Kind.ITEM,
            external_id=str(row.id),
            parent_id=str(row.parent_id or ""),
            label=row.sku,
            state=RecordState.IMPORTED,
            digest=b"",
            payload="",
            local_id=ours[row.sku],
            seen_at=now,
            changed_at=now,
        )
        for row in place.shop.products.rows.values()
        if row.sku in ours and row.kind != "variable"
    )


def kept(place: PracticeShop, number: int = 0, *, variation: bool = False) -> tuple[int, Item]:
    """(the shop's id, our item) of one that the shop keeps stock of."""
    ours = {item.sku: item for item in Item.objects.all()}
    rows = [
        row
        for row in place.shop.products.rows.values()
        if row.manages_stock and row.sku in ours and bool(row.parent_id) is variation and row.kind != "variable"
    ]
    return rows[number].id, ours[rows[number].sku]


def shows(place: PracticeShop, product_id: int) -> int | None:
    return place.shop.products.rows[product_id].stock


def count_in(item: Item, quantity: int) -> None:
    stock.adjust(item, Decimal(quantity), by=None, note="count")


def writes(place: PracticeShop) -> list[str]:
    is_write = HARNESSES[place.platform_name].is_write
    return [f"{each.method} {each.path}" for each in place.requests if is_write(each)]
