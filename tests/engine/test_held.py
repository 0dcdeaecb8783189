"""Held orders: all lines or none, an answer releases every order it held, at once and for good."""

import pytest

from backoffice.models import Document, Item
from backoffice.services import items
from backoffice.types import NewItem
from carts.choices import Outcome, Reason, RecordState, RunState
from carts.errors import Refused
from carts.models import HeldFor, Record, RememberedAnswer, Run
from carts.services import held, problems, selection, ticking
from sandbox.records import Address
from sandbox.trading import LineDraft, OrderDraft
from tests.engine.helpers import (
    assert_none_lost_none_doubled,
    assert_runs_add_up,
    documents,
    elsewhere,
    fresh,
    know_the_items,
    poll,
    record_of,
    row_counts,
    running_cart,
    save,
    states,
)
from tests.platforms.around import around, rewriting

pytestmark = pytest.mark.django_db
NEW, OTHER = "SKU-0001", "SKU-0002"


@pytest.fixture
def cart(place):
    """Everything is known but two SKUs."""
    know_the_items(place, but=(NEW, OTHER))
    return running_cart(place)


def known_sku(place) -> str:
    return next(p.sku for p in place.shop.products.rows.values() if p.sku not in (NEW, OTHER, ""))


# Items ----------------------------------------------------------------------------------------------


def test_an_order_with_one_unknown_sku_is_held_whole(cart, place):
    order = place.shop.place_order(known_sku(place), NEW)
    before = row_counts()
    poll(cart)
    record = record_of(cart, order)
    assert (record.state, record.reason_code) == (RecordState.HELD, Reason.UNKNOWN_SKU)
    assert record.reason == f"SKU {NEW} is not among the items."
    after = row_counts()
    for table in ("Document", "DocumentLine", "Customer", "Item"):
        assert after[table] == before[table]


def test_an_answer_releases_every_order_held_for_it_and_no_other(cart, place):
    for skus in ((NEW,), (NEW, known_sku(place)), (OTHER,), (NEW, OTHER)):
        place.shop.place_order(*skus)
    poll(cart)
    assert {(group.key, group.orders) for group in problems.groups(cart)} == {("sku-0001", 3), ("sku-0002", 2)}
    item = items.create_item(NewItem(sku="OURS", name="Ours"))
    run = held.answer(cart, Reason.UNKNOWN_SKU, "sku-0001", item, "staff")
    assert (held.released(run), run.counts[Outcome.HELD], run.started_by) == (2, 1, "staff")
    assert len(documents(cart)) == 2
    assert {line.item_id for row in documents(cart).values() for line in row.lines.filter(sku=NEW)} == {item}
    held.answer(cart, Reason.UNKNOWN_SKU, "sku-0002", item, "staff")
    assert_none_lost_none_doubled(place, cart)
    assert HeldFor.objects.count() == 0
    assert_runs_add_up(cart)


def test_an_answer_counts_for_later_orders_too(cart, place):
    item = items.create_item(NewItem(sku="OURS", name="Ours"))
    assert held.answer(cart, Reason.UNKNOWN_SKU, "sku-0001", item, "staff") is None
    place.shop.place_order(NEW)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


def test_the_stand_in_item_releases_and_without_one_nothing_changes(cart, place):
    place.shop.place_order(NEW)
    poll(cart)
    before = row_counts()
    with pytest.raises(Refused, match="no stand-in item"):
        held.answer_with_stand_in(cart, "sku-0001", "staff")
    assert row_counts() == before
    stand_in = items.create_item(NewItem(sku="SUNDRIES", name="Sundries"))
    held.answer_with_stand_in(save(cart, stand_in_item_id=stand_in), "sku-0001", "staff")
    line = Document.objects.get().lines.get(kind="item")
    assert (line.item_id, line.sku) == (stand_in, NEW)


def test_a_new_item_takes_the_shops_sku_and_name(cart, place):
    place.shop.place_order(NEW)
    poll(cart)
    held.answer_with_new_item(cart, "sku-0001", "staff")
    item = Item.objects.get(sku=NEW)
    assert item.name == place.shop.product_by_sku(NEW).name
    assert_none_lost_none_doubled(place, cart)


def test_an_item_made_in_the_system_itself_releases_at_the_next_poll(cart, place):
    order = place.shop.place_order(NEW)
    poll(cart)
    place.shop.clock.advance(3600)
    place.shop.place_order(known_sku(place))  # the cursor leaves the held order far behind
    poll(cart)
    items.create_item(NewItem(sku=f" {NEW.lower()} ", name="Made by hand"))
    poll(cart)
    assert record_of(cart, order).state == RecordState.IMPORTED
    assert_none_lost_none_doubled(place, cart)
    assert_runs_add_up(cart)


