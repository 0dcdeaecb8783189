"""Stock: what buyers can buy is our quantity, whatever the shop keeps it in."""

from collections.abc import Iterator
from decimal import Decimal

import msgspec
import pytest

from carts.errors import ConfigError, NotFound, Rejected
from carts.platforms.base import CartAdapter
from carts.platforms.magento import LEGACY
from carts.records import ITEM, ItemRef, StockLevel
from sandbox.magento.catalogue_body import is_in_stock, say_in_stock
from sandbox.messages import Request, Response
from sandbox.testing import PracticeShop, practice_shop
from tests.platforms.around import around
from tests.platforms.magento.conftest import adapter_of


def level(adapter: CartAdapter, sku: str, quantity: int) -> StockLevel:
    (row,) = adapter.find(ITEM, sku)
    return StockLevel(row.external_id, "", Decimal(quantity))


def ref(adapter: CartAdapter, sku: str) -> ItemRef:
    return ItemRef(level(adapter, sku, 0).external_id)


def sources(place: PracticeShop, sku: str) -> list[tuple[str, int, int]]:
    """(source, quantity, status) of a SKU, as the shop keeps it."""
    rows = place.platform.sources.rows()
    return [(row.source_code, row.quantity, row.status) for row in rows if row.sku.lower() == sku.lower()]


def written(place: PracticeShop) -> list[dict]:
    return [request.json() for request in place.requests if request.method != "GET"]


@pytest.fixture
def legacy() -> Iterator[tuple[PracticeShop, CartAdapter]]:
    """A shop from which multi-source inventory was removed."""
    with practice_shop(platform="magento", legacy_stock=True) as place:
        adapter = adapter_of(place)
        yield place, adapter
        adapter.close()


def test_what_unshipped_orders_reserved_is_put_on_top_so_that_buyers_can_buy_our_quantity(place, adapter):
    place.shop.set_stock("SKU-0001", 33)
    place.shop.place_order("SKU-0001", quantity=14)
    assert sources(place, "SKU-0001") == [("default", 33, 1)]
    assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(19)}
    (result,) = adapter.push_stock([level(adapter, "SKU-0001", 25)])
    assert result.error is None
    assert sources(place, "SKU-0001") == [("default", 39, 1)]
    assert place.shop.product_by_sku("SKU-0001").stock == 25


def test_shipping_an_order_changes_nothing_of_what_buyers_can_buy(place, adapter):
    place.shop.set_stock("SKU-0001", 10)
    order = place.shop.place_order("SKU-0001", quantity=4)
    adapter.push_stock([level(adapter, "SKU-0001", 6)])
    place.shop.set_status(order.id, "completed")
    assert sources(place, "SKU-0001") == [("default", 6, 1)]
    assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(6)}


def test_the_status_is_sent_along_because_a_quantity_alone_brings_nothing_back(place, adapter):
    adapter.push_stock([level(adapter, "SKU-0001", 0)])
    assert sources(place, "SKU-0001") == [("default", 0, 0)]
    adapter.push_stock([level(adapter, "SKU-0001", 100)])
    assert sources(place, "SKU-0001") == [("default", 100, 1)]


def test_none_left_but_some_reserved_is_still_in_the_source(place, adapter):
    """Out of stock, it would not count, and what is reserved would be missing."""
    place.shop.set_stock("SKU-0001", 9)
    place.shop.place_order("SKU-0001", quantity=3)
    adapter.push_stock([level(adapter, "SKU-0001", 0)])
    assert sources(place, "SKU-0001") == [("default", 3, 1)]
    assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(0)}


def test_what_was_set_out_of_stock_counts_as_nothing_and_as_nothing_reserved(place, adapter):
    place.shop.set_stock("SKU-0001", 50)
    say_in_stock(place.shop.product_by_sku("SKU-0001"), False)
    assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(0)}
    adapter.push_stock([level(adapter, "SKU-0001", 5)])
    assert sources(place, "SKU-0001") == [("default", 5, 1)]


def test_an_index_that_still_shows_more_takes_nothing_off_our_quantity(place, adapter):
    place.shop.set_stock("SKU-0001", 10)

    def late(request: Request, response: Response) -> None:
        if "export-stock-salable-qty" in request.path:
            response.body = b'{"items":[{"sku":"SKU-0001","qty":50,"is_salable":true}],"total_count":1}'

    with around(place, after=late):
        adapter.push_stock([level(adapter, "SKU-0001", 8)])
    assert sources(place, "SKU-0001") == [("default", 8, 1)]


def test_a_source_sold_below_zero_is_set_right(place, adapter):
    place.shop.set_stock("SKU-0001", 1)
    place.shop.place_order("SKU-0001", quantity=3, status="completed")
    assert sources(place, "SKU-0001") == [("default", -2, 0)]
    assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(-2)}
    adapter.push_stock([level(adapter, "SKU-0001", 0)])
    assert sources(place, "SKU-0001") == [("default", 0, 0)]


