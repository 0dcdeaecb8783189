"""Filters, dates, sort and limit, as measured on a live server."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.prestashop.goods import SHOWN_DATE
from tests.sandbox.prestashop.conftest import code

NOON = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)  # 12:00 in New York


@pytest.fixture
def ids(place) -> list[str]:
    """Three orders at 12:00, 12:01 and 12:02 of the shop's own clock."""
    return [str(place.shop.place_order(placed=NOON + timedelta(minutes=n)).id) for n in range(3)]


def test_dates_are_the_shops_own_clocks(client, ids):
    _, root = client.get(f"orders/{ids[0]}")
    assert root.findtext("order/date_add") == "2026-07-01 12:00:00"
    assert root.findtext("order/invoice_date") == "0000-00-00 00:00:00"


def test_a_date_filter_or_sort_without_date_1_is_refused(client, ids):
    asked = {"filter[date_upd]": "[2026-07-01 12:00:00,2026-07-02 00:00:00]"}
    status, root = client.get("orders", **asked)
    assert (status, code(root)) == (400, "32")
    status, root = client.get("orders", sort="[date_upd_ASC]")
    assert (status, code(root)) == (400, "38")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[2026-07-01 12:01:00,9999-12-31 23:59:59]", [1, 2]),
        ("[9999-12-31 23:59:59,2026-07-01 12:01:00]", [1, 2]),
        (">[2026-07-01 12:01:00]", [2]),
        ("<[2026-07-01 12:01:00]", [0]),
        ("[2026-07-01 12:01:00,2026-07-01 12:01:00]", [1]),
    ],
)
def test_an_interval_holds_both_ends_and_a_sign_none(client, ids, text, found):
    assert client.ids("orders", date="1", **{"filter[date_upd]": text}) == [ids[each] for each in found]


def test_other_filters_go_by_value_list_and_part_without_regard_to_case(client, place):
    product = place.shop.product_by_sku("SKU-0001")
    own = str(product.id)
    assert client.ids("products", **{"filter[reference]": "[sku-0001]"}) == [own]
    assert client.ids("products", **{"filter[reference]": "sku-0001"}) == [own]
    assert client.ids("products", **{"filter[reference]": "[SKU-0001]%"}) == [own]
    assert client.ids("products", **{"filter[reference]": "%[U-0001]%"}) == [own]
    assert client.ids("products", **{"filter[id]": f"[{own}|99999]"}) == [own]
    assert own not in client.ids("products", **{"filter[id]": f"![{own}]"})
    status, root = client.get("products", **{"filter[quantity]": "[0]"})
    assert (status, code(root)) == (400, "32")


def test_limit_is_offset_and_count_and_nothing_else_limits(client, ids):
    assert client.ids("orders", sort="[id_ASC]", limit="1,1") == [ids[1]]
    assert client.ids("orders", sort="[id_DESC]", limit="2") == [ids[2], ids[1]]
    assert client.ids("orders", limit="0") == client.ids("orders", limit="abc") == []
    assert client.ids("orders") == ids
    answer = client.ask("GET", "orders", limit="0,1")
    assert not [name for name in answer.headers if name in ("Link", "X-Total", "Content-Range")]


def test_display_names_what_is_shown(client, ids):
    assert [each.tag for each in client.get("orders", limit="1")[1][0][0]] == ["id"]
    assert [each.tag for each in client.get("orders", limit="1", display="[id,reference]")[1][0][0]] == [
        "id",
        "reference",
    ]
    assert client.get("orders", limit="1", display="full")[1].find("orders/order/associations/order_rows") is not None


def test_a_missing_record_is_404_without_a_body_and_an_empty_list_is_a_list(client):
    answer = client.ask("GET", "orders/999")
    assert (answer.status_code, answer.content) == (404, b"")
    assert client.ids("orders", **{"filter[id]": "[999]"}) == []


def test_slips_are_listed_under_a_name_of_their_own(client, place):
    order = place.shop.place_order()
    place.shop.refund_order(order.id)
    assert client.get("order_slip", display="full")[1].find("order_slips/order_slip/id_order").text == str(order.id)


def test_a_slip_leaves_the_orders_time_alone(place):
    place.shop.clock.set(NOON)
    order = place.shop.place_order()
    place.shop.clock.set(NOON + timedelta(hours=1))
    place.shop.refund_order(order.id)
    assert order.modified == NOON


def test_a_sale_and_a_stock_write_leave_the_products_time_alone(client, place):
    product = place.shop.product_by_sku("SKU-0001")
    before = product.modified
    place.shop.place_order("SKU-0001")
    inner = f"<stock_available><id>{5000 + product.id}</id><quantity>3</quantity></stock_available>"
    assert client.write("PATCH", "stock_availables", inner)[0] == 200
    assert (product.modified, product.stock) == (before, 3)


def test_products_are_filtered_by_one_date_and_sorted_and_shown_by_another(client, place):
    first, second = (place.shop.product_by_sku(sku) for sku in ("SKU-0001", "SKU-0002"))
    for product, shown, real in ((first, 5, 1), (second, 3, 2)):
        product.modified = NOON + timedelta(days=3650, hours=real)
        product.extra[SHOWN_DATE] = (NOON + timedelta(days=3650, hours=shown)).isoformat()
    asked = {"filter[date_upd]": "[2036-06-01 00:00:00,9999-12-31 23:59:59]", "date": "1"}
    assert client.ids("products", sort="[date_upd_ASC]", **asked) == [str(second.id), str(first.id)]


def test_the_faults_that_move_rows_work_on_these_lists(client, place, ids):
    place.faults.add("rows_move", match="/api/orders", count=1)
    asked = {"date": "1", "sort": "[date_upd_ASC,id_ASC]"}
    assert client.ids("orders", **asked) == ids
    assert client.ids("orders", **asked) == [ids[1], ids[2], ids[0]]
