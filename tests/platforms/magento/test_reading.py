"""Lists as Magento gives them: filters, order, pages, and what is read beside them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from carts.errors import AuthError, CartError, ConfigError, Rejected, Unavailable
from carts.platforms import magento
from carts.records import CUSTOMER, ITEM, ORDER, ItemRef, Listing, RecordChange, StockLevel, Window
from sandbox.magento.editing import edit_order
from sandbox.messages import Request, Response
from sandbox.testing import practice_shop
from tests.platforms.around import around
from tests.platforms.magento.conftest import adapter_of

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def asked(place, read) -> list[dict[str, str]]:
    """The query of every request that `read` makes, by name."""
    seen: list[dict[str, str]] = []

    def note(request: Request) -> None:
        seen.append(dict(request.pairs))

    with around(place, before=note):
        read()
    return seen


def everything(adapter, kind, window=None):
    return [row for page in adapter.fetch(kind, window or Window()) for row in page.rows]


def test_times_are_said_in_utc_without_a_zone_because_an_offset_is_ignored(place, adapter):
    place.shop.place_order(placed=NOON)
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    query = asked(place, lambda: list(adapter.fetch(ORDER, Window(east))))[0]
    assert query["searchCriteria[filterGroups][0][filters][0][value]"] == "2026-11-01 12:00:00"
    assert [row.external_id for row in everything(adapter, ORDER, Window(east))] == ["32"]
    assert everything(adapter, ORDER, Window(NOON + timedelta(seconds=1))) == []


@pytest.mark.parametrize("at", [datetime(2026, 11, 1, 12), datetime(226, 1, 1, tzinfo=UTC)])
def test_what_is_no_date_for_the_shop_is_not_sent_because_it_would_match_everything(place, adapter, at):
    with pytest.raises(ConfigError, match="cannot be said"):
        adapter.listing(ORDER, Listing(placed_from=at))
    assert len(place.requests) == 0


def test_every_sort_names_its_direction_because_none_means_the_newest_first(place, adapter):
    def read() -> None:
        for kind in (ORDER, ITEM, CUSTOMER):
            list(adapter.fetch(kind, Window(NOON)))
            adapter.listing(kind, Listing())
        adapter.page_by_id(ITEM, "")

    for query in asked(place, read):
        sorts = [name for name in query if "sortOrders" in name and name.endswith("[field]")]
        assert sorts and all(query[name.replace("[field]", "[direction]")] in ("ASC", "DESC") for name in sorts)


def test_a_list_is_always_asked_for_by_the_page_because_without_a_size_all_of_it_comes(place, adapter):
    queries = asked(place, lambda: [everything(adapter, kind) for kind in (ORDER, ITEM, CUSTOMER)])
    assert {query["searchCriteria[pageSize]"] for query in queries} == {"100"}


def test_orders_of_one_second_that_fill_pages_are_all_read_once_each(adapter, place, monkeypatch):
    monkeypatch.setattr(magento, "PER_PAGE", 4)
    for at, count in ((NOON, 3), (NOON + timedelta(seconds=1), 11), (NOON + timedelta(seconds=2), 4)):
        for _ in range(count):
            place.shop.place_order(placed=at)
    rows = everything(adapter, ORDER, Window(NOON))
    assert [row.external_id for row in rows] == [str(number) for number in sorted(place.shop.orders.rows)]


def test_rows_that_move_while_pages_are_read_are_not_missed(adapter, place, monkeypatch):
    monkeypatch.setattr(magento, "PER_PAGE", 4)
    for second in range(14):
        place.shop.place_order(placed=NOON + timedelta(seconds=second))
    place.faults.add("rows_move", match="/orders", count=3, times=3)
    read = {row.external_id for row in everything(adapter, ORDER, Window(NOON))}
    assert read == {str(number) for number in place.shop.orders.rows}


def test_what_is_deleted_between_two_pages_hides_no_other_item(adapter, place, monkeypatch):
    """With page numbers, all behind a deleted row move up, and one of them would be skipped."""
    monkeypatch.setattr(magento, "PER_PAGE", 4)
    for second, product in enumerate(place.shop.products.rows.values()):
        place.shop.touch_product(product, NOON + timedelta(seconds=second))
    pages = adapter.fetch(ITEM, Window())
    first = next(pages).rows
    place.shop.delete_product(int(first[0].external_id))
    read = {row.external_id for row in first} | {row.external_id for page in pages for row in page.rows}
    kept = {str(each.id) for each in place.shop.products.rows.values() if each.kind != "variable"}
    assert kept <= read


def test_each_further_page_is_asked_for_in_the_readers_thread(adapter, place, monkeypatch):
    monkeypatch.setattr(magento, "PER_PAGE", 4)
    for second in range(9):
        place.shop.place_order(placed=NOON + timedelta(seconds=second))
    before: list[int] = []
    pages = adapter.fetch(ORDER, Window(before_request=lambda: before.append(len(place.requests))))
    assert [len(page.rows) for page in pages] == [4, 3, 2]
    assert len(before) == len(place.requests) - 1 == 2


def test_an_old_shop_that_repeats_its_last_page_is_read_by_its_count(monkeypatch):
    monkeypatch.setattr(magento, "PER_PAGE", 5)
    with practice_shop(platform="magento", orders=10, repeats_last_page=True) as place:
        adapter = adapter_of(place)
        assert len(everything(adapter, ORDER)) == 10
        second = adapter.listing(ORDER, Listing(position="2", per_page=5))
        assert (len(second.rows), second.is_last, second.next_position) == (5, True, "")
        page = adapter.page_by_id(ITEM, "")
        behind = adapter.page_by_id(ITEM, page.next_position)
        assert not {row.external_id for row in page.rows} & {row.external_id for row in behind.rows}
        adapter.close()


def test_an_empty_page_of_chosen_fields_is_null(place, adapter):
    assert adapter.read_stock([ItemRef("99999")]) == {}


def test_sizes_are_rows_of_their_own_and_what_groups_them_is_none(place, adapter):
    rows = [adapter.parse_item(row.body) for row in everything(adapter, ITEM)]
    assert {"SHIRT-001-S", "SHIRT-001-M", "SHIRT-001-L"} <= {item.sku for item in rows}
    assert "SHIRT-001" not in {item.sku for item in rows}
    assert not [item for item in rows if item.has_variations]


def test_an_order_line_names_the_record_of_its_item(place, adapter):
    place.shop.place_order("SHIRT-001-M")
    line = adapter.parse_order(everything(adapter, ORDER)[0].body).lines[0]
    found = adapter.find(ITEM, "SHIRT-001-M")
    assert [row.external_id for row in found] == [line.external_item_id]


def test_an_order_is_shown_with_its_credit_memos_however_it_is_read(place, adapter):
    order = place.shop.place_order()
    place.shop.place_order()
    place.shop.refund_order(order.id, Decimal("1.25"), "Late")
    rows = {row.external_id: row for row in everything(adapter, ORDER)}
    refunds = adapter.parse_order(rows[str(order.id)].body).refunds
    assert [(refund.amount, refund.reason) for refund in refunds] == [(Decimal("1.25"), "Late")]
    assert adapter.fetch_many(ORDER, [str(order.id)]) == [rows[str(order.id)]]
    assert rows[str(order.id)] in adapter.listing(ORDER, Listing()).rows
    # Only those that had money back are asked about.
    asked_for = [r.path for r in place.requests if r.path.endswith("creditmemos")]
    assert len(asked_for) == 3


def test_a_second_refund_changes_the_digest(place, adapter):
    order = place.shop.place_order()
    place.shop.refund_order(order.id, Decimal("1.25"))
    first = everything(adapter, ORDER)[0]
    place.shop.refund_order(order.id, Decimal("1.00"))
    second = everything(adapter, ORDER)[0]
    assert first.digest != second.digest and len(adapter.parse_order(second.body).refunds) == 2


def test_an_order_edited_in_the_shop_is_one_cancelled_and_its_successor(place, adapter):
    order = place.shop.place_order(quantity=2)
    edit_order(place.shop, order.id, note="Now to the office")
    old, new = (
        adapter.parse_order(row.body) for row in sorted(everything(adapter, ORDER), key=lambda r: r.external_id)
    )
    assert (old.parent_id, old.is_cancelled) == (new.external_id, True)
    assert (new.parent_id, new.number, new.total) == ("", f"{old.number}-1", old.total)


def test_prices_are_read_at_the_scope_of_all_views(place):
    with practice_shop(platform="magento", views=("default", "de")) as place:
        adapter = adapter_of(place, store_code="de")
        sku = place.shop.any_sku()
        product = place.shop.product_by_sku(sku)
        product.extra["views"] = {"de": {"price": 1, "name": "Nur hier"}}
        assert adapter.parse_item(adapter.find(ITEM, sku)[0].body).price == Decimal(product.regular_price)
        assert adapter.check().name == "Practice shop de"
        adapter.close()


def test_a_row_nobody_can_read_blocks_no_other(place, adapter):
    place.shop.place_order(placed=NOON)
    place.shop.place_order(placed=NOON + timedelta(seconds=1))
    spoil = lambda request, response: setattr(  # noqa: E731
        response, "body", response.body.replace(b'"entity_id":32,"global', b'"entity_id":"?","global')
    )
    with around(place, after=spoil):
        rows = everything(adapter, ORDER)
    assert [row.external_id for row in rows][1:] == ["33"] and rows[0].external_id.startswith("unreadable-")


@pytest.mark.parametrize("body", [b"{}", b"[]", b"7", b"[7]", b'{"items":[7],"total_count":1}', b'"text"'])
@pytest.mark.parametrize("ask", ["check", "read_stock", "push_stock", "item", "customer", "create"])
def test_json_that_is_no_answer_of_magento_is_an_ill_shop(place, adapter, ask, body):
    asks = {
        "check": adapter.check,
        "read_stock": lambda: adapter.read_stock([ItemRef("11")]),
        "push_stock": lambda: adapter.push_stock([StockLevel("11", "", Decimal(1))]),
        "item": lambda: adapter.push_records(ITEM, [RecordChange(ItemRef("11"), {"price": "1"})]),
        "customer": lambda: adapter.push_records(CUSTOMER, [RecordChange(ItemRef("2"), {"name": "A B"})]),
        "create": lambda: adapter.create_record(CUSTOMER, "new@example.test", {"name": "A B"}),
    }
    with (
        around(place, after=lambda request, response: setattr(response, "body", body)),
        pytest.raises(CartError) as raised,
    ):
        asks[ask]()
    assert isinstance(raised.value, Unavailable | ConfigError)
    assert ask == "create" or not [request.path for request in place.requests if request.method != "GET"]


# Who asks, and what the shop says ---------------------------------------------------------------------


def test_test_connection_says_how_it_asks_and_what_the_shop_has(place, adapter):
    info = adapter.check()
    assert (info.name, info.currency, info.timezone) == ("Practice shop", "USD", "America/New_York")
    assert info.permissions == (
        "Requests go signed with OAuth 1.0a; the integration may use orders, items, customers, refunds, stock"
    )
    assert [(each.external_id, each.name) for each in info.locations] == [("default", "Default Source")]
    assert info.can_write and info.version == "REST V1, multi-source inventory"
    assert {request.method for request in place.requests} == {"GET"}


def test_test_connection_of_a_shop_without_sources(place):
    with practice_shop(platform="magento", legacy_stock=True) as place:
        adapter = adapter_of(place)
        info = adapter.check()
        assert info.version == "REST V1, legacy stock" and [each.external_id for each in info.locations] == [
            magento.LEGACY
        ]
        adapter.close()


def test_a_bearer_token_is_refused_until_the_shop_allows_it():
    alone = {"consumer_key": "", "consumer_secret": "", "access_token_secret": ""}
    for takes_bearer in (False, True):
        with practice_shop(platform="magento", takes_bearer=takes_bearer) as place:
            adapter = adapter_of(place, **alone)
            if takes_bearer:
                assert "by the access token alone" in adapter.check().permissions
            else:
                with pytest.raises(AuthError, match="never set to take the access token alone"):
                    adapter.check()
            adapter.close()


def test_half_of_the_keys_is_told_before_anything_is_sent(place):
    adapter = adapter_of(place, consumer_secret="")
    with pytest.raises(ConfigError, match="Enter the consumer key"):
        adapter.check()
    assert len(place.requests) == 0


def test_a_clock_that_is_wrong_is_told_as_that(place, adapter):
    def late(request: Request, response: Response) -> None:
        response.status = 400
        response.body = b'{"message":"Incorrect timestamp value in the oauth_timestamp parameter"}'

    with around(place, after=late), pytest.raises(ConfigError, match="clock"):
        adapter.listing(ORDER, Listing())


@pytest.mark.parametrize("wrong", ["consumer_key", "consumer_secret", "access_token", "access_token_secret"])
def test_a_wrong_key_is_refused_and_told(place, wrong):
    adapter = adapter_of(place, **{wrong: "not-the-one"})
    with pytest.raises(AuthError):
        adapter.check()


def test_a_permission_that_is_missing_is_named():
    resources = ("Magento_Backend::store", "Magento_Catalog::products")
    with practice_shop(platform="magento", resources=resources) as place:
        adapter = adapter_of(place)
        with pytest.raises(AuthError, match="Magento_Sales::actions_view"):
            adapter.listing(ORDER, Listing())
        with pytest.raises(AuthError, match="may not read orders"):
            adapter.check()
        adapter.close()
    with practice_shop(platform="magento", resources=(*resources, "Magento_Sales::actions_view")) as place:
        adapter = adapter_of(place)
        info = adapter.check()
        assert not info.can_write and "not customers, refunds, stock" in info.permissions
        # A shop whose sources may not be seen is not taken for one without.
        assert info.locations == () and info.version == "REST V1, stock not readable"
        with pytest.raises(AuthError, match="Magento_InventoryApi"):
            adapter.push_stock([StockLevel("11", "", Decimal(1))])
        adapter.close()


def test_a_view_the_shop_does_not_have_is_told_with_those_it_has(place):
    adapter = adapter_of(place, store_code="france")
    with pytest.raises(ConfigError, match="no store view france; it has default"):
        adapter.check()
    with pytest.raises(ConfigError, match="no Magento REST API"):
        adapter.listing(ORDER, Listing())


def test_a_message_is_told_with_its_parameters_in_place(place, adapter):
    values = {"name": "Ada Byron", "billing": '{"address_1": "1 Road", "country": "GB"}', "phone": "7"}
    with pytest.raises(Rejected) as raised:
        adapter.create_record(CUSTOMER, "new@example.test", values)
    assert raised.value.sentence == 'The shop refused the request: "city" is required. Enter and try again.'
    numbered = b'{"message":"The %1 of %2 is %3.","parameters":["price","A"]}'
    assert magento._message(magento.Answer(400, {}, numbered)) == "The price of A is %3."


def test_an_unknown_sort_is_the_shops_own_error_and_is_tried_again(place, adapter, monkeypatch):
    with pytest.raises(Unavailable):
        adapter._list(ORDER, magento._criteria((), (("nosuch", "ASC"),)))


def test_no_secret_is_in_an_address_a_body_or_an_error(place, adapter):
    secrets = [value for name, value in place.credentials.items() if name != "store_code"]
    seen: list[str] = []
    with around(place, before=lambda request: seen.append(f"{request.target} {request.body!r}")):
        adapter.check()
        for kind in (ORDER, ITEM, CUSTOMER):
            everything(adapter, kind)
    assert seen and not [text for text in seen if any(secret in text for secret in secrets)]
    # The two that sign never travel at all.
    sent: list[str] = []
    with around(place, before=lambda request: sent.append(str(request.headers))):
        adapter.check()
    signing = [place.credentials["consumer_secret"], place.credentials["access_token_secret"]]
    assert all("oauth_signature_method" in text and "HMAC-SHA256" in text for text in sent)
    assert not [text for text in sent if any(secret in text for secret in signing)]
    place.faults.add("401", match="/orders")
    with pytest.raises(AuthError) as raised:
        adapter.listing(ORDER, Listing())
    assert not [secret for secret in secrets if secret in f"{raised.value} {raised.value.detail}"]


def test_addresses_of_the_admin_follow_the_path_that_was_entered(place):
    adapter = adapter_of(place, admin_path="/backstage/")
    assert adapter.admin_url(ORDER, "7") == f"{place.url}/backstage/sales/order/view/order_id/7/"
    assert re.search(r"/backstage/catalog/product/edit/id/8/$", adapter.admin_url(ITEM, "8"))