def test_stock_writes_move_no_time(place, adapter):
    before = place.shop.product_by_sku("SKU-0001").modified
    adapter.push_stock([level(adapter, "SKU-0001", 5)])
    place.shop.place_order("SKU-0001")
    assert place.shop.product_by_sku("SKU-0001").modified == before


def test_unknown_skus_and_what_keeps_no_stock_are_found_by_us_because_the_shop_says_nothing(place, adapter):
    parts = {"parts": [["SKU-0001", 1]]}
    bundle = place.shop.add_product("KIT", "Kit", "9", kind="bundle", extra=parts)
    shirt = next(each for each in place.shop.products.rows.values() if each.kind == "variable")
    gone = level(adapter, "SKU-0002", 4)
    place.shop.delete_product(int(gone.external_id))
    levels = [
        StockLevel(str(bundle.id), "", Decimal(1)),
        gone,
        StockLevel(str(shirt.id), "", Decimal(1)),
        level(adapter, "SKU-0003", 8),
        StockLevel("unreadable-x", "", Decimal(1)),
    ]
    place.requests.clear()
    results = adapter.push_stock(levels)
    assert [type(result.error) for result in results] == [Rejected, NotFound, Rejected, type(None), NotFound]
    assert [result.external_id for result in results] == [each.external_id for each in levels]
    assert [row["sku"] for row in written(place)[0]["sourceItems"]] == ["SKU-0003"]
    assert len(written(place)) == 1
    assert place.shop.fact("source_items") is None


def test_one_bad_source_fails_the_whole_call_and_every_row_says_so(place):
    adapter = adapter_of(place, location="closed-down")
    results = adapter.push_stock([level(adapter, "SKU-0001", 5), level(adapter, "SKU-0002", 5)])
    assert [str(result.error) for result in results] == ["The shop refused the request: Could not save Source Item"] * 2
    adapter.close()


def test_a_shop_that_takes_twenty_at_once_gets_twenty_at_once():
    def limit(request: Request, response: Response) -> None:
        if request.method == "POST" and len(request.json()["sourceItems"]) > 20:
            response.status = 400
            response.body = msgspec.json.encode(
                {"message": 'Maximum items of type "%type" is %max', "parameters": {"type": "SourceItem", "max": 20}}
            )

    with practice_shop(platform="magento", products=60) as place:
        adapter = adapter_of(place)
        rows = [row for page in [adapter.page_by_id(ITEM, "")] for row in page.rows][:50]
        levels = [StockLevel(row.external_id, "", Decimal(2)) for row in rows]
        with around(place, after=limit):
            results = adapter.push_stock(levels)
        assert len(results) == 50 and not [result for result in results if result.error]
        assert [len(body["sourceItems"]) for body in written(place)] == [50, 20, 20, 10]
        adapter.close()


def test_stock_of_many_items_is_read_with_three_requests_a_hundred(place, adapter):
    refs = [ItemRef(row.external_id) for row in adapter.page_by_id(ITEM, "").rows]
    adapter.read_stock(refs[:1])
    place.requests.clear()
    shown = adapter.read_stock(refs)
    assert len(place.requests) == 3
    assert shown == {each: Decimal(place.shop.products.rows[int(each.external_id)].stock) for each in refs}


def test_a_shop_that_cannot_tell_of_many_is_asked_of_each(place, adapter):
    place.shop.set_stock("SKU-0001", 33)
    place.shop.place_order("SKU-0001", quantity=14)

    def old(request: Request, response: Response) -> None:
        if "export-stock-salable-qty" in request.path:
            response.status, response.body = 404, b'{"message":"Request does not match any route."}'

    with around(place, after=old):
        assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(19)}


def test_a_sku_with_a_comma_a_slash_or_a_space_is_found_among_others(place, adapter):
    for number, sku in enumerate(("A,B", "B/C 1", "A+B%2"), 1):
        place.shop.add_product(sku, f"Odd {number}", "1", stock=number)
    refs = [ref(adapter, sku) for sku in ("A,B", "B/C 1", "A+B%2", "SKU-0001")]
    assert [adapter.read_stock(refs)[each] for each in refs[:3]] == [1, 2, 3]
    adapter.push_stock([level(adapter, sku, 7) for sku in ("A,B", "B/C 1", "A+B%2")])
    assert [place.shop.product_by_sku(sku).stock for sku in ("A,B", "B/C 1", "A+B%2")] == [7, 7, 7]


