"""Promises 8 and 9: stock converges, fields converge or ask, and nothing echoes."""

import random
from decimal import Decimal

import pytest
from django.utils import timezone

from backoffice.models import Customer, Item
from carts import gateway
from carts.choices import Kind, Outcome, PushKind, RecordState
from carts.models import Push, Record
from carts.services import control, ticking
from tests.contract.harness import HARNESSES
from tests.engine.helpers import elsewhere, external_id, fresh
from tests.platforms.around import around
from tests.push.conftest import count_in, kept, shows, writes
from tests.push.test_convergence import ITEMS as WARES
from tests.push.test_convergence import Life as LifeOfStock
from tests.push.test_convergence import converges
from tests.push.test_records import edit_here, edit_there, export, item_pair, sweep_anew
from tests.push.test_records_converge import ITEMS, echoes_nothing, settles
from tests.push.test_records_converge import Life as LifeOfRecords

# Hypothesis plays WooCommerce for hours' worth of lives (tests/push); here each platform has the same three.
SEEDS = (1, 2, 3)
FAULTS = ("500", "429", "timeout", "reset", "truncated", "html200")
PATHS = ("/batch", "/products", "/orders")


def story(seed: int, *kinds) -> list[tuple]:
    """Eighteen things that happen, each with its own chances; the same for the same seed."""
    dice = random.Random(seed)
    return [dice.choice(kinds)(dice) for _ in range(18)]


def fault(dice: random.Random) -> tuple:
    return "fault", dice.choice(FAULTS), dice.choice(PATHS), dice.random() < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_stock_converges_whatever_happens(stocked, place, seed):
    actions = story(
        seed,
        lambda dice: ("count", dice.randrange(WARES), dice.choice((-3, 2, 9, 17))),
        lambda dice: ("order", dice.randrange(WARES), dice.randrange(1, 4), dice.choice(("processing", "completed"))),
        lambda dice: ("pay or cancel", dice.choice(("processing", "cancelled"))),
        lambda dice: ("approve or cancel", dice.random() < 0.5),
        lambda dice: ("poll",),
        lambda dice: ("push",),
        lambda dice: ("sweep",),
        lambda dice: ("edit in the shop", dice.randrange(WARES), dice.randrange(50)),
        lambda dice: ("killed after sending",),
        lambda dice: ("killed before sending",),
        fault,
    )
    converges(LifeOfStock(stocked, place), actions)


@pytest.mark.parametrize("seed", SEEDS)
def test_items_converge_or_ask_whatever_happens(paired, place, seed):
    actions = story(
        seed,
        lambda dice: ("here", dice.randrange(ITEMS), dice.choice(("price", "name")), dice.randrange(1, 7)),
        lambda dice: ("there", dice.randrange(ITEMS), dice.choice(("price", "name")), dice.randrange(1, 7)),
        lambda dice: ("poll",),
        lambda dice: ("push",),
        lambda dice: ("sweep",),
        lambda dice: ("decide", dice.choice(("ours", "theirs"))),
        lambda dice: ("killed",),
        fault,
    )
    settles(LifeOfRecords(paired, place), actions)


def test_idle_minutes_write_nothing_and_one_change_is_one_write(paired, place):
    echoes_nothing(paired, place)


# One change, one write, step by step -----------------------------------------------------------------------


def goes(cart) -> None:
    """What the workers would do once, everything compared anew; what answers before it is done is done by now."""
    sweep_anew(cart)
    for _ in range(2):
        Push.objects.filter(due_at__gt=timezone.now()).update(due_at=timezone.now())
        ticking.push_stock(cart.pk)


@pytest.mark.parametrize("variation", [False, True])
def test_a_price_passes_both_ways_by_one_write_and_does_not_come_back(paired, place, variation):
    product, item = item_pair(place, variation=variation)
    edit_there(place, product, regular_price="77.70")
    goes(paired)
    assert fresh(item).price == Decimal("77.70") and writes(place) == []
    edit_here(fresh(item), price=Decimal("66.60"))
    goes(paired)
    assert Decimal(product.regular_price) == Decimal("66.60") and len(writes(place)) == 1
    goes(paired)
    assert len(writes(place)) == 1 and not Push.objects.exists()


def test_a_customer_passes_both_ways_with_the_address(paired, place):
    theirs = place.shop.customer_by_email("customer1@example.test")
    record = Record.objects.get(cart=paired, kind=Kind.CUSTOMER, external_id=external_id(place, theirs, Kind.CUSTOMER))
    place.shop.edit_customer(theirs.id, first_name="Adele")
    goes(paired)
    ours = Customer.objects.get(pk=record.local_id)
    assert ours.name == "Adele Shopper1" and writes(place) == []
    edit_here(ours, billing={**ours.billing, "city": "Leeds"})
    goes(paired)
    assert theirs.billing.city == "Leeds" and len(writes(place)) == 1
    goes(paired)
    assert len(writes(place)) == 1


@pytest.mark.parametrize("kind", [Kind.ITEM, Kind.CUSTOMER])
def test_after_stop_nothing_is_written_behind_the_request_in_flight(paired, place, kind):
    linked = Record.objects.filter(cart=paired, kind=kind, local_id__isnull=False, parent_id="").order_by("pk")[:3]
    values = {"description": "Other words"} if kind == Kind.ITEM else {"name": "Grace Hopper"}
    for record in linked:
        gateway.set_values(kind, record.local_id, values)
    stopped = []

    def stop(request) -> None:
        if not stopped and HARNESSES[place.platform_name].is_write(request):
            stopped.append(elsewhere(lambda: control.stop(fresh(paired), "staff")))

    with around(place, before=stop):
        ticking.push_records(paired.pk, PushKind(kind))
    assert stopped and len(writes(place)) == 1


def test_an_export_creates_what_is_missing_once(paired, place):
    new = Item.objects.create(sku="ONLY-HERE", name="Only here", price=Decimal("4.40"))
    assert export(paired, Kind.ITEM, new).counts == {Outcome.CREATED: 1}
    made = [row for row in place.shop.products.rows.values() if row.sku == "ONLY-HERE"]
    assert [(row.name, Decimal(row.regular_price)) for row in made] == [("Only here", Decimal("4.40"))]
    place.requests.clear()
    assert export(paired, Kind.ITEM, new).counts == {Outcome.UNCHANGED: 1}
    goes(paired)
    assert writes(place) == []


def test_stock_of_an_item_and_a_variation_is_ours_and_is_not_sent_again(stocked, place):
    for variation, quantity in ((False, 7), (True, 8)):
        product_id, item = kept(place, variation=variation)
        count_in(item, quantity)
        goes(stocked)
        assert shows(place, product_id) == quantity
    place.requests.clear()
    goes(stocked)
    assert writes(place) == [] and not Push.objects.exists()


def test_an_item_deleted_in_the_cart_is_missing_and_nothing_more_is_sent(paired, place):
    product, item = item_pair(place, variation=False)
    name = external_id(place, product, Kind.ITEM)
    place.shop.delete_product(product.id)
    goes(paired)
    assert Record.objects.get(cart=paired, kind=Kind.ITEM, external_id=name).state == RecordState.MISSING
    edit_here(item, price=Decimal(5))
    goes(paired)
    assert writes(place) == []
