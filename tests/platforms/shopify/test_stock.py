"""Stock: compared before it is set, by location, and refused row by row. Each trap of the fact sheet is a test."""

import json
from decimal import Decimal

import pytest

from carts.errors import ConfigError, NotFound, Rejected, Stale, Unavailable
from carts.records import ItemRef, StockLevel
from sandbox.testing import practice_shop
from tests.platforms.around import around
from tests.platforms.shopify.conftest import adapter_of


def shows(place, *skus: str) -> list[int]:
    return [place.shop.product_by_sku(sku).stock for sku in skus]


@pytest.fixture(params=[True, False], ids=["whole", "by row"])
def either_way(request, place):
    """Whether a bad row keeps the others out is not documented."""
    place.platform.rejects_whole_batches = request.param
    return place


def test_one_bad_row_is_refused_alone(either_way, adapter):
    place = either_way
    place.shop.set_stock("SKU-0001", 5)
    gone = place.shop.add_product("GONE", "Gone", "1.00", stock=1)
    adapter.read_stock([ItemRef(str(gone.id))])
    place.shop.trash_product(gone.id)
    results = adapter.push_stock(
        [
            StockLevel("11", "", Decimal(9), Decimal(4)),
            StockLevel("12", "", Decimal(8)),
            StockLevel(str(gone.id), "", Decimal(7)),
            StockLevel("999", "", Decimal(7)),
        ]
    )
    assert [type(row.error) for row in results] == [Stale, type(None), NotFound, NotFound]
    assert shows(place, "SKU-0001", "SKU-0002") == [5, 8]


def test_a_quantity_is_compared_with_the_one_we_know(place, adapter):
    place.shop.set_stock("SKU-0001", 5)
    (done,) = adapter.push_stock([StockLevel("11", "", Decimal(9), Decimal(5))])
    (stale,) = adapter.push_stock([StockLevel("11", "", Decimal(1), Decimal(5))])
    (blind,) = adapter.push_stock([StockLevel("11", "", Decimal(2))])
    assert (done.error, type(stale.error), blind.error) == (None, Stale, None)
    assert shows(place, "SKU-0001") == [2]


def test_stock_goes_in_rows_of_250_with_one_request_each(place, adapter):
    made = [place.shop.add_product(f"MANY-{number}", "Many", "1.00", stock=0) for number in range(260)]
    refs = [ItemRef(str(product.id)) for product in made]
    batches = adapter.stock_batches(refs)
    assert [len(batch) for batch in batches] == [250, 10]
    adapter.read_stock(refs)
    place.requests.clear()
    for batch in batches:
        results = adapter.push_stock([StockLevel(ref.external_id, "", Decimal(4), Decimal(0)) for ref in batch])
        assert [row.error for row in results] == [None] * len(batch)
    assert len(place.requests) == 2 and {product.stock for product in made} == {4}


def test_what_is_not_tracked_or_not_stocked_there_is_none(place):
    with practice_shop(platform="shopify", locations=2) as place:
        adapter = adapter_of(place, location="2")
        assert [each.external_id for each in adapter.check().locations] == ["1", "2"]
        assert adapter.read_stock([ItemRef("11"), ItemRef("999")]) == {ItemRef("11"): None}
        (result,) = adapter.push_stock([StockLevel("11", "", Decimal(3))])
        assert (
            isinstance(result.error, Rejected) and "does not stock this item at our location" in result.error.sentence
        )
        product = place.shop.product_by_sku("SKU-0001")
        before, product.extra = product.stock, {"levels": {"2": 6}}
        place.shop.touch_product(product)
        assert adapter.read_stock([ItemRef("11")]) == {ItemRef("11"): Decimal(6)}
        (result,) = adapter.push_stock([StockLevel("11", "", Decimal(3), Decimal(6))])
        assert (result.error, product.stock, product.extra["levels"]) == (None, before, {"2": 3})
        product.manages_stock = False
        place.shop.touch_product(product)
        assert adapter.read_stock([ItemRef("11")]) == {ItemRef("11"): None}
        adapter.close()


def test_without_a_location_nothing_is_sent(place):
    adapter = adapter_of(place, location="")
    for act in (
        lambda: adapter.push_stock([StockLevel("11", "", Decimal(3))]),
        lambda: adapter.read_stock([ItemRef("11")]),
    ):
        with pytest.raises(ConfigError) as raised:
            act()
        assert "Choose the Stock location under Edit" in raised.value.sentence
    assert list(place.requests) == []
    adapter.close()


def test_a_key_the_shop_is_busy_with_is_no_refusal_of_a_row(place, adapter):
    adapter.read_stock([ItemRef("11")])

    def busy(request, response):
        error = {"code": "IDEMPOTENCY_CONCURRENT_REQUEST", "field": None, "message": "Busy"}
        answer = {"inventorySetQuantities": {"inventoryAdjustmentGroup": None, "userErrors": [error]}}
        response.body = json.dumps({"data": answer}).encode()

    with around(place, after=busy), pytest.raises(Unavailable):
        adapter.push_stock([StockLevel("11", "", Decimal(3))])
