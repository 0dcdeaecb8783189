"""Items and customers both ways: what changed on one side is changed on the other, once, and nothing echoes."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from backoffice.models import Customer, Document, Item
from carts.choices import Differs, Kind, Outcome, PushState, Reason, RecordState
from carts.models import Cart, Conflict, Feed, Outbox, Push, Record, Run
from carts.services import exporting, leases, selection, ticking, updates
from carts.services.connections import adapter_for
from sandbox.testing import PracticeShop
from tests.engine.helpers import fresh, know_the_items, poll, running_cart, save
from tests.push.conftest import writes

BOTH = {
    "from_item_updates": True,
    "from_customer_updates": True,
    "to_item_updates": True,
    "to_customer_updates": True,
}


@pytest.fixture
def cart(transactional_db: None, place: PracticeShop) -> Cart:
    """RUNNING, items and customers both ways; every one of the shop's is linked by Import selected."""
    know_the_items(place)
    cart = running_cart(place, last_update_time=timezone.now() - timedelta(days=400), **BOTH)
    take_all(cart, place)
    turn(cart)
    place.requests.clear()
    return fresh(cart)


def take_all(cart: Cart, place: PracticeShop) -> None:
    rows = place.shop.products.rows.values()
    pick(cart, Kind.ITEM, [str(row.id) for row in rows if not row.parent_id])
    pick(cart, Kind.CUSTOMER, [str(row) for row in place.shop.customers.rows])


def pick(cart: Cart, kind: Kind, ids: list[str]) -> Run:
    run = selection.begin(cart, kind, ids, "staff")
    ticking.work_on_run(run.pk)
    return fresh(run)


def turn(cart: Cart) -> None:
    """What the workers would do once: both feeds, and everything that waits to be sent."""
    for feed in Feed.objects.filter(cart=cart).exclude(kind=Kind.ORDER):
        token = leases.claim_feed(feed.pk)
        assert token
        updates.poll(feed.pk, token)
        feed.refresh_from_db()
        assert not feed.error, feed.error
    for kind in ("item", "customer"):
        ticking.push_records(cart.pk, kind)


def sweep_anew(cart: Cart) -> None:
    Feed.objects.filter(cart=cart).update(swept_at=None)
    turn(cart)


def export(cart: Cart, kind: Kind, *records: Any) -> Run:
    run = exporting.begin(cart, kind, [each.pk for each in records], "staff")
    ticking.work_on_run(run.pk)
    return fresh(run)


def item_pair(place: PracticeShop, number: int = 0, *, variation: bool = False) -> tuple[Any, Item]:
    """(the shop's product, our item)."""
    ours = {item.sku: item for item in Item.objects.all()}
    rows = [
        row
        for row in place.shop.products.rows.values()
        if row.sku in ours and bool(row.parent_id) is variation and row.kind != "variable"
    ]
    return rows[number], ours[rows[number].sku]


def customer_pair(cart: Cart, place: PracticeShop) -> tuple[Any, Customer]:
    record = Record.objects.filter(cart=cart, kind=Kind.CUSTOMER, local_id__isnull=False).order_by("pk")[0]
    return place.shop.customers.rows[int(record.external_id)], Customer.objects.get(pk=record.local_id)


def edit_there(place: PracticeShop, product: Any, **values: Any) -> None:
    """As the shop's own staff do it."""
    with place.shop.changing():
        for name, value in values.items():
            setattr(product, name, value)
        place.shop.touch_product(product)