def test_long_skus_are_asked_for_in_addresses_web_servers_take():
    with practice_shop(platform="magento", products=0) as place:
        adapter = adapter_of(place)
        rows = [place.shop.add_product(f"{'ü' * 50}{at}", f"N {at}", "1", stock=at) for at in range(60)]
        rows += [place.shop.add_product(f"{at},{at}", f"Comma {at}", "1", stock=at) for at in range(40)]
        targets: list[str] = []
        with around(place, before=lambda request: targets.append(request.target)):
            shown = adapter.read_stock([ItemRef(str(row.id)) for row in rows])
        assert shown == {ItemRef(str(row.id)): Decimal(row.stock) for row in rows}
        assert max(map(len, targets)) < 8000
        adapter.close()


def test_stock_goes_to_the_location_that_is_ours_and_leaves_the_others():
    with practice_shop(platform="magento", source_codes=("default", "loft")) as place:
        adapter = adapter_of(place, location="loft")
        assert [each.external_id for each in adapter.check().locations] == ["default", "loft"]
        place.shop.set_stock("SKU-0001", 5)
        assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(0)}
        adapter.push_stock([level(adapter, "SKU-0001", 3)])
        assert sources(place, "SKU-0001") == [("default", 5, 1), ("loft", 3, 1)]
        assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(3)}
        adapter.close()


def test_test_connection_looks_anew_at_how_the_shop_stocks(place, adapter):
    assert len(adapter.stock_batches([ItemRef("1"), ItemRef("2")])) == 1
    adapter.read_stock([ItemRef("11")])
    place.platform.has_sources = False
    adapter.check()
    assert len(adapter.stock_batches([ItemRef("1"), ItemRef("2")])) == 2


def test_a_website_that_sells_from_no_stock_is_told(place, adapter):
    def none(request: Request, response: Response) -> None:
        if "stock-resolver" in request.path:
            response.status, response.body = 404, b'{"message":"No linked stock found for website with code: base"}'

    with around(place, after=none), pytest.raises(ConfigError, match="sells from no stock"):
        adapter.read_stock([ref(adapter, "SKU-0001")])


# Without sources --------------------------------------------------------------------------------------


def test_a_shop_without_sources_is_served_by_its_stock_items(legacy):
    place, adapter = legacy
    place.shop.set_stock("SKU-0001", 12)
    assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(12)}
    (result,) = adapter.push_stock([level(adapter, "SKU-0001", 7)])
    assert result.error is None and place.shop.product_by_sku("SKU-0001").stock == 7
    assert written(place) == [{"stockItem": {"qty": 7, "is_in_stock": True}}]


def test_stock_items_are_sent_one_by_one_so_that_stop_waits_for_one(legacy):
    place, _ = legacy
    adapter = adapter_of(place, location=LEGACY)
    refs = [ItemRef(row.external_id) for row in adapter.page_by_id(ITEM, "").rows]
    place.requests.clear()
    assert adapter.stock_batches(refs) == [[each] for each in refs]
    assert len(place.requests) == 0
    adapter.push_stock([StockLevel(refs[0].external_id, "", Decimal(4))])
    assert not [request.path for request in place.requests if "/inventory/" in request.path]
    assert len(written(place)) == 1
    adapter.close()


def test_a_stock_item_that_was_out_comes_back_in(legacy):
    place, adapter = legacy
    for quantity in (0, 100):
        adapter.push_stock([level(adapter, "SKU-0001", quantity)])
    assert is_in_stock(place.shop.product_by_sku("SKU-0001")) is True


def test_a_stock_item_that_is_set_out_of_stock_shows_nothing_so_that_it_is_set_again(legacy):
    place, adapter = legacy
    product = place.shop.product_by_sku("SKU-0001")
    say_in_stock(product, False)
    assert adapter.read_stock([ref(adapter, "SKU-0001")]) == {ref(adapter, "SKU-0001"): Decimal(0)}


def test_where_manage_stock_is_off_nothing_is_sent(legacy):
    place, adapter = legacy
    place.shop.add_product("LOOSE", "Loose", "1")
    assert adapter.read_stock([ref(adapter, "LOOSE")]) == {ref(adapter, "LOOSE"): None}
    (result,) = adapter.push_stock([level(adapter, "LOOSE", 7)])
    assert isinstance(result.error, Rejected) and written(place) == []


def test_a_slash_that_the_web_server_refuses_is_no_item_that_is_gone(legacy):
    place, adapter = legacy
    place.shop.add_product("B/C 1", "Slash", "1", stock=1)
    (result,) = adapter.push_stock([level(adapter, "B/C 1", 7)])
    assert result.error is None and place.shop.product_by_sku("B/C 1").stock == 7

    def refuse(request: Request, response: Response) -> None:
        if request.method == "PUT":
            response.status, response.body = 404, b"<html>Not Found</html>"
            response.content_type = "text/html"

    with around(place, after=refuse):
        (result,) = adapter.push_stock([level(adapter, "B/C 1", 8)])
    assert isinstance(result.error, Rejected) and "encoded slashes" in result.error.sentence