def test_an_answer_given_in_the_middle_of_a_run_releases_what_that_run_held_after_it(place, transactional_db):
    know_the_items(place, but=(NEW,))
    cart = running_cart(place)
    item = items.create_item(NewItem(sku="OURS", name="Ours"))
    place.shop.place_order(NEW)

    def answer(*_) -> None:
        elsewhere(lambda: held.answer(cart, Reason.UNKNOWN_SKU, "sku-0001", item, "staff"))

    with around(place, after=answer):
        poll(cart)
    assert_none_lost_none_doubled(place, cart)


def test_a_release_that_was_killed_is_finished_by_the_next_poll(cart, place):
    """The answer is remembered before anything is released."""
    place.shop.place_order(NEW)
    poll(cart)
    item = items.create_item(NewItem(sku="OURS", name="Ours"))
    place.shop.clock.advance(3600)
    place.shop.place_order(known_sku(place))  # the cursor leaves the held order far behind
    poll(cart)
    RememberedAnswer.objects.create(cart=cart, kind="item", key="sku-0001", local_id=item)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)


def test_orders_that_stay_held_cost_no_run_at_every_poll(cart, place):
    place.shop.place_order(NEW, OTHER)
    poll(cart)
    item = items.create_item(NewItem(sku="OURS", name="Ours"))
    held.answer(cart, Reason.UNKNOWN_SKU, "sku-0001", item, "staff")
    runs = Run.objects.count()
    poll(cart), poll(cart)
    assert Run.objects.count() == runs


def test_a_line_whose_product_was_deleted_is_held_by_its_name(cart, place):
    order = place.shop.take_order(
        OrderDraft([LineDraft(name="Discontinued Lamp")], billing=Address(email="guest@example.test"))
    )
    poll(cart)
    need = HeldFor.objects.get()
    assert (need.record.external_id, need.key) == (str(order.id), "name:Discontinued Lamp")
    with pytest.raises(Refused, match="no SKU"):
        held.answer_with_new_item(cart, need.key, "staff")
    item = items.create_item(NewItem(sku="LAMP", name="Lamp"))
    held.answer(cart, Reason.UNKNOWN_SKU, need.key, item, "staff")
    assert_none_lost_none_doubled(place, cart)


# Retry and Ignore -----------------------------------------------------------------------------------


def test_retry_reads_the_order_from_the_shop_anew(cart, place):
    order = place.shop.place_order(NEW)
    poll(cart)
    place.shop.rename_sku(NEW, f"{NEW}-OLD")
    items.create_item(NewItem(sku=f"{NEW}-OLD", name="Renamed"))
    run = held.retry(record_of(cart, order), "staff")
    assert (run.state, run.counts) == (RunState.DONE, {Outcome.NEW: 1})
    assert_none_lost_none_doubled(place, cart)


def test_retry_of_an_order_gone_from_the_shop_decides_by_what_we_have(cart, place):
    order = place.shop.place_order(NEW)
    poll(cart)
    place.shop.delete_order(order.id)
    items.create_item(NewItem(sku=NEW, name="New"))
    held.retry(record_of(cart, order), "staff")
    assert set(documents(cart)) == {str(order.id)}


@pytest.mark.parametrize("way", ["retry", "pick"])
def test_an_order_that_failed_is_tried_again_when_a_person_asks(cart, place, way):
    """Its text in the shop is as it was: it is the system, or our reading of it, that was mended."""
    order = place.shop.place_order(known_sku(place))
    with around(place, after=rewriting({order.id: {"total": "oops"}})):
        poll(cart)
    assert states(cart) == {str(order.id): RecordState.FAILED}
    # As if it were not the shop's text that has changed since.
    Record.objects.update(digest=_digest_of(cart, order))
    if way == "retry":
        held.retry(record_of(cart, order), "staff")
    else:
        ticking.work_on_run(selection.begin(cart, "order", [str(order.id)], "staff").pk)
    assert_none_lost_none_doubled(place, cart)


def _digest_of(cart, order) -> bytes:
    from carts.services.connections import adapter_for

    return adapter_for(cart).fetch_many("order", [str(order.id)])[0].digest


def test_an_ignored_order_stays_away_until_a_person_picks_it(cart, place):
    order = place.shop.place_order(NEW)
    poll(cart)
    held.ignore(record_of(cart, order), "staff")
    items.create_item(NewItem(sku=NEW, name="New"))
    place.shop.edit_order(order.id, note="Edited")
    poll(cart)
    record = record_of(cart, order)
    assert (record.state, record.reason, documents(cart)) == (RecordState.IGNORED, "Ignored by staff.", {})
    assert problems.count() == 0
    run = selection.begin(cart, "order", [str(order.id)], "staff")
    ticking.work_on_run(run.pk)
    assert_none_lost_none_doubled(place, cart)


def test_an_imported_order_cannot_be_ignored(cart, place):
    order = place.shop.place_order(known_sku(place))
    poll(cart)
    with pytest.raises(Refused, match="has a document already"):
        held.ignore(record_of(cart, order), "staff")
    assert record_of(cart, order).state == RecordState.IMPORTED
    assert fresh(cart).records.count() >= 1