def edit_here(record: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(record, name, value)
    record.save()


def record_of(cart: Cart, row: Any, kind: Kind = Kind.ITEM) -> Record:
    return Record.objects.get(cart=cart, kind=kind, external_id=str(row.id))


def test_an_item_changed_in_the_cart_changes_here(cart, place):
    product, item = item_pair(place)
    edit_there(place, product, name="New name", regular_price="77.70")
    turn(cart)
    item = fresh(item)
    assert (item.name, item.price) == ("New name", Decimal("77.7"))
    assert writes(place) == []  # no echo
    assert item.history.count() >= 2


def test_a_variation_changed_in_the_cart_changes_here(cart, place):
    product, item = item_pair(place, variation=True)
    edit_there(place, product, regular_price="66.60")
    sweep_anew(cart)
    assert fresh(item).price == Decimal("66.6")
    assert writes(place) == []


def test_an_item_changed_here_changes_in_the_cart_by_one_write_of_the_changed_fields(cart, place):
    product, item = item_pair(place)
    edit_here(item, price=Decimal("12.50"))
    ticking.push_records(cart.pk, "item")
    sent = [each for each in place.requests if each.method != "GET"]
    assert len(sent) == 1
    assert place.shop.products.rows[product.id].regular_price == "12.5"
    assert b'"regular_price"' in sent[0].body and b'"name"' not in sent[0].body
    place.requests.clear()
    for _ in range(3):
        sweep_anew(cart)
    assert writes(place) == []
    assert fresh(item).price == Decimal("12.50")


def test_a_text_that_the_shop_shows_in_its_own_way_is_no_change_of_the_shop_s(cart, place):
    product, item = item_pair(place)
    edit_here(item, description="One line\nand another")
    ticking.push_records(cart.pk, "item")
    assert place.shop.products.rows[product.id].extra["description"] == "One line\nand another"
    for _ in range(2):
        sweep_anew(cart)
    assert fresh(item).description == "One line\nand another"
    assert len(writes(place)) == 1


def test_a_variation_changed_here_changes_under_its_product(cart, place):
    product, item = item_pair(place, variation=True)
    edit_here(item, price=Decimal("9.99"), name="Not sent: a variation's name is the shop's")
    ticking.push_records(cart.pk, "item")
    assert place.shop.products.rows[product.id].regular_price == "9.99"
    assert writes(place) == [f"POST /wp-json/wc/v3/products/{product.parent_id}/variations/batch"]


def test_customers_pass_both_ways(cart, place):
    theirs, ours = customer_pair(cart, place)
    place.shop.edit_customer(theirs.id, first_name="Ada", last_name="Byron")
    sweep_anew(cart)
    assert fresh(ours).name == "Ada Byron"
    edit_here(fresh(ours), phone="+1 555 0100", company="Engines Ltd")
    ticking.push_records(cart.pk, "customer")
    billing = place.shop.customers.rows[theirs.id].billing
    assert (billing.phone, billing.company) == ("+1 555 0100", "Engines Ltd")
    assert len(writes(place)) == 1
    place.requests.clear()
    sweep_anew(cart)
    assert writes(place) == []


def test_an_address_changed_in_the_cart_changes_the_customer_and_no_document(cart, place):
    theirs, ours = customer_pair(cart, place)
    place.shop.place_order("SKU-0001", email=theirs.email, status="processing")
    poll(cart)
    document = Document.objects.get()
    shipped_to = document.shipping
    before = theirs.shipping
    place.shop.edit_customer(theirs.id, shipping=type(before)(**{**vars_of(before), "city": "Elsewhere"}))
    sweep_anew(cart)
    assert fresh(ours).shipping["city"] == "Elsewhere"
    assert fresh(document).shipping == shipped_to != fresh(ours).shipping


def vars_of(value: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in getattr(value, "__struct_fields__", None) or value.__slots__}


def test_both_sides_changed_asks_and_shows_both_values(cart, place):
    product, item = item_pair(place)
    edit_there(place, product, regular_price="20")
    edit_here(item, price=Decimal("30"))
    turn(cart)
    conflict = Conflict.objects.get()
    assert (conflict.field, conflict.ours, conflict.theirs) == ("price", "30", "20")
    assert writes(place) == []
    assert fresh(item).price == 30
    assert record_of(cart, product).differs == Differs.BOTH


@pytest.mark.parametrize(("owner", "price"), [("system", 30), ("cart", 20)])
def test_the_owner_of_a_field_decides_when_both_changed(cart, place, owner, price):
    cart = save(cart, field_owners={"item.price": owner})
    product, item = item_pair(place)
    edit_there(place, product, regular_price="20")
    edit_here(item, price=Decimal("30"))
    turn(cart)
    turn(cart)
    assert fresh(item).price == price
    assert place.shop.products.rows[product.id].regular_price == str(price)
    assert not Conflict.objects.exists()


def test_the_last_change_wins_where_staff_said_so(cart, place):
    cart = save(cart, field_owners={"item.price": "last"})
    product, item = item_pair(place)
    edit_there(place, product, regular_price="20")
    Item.objects.filter(pk=item.pk).update(modified_at=timezone.now())
    edit_here(fresh(item), price=Decimal("30"))
    Item.objects.filter(pk=item.pk).update(modified_at=timezone.now() + timedelta(hours=1))
    turn(cart)
    turn(cart)
    assert place.shop.products.rows[product.id].regular_price == "30"


def test_a_record_deleted_in_the_cart_is_missing_and_not_created_again(cart, place):
    product, item = item_pair(place)
    place.shop.delete_product(product.id)
    sweep_anew(cart)
    record = record_of(cart, product)
    assert (record.state, record.reason_code) == (RecordState.MISSING, Reason.GONE)
    edit_here(item, price=Decimal("5"))
    turn(cart)
    assert writes(place) == []


def test_one_deleted_here_on_purpose_stays_deleted_until_it_is_imported_again(cart, place):
    cart = save(cart, new_items="create")
    product, item = item_pair(place)
    sku = item.sku
    item.delete()
    edit_there(place, product, name="Changed there afterwards")
    sweep_anew(cart)
    assert not Item.objects.filter(sku=sku).exists()
    assert record_of(cart, product).reason_code == Reason.DELETED_HERE
    pick(cart, Kind.ITEM, [str(product.id)])
    assert Item.objects.get(sku=sku).name == "Changed there afterwards"


def test_new_items_are_offered_or_created_as_set(cart, place):
    offered = place.shop.add_product("OFFERED-1", "Offered")
    turn(cart)
    assert record_of(cart, offered).state == RecordState.SEEN
    assert not Item.objects.filter(sku="OFFERED-1").exists()
    cart = save(cart, new_items="create")
    sweep_anew(cart)
    created = place.shop.add_product("CREATED-1", "Created")
    turn(cart)
    assert record_of(cart, created).local_id == Item.objects.get(sku="CREATED-1").pk
    assert writes(place) == []


def test_with_updates_from_the_cart_off_nothing_is_taken_but_deletions_are_noticed(cart, place):
    cart = save(cart, from_item_updates=False, from_customer_updates=False)
    product, item = item_pair(place)
    name = item.name
    edit_there(place, product, name="Stays there")
    sweep_anew(cart)
    assert fresh(item).name == name
    assert record_of(cart, product).differs == Differs.THERE
    assert writes(place) == []


def test_a_refused_change_stays_visible_and_blocks_no_other(cart, place):
    product, item = item_pair(place)
    other, second = item_pair(place, 1)
    edit_here(item, price=Decimal("1.5"))
    edit_here(second, price=Decimal("2.5"))
    place.shop.delete_product(product.id)
    ticking.push_records(cart.pk, "item")
    assert record_of(cart, product).state == RecordState.MISSING
    assert place.shop.products.rows[other.id].regular_price == "2.5"
    assert not Push.objects.filter(state=PushState.WAITING).exists()


def test_a_write_whose_answer_was_lost_is_not_written_again(cart, place):
    product, item = item_pair(place)
    edit_here(item, price=Decimal("3.25"))
    place.faults.add("reset", match="products/batch", processed=True, times=1)
    ticking.push_records(cart.pk, "item")
    assert place.shop.products.rows[product.id].regular_price == "3.25"
    Outbox.objects.update(next_drain_at=None)
    ticking.push_records(cart.pk, "item")
    assert len(writes(place)) == 1
    assert not Push.objects.exists()


def test_an_export_matches_first_creates_what_is_missing_and_a_second_creates_nothing(cart, place):
    product, linked = item_pair(place)
    Record.objects.filter(cart=cart, kind=Kind.ITEM, external_id=str(product.id)).delete()
    new = Item.objects.create(sku="ONLY-HERE", name="Only here", price=Decimal("4.40"))
    run = export(cart, Kind.ITEM, linked, new)
    assert run.counts.get(Outcome.CREATED) == 1, (run.counts, list(run.items.values()))
    assert record_of(cart, product).local_id == linked.pk
    made = [row for row in place.shop.products.rows.values() if row.sku == "ONLY-HERE"]
    assert [row.regular_price for row in made] == ["4.4"]
    place.requests.clear()
    again = export(cart, Kind.ITEM, linked, new)
    assert again.counts == {Outcome.UNCHANGED: 2}, list(again.items.values_list("message"))
    assert writes(place) == []
    turn(cart)
    assert writes(place) == []


def test_an_export_whose_creation_was_lost_looks_first(cart, place):
    new = Item.objects.create(sku="ONCE", name="Once", price=Decimal("4.40"))
    place.faults.add("reset", match="/products", processed=True, times=1)
    run = exporting.begin(cart, Kind.ITEM, [new.pk], "staff")
    for _ in range(4):
        Run.objects.filter(pk=run.pk).update(lease_until=None)
        ticking.work_on_run(run.pk)
    assert len([row for row in place.shop.products.rows.values() if row.sku == "ONCE"]) == 1
    assert fresh(run).items.get().outcome in (Outcome.ALREADY, Outcome.CREATED)


def test_customers_are_exported_by_e_mail(cart, place):
    _, ours = customer_pair(cart, place)
    new = Customer.objects.create(code="C-NEW", name="Grace Hopper", billing={"city": "Arlington", "country": "US"})
    new.emails.create(email="grace@example.com")
    run = export(cart, Kind.CUSTOMER, ours, new)
    assert run.counts == {Outcome.UNCHANGED: 1, Outcome.CREATED: 1}, list(run.items.values_list("message"))
    made = place.shop.customer_by_email("grace@example.com")
    assert (made.first_name, made.last_name, made.billing.city) == ("Grace", "Hopper", "Arlington")


def test_last_update_time_moves_with_the_cursors_of_both_feeds(cart, place):
    product, _ = item_pair(place)
    edit_there(place, product, name="Later")
    before = fresh(cart).last_update_time
    turn(cart)
    assert fresh(cart).last_update_time >= before
    assert Feed.objects.get(cart=cart, kind=Kind.ITEM).high_water is not None


def test_a_sweep_goes_on_where_it_was_cut_off(cart, place):
    Feed.objects.filter(cart=cart, kind=Kind.CUSTOMER).update(
        swept_at=None, sweep_position="2", sweep_started_at=timezone.now() - timedelta(minutes=1)
    )
    place.requests.clear()
    turn(cart)
    assert [each.query.get("page") for each in place.requests if each.path.endswith("/customers")] == ["2"]
    assert not any(r.state == RecordState.MISSING for r in Record.objects.filter(cart=cart, kind=Kind.CUSTOMER))


def test_an_item_can_be_saved_while_a_cart_s_credentials_cannot_be_read(cart, place):
    _, item = item_pair(place)
    Cart.objects.update(credentials="not a token")
    edit_here(item, price=Decimal("3"))
    assert fresh(item).price == 3 and Push.objects.filter(kind="item", local_id=item.pk).exists()


def test_a_sweep_does_not_move_the_cursor_of_what_the_shop_can_name(cart, place):
    feed = Feed.objects.get(cart=cart, kind=Kind.ITEM)
    product, _ = item_pair(place)
    edit_there(place, product, name="Met by the sweep")
    token = leases.claim_feed(feed.pk)
    work = updates.UpdatePoll(fresh(feed), token)
    work._sweep(adapter_for(cart))
    assert work.high_water == feed.high_water


def test_variations_are_read_again_where_a_worker_was_killed_before_it_took_them(cart, place):
    variation, item = item_pair(place, variation=True)
    Record.objects.filter(reason_code=Reason.GROUP).update(digest=b"")
    edit_there(place, variation, regular_price="55.5")
    turn(cart)
    assert fresh(item).price == Decimal("55.5")
    assert not Record.objects.filter(reason_code=Reason.GROUP, digest=b"").exists()
