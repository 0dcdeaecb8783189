"""The live lists: newest first, page by page, filtered by what the platform can."""

from datetime import timedelta

import pytest

from carts.records import CUSTOMER, ITEM, ORDER, Listing
from tests.contract.harness import SECOND, START


def listed(ground, kind, **wanted) -> tuple[list[str], list[int | None]]:
    """(ids in the shop's order, the totals it named), through all pages."""
    ids, totals, position = [], [], ""
    while True:
        page = ground.adapter.listing(kind, Listing(position=position, **wanted))
        ids += [row.external_id for row in page.rows]
        totals.append(page.total)
        if page.is_last:
            assert page.next_position == ""
            return ids, totals
        position = page.next_position
        assert position and len(page.rows) == wanted["per_page"]


def test_orders_newest_first_through_every_page(ground):
    orders = [ground.shop.place_order(placed=START + SECOND * step) for step in range(25)]
    ids, totals = listed(ground, ORDER, per_page=10)
    assert ids == ground.ids_of(orders[::-1])
    assert {total for total in totals if total is not None} <= {25}


def test_an_empty_shop_lists_nothing(ground):
    page = ground.adapter.listing(ORDER, Listing())
    assert (page.rows, page.is_last, page.next_position) == ((), True, "")
    assert page.total in (0, None)


def test_orders_by_when_they_were_placed(ground):
    orders = [ground.shop.place_order(placed=START + timedelta(hours=hours)) for hours in range(4)]
    wanted = {"placed_from": START + timedelta(hours=1), "placed_before": START + timedelta(hours=3)}
    ids, _ = listed(ground, ORDER, per_page=50, **wanted)
    assert ids == ground.ids_of([orders[2], orders[1]])


def test_orders_by_status(ground):
    orders = [
        ground.shop.place_order(placed=START + SECOND * step, status="processing" if step % 2 else "pending")
        for step in range(6)
    ]
    found = {row.external_id: ground.adapter.parse_order(row.body).status for row in ground.fetched()}
    for status in set(found.values()):
        ids, _ = listed(ground, ORDER, per_page=50, status=status)
        assert ids == [external_id for external_id in ground.ids_of(orders[::-1]) if found[external_id] == status]
    ids, _ = listed(ground, ORDER, per_page=50, status=",".join(set(found.values())))
    assert ids == ground.ids_of(orders[::-1])


@pytest.mark.parametrize("kind", [ITEM, CUSTOMER])
def test_items_and_customers_all_of_them_and_none_twice(ground, kind):
    ids, totals = listed(ground, kind, per_page=10)
    groups = {row.external_id for row in ground.all_by_id(kind)}
    assert len(ids) == len(set(ids)) and set(ids) <= groups
    assert len(ids) >= (20 if kind == ITEM else 3)
    assert {total for total in totals if total is not None} <= {len(ids)}


def test_guests_do_not_fill_the_list_of_customers(ground):
    for step in range(25):
        ground.shop.place_order(placed=START + SECOND * step, email=f"guest{step}@example.test")
    page = ground.adapter.listing(CUSTOMER, Listing(per_page=10))
    read = [ground.adapter.parse_customer(row.body) for row in page.rows]
    assert {f"customer{number}@example.test" for number in (1, 2, 3)} <= {customer.email for customer in read}
    assert not [customer.email for customer in read if customer.email.startswith("guest")]


def test_a_search_finds_a_customer_by_e_mail(ground):
    ids, _ = listed(ground, CUSTOMER, per_page=50, search="customer2@example.test")
    wanted = ground.shop.customer_by_email("customer2@example.test")
    assert ids == [ground.id_of(wanted, CUSTOMER)]


def test_a_search_finds_an_item_by_its_name(ground):
    made = ground.shop.add_product("FIND-ME", "Zeppelin", "5.00", stock=1)
    ids, _ = listed(ground, ITEM, per_page=50, search="Zeppelin")
    rows = {row.external_id: row for row in ground.adapter.fetch_many(ITEM, ids)}
    assert [ground.adapter.parse_item(row.body).name for row in rows.values()] == [made.name]


def test_where_staff_of_the_shop_see_it(ground):
    for kind in (ORDER, ITEM, CUSTOMER):
        address = ground.adapter.admin_url(kind, "12")
        assert address.startswith("http") and "12" in address
        assert not [secret for secret in ground.secrets if secret in address]
