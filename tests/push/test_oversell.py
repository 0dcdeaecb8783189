"""Two carts, one stock of ten, buyers at random moments: how many are sold that are not there."""

import random

import pytest

from carts.models import Cart
from carts.services import ticking
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import poll, running_cart
from tests.push.conftest import count_in, kept, link_all, shows

STOCK = 10
MOMENTS = 30
RULES = {"on": {"stock_percent": 50}, "off": {"stock_percent": 100}}


def settle(carts: list[Cart]) -> None:
    """Orders first, then stock, on both."""
    for cart in carts:
        poll(cart)
    for cart in carts:
        ticking.push_stock(cart.pk)


def sell(seed: int, carts: list[Cart], places: list[PracticeShop], product_id: int, sku: str) -> int:
    """Units sold at random moments between syncs; a shop sells what it shows and not more."""
    chance, sold = random.Random(seed), 0
    for _ in range(MOMENTS):
        place = chance.choice([*places, *places, None])
        if place is None:
            settle(carts)
        elif (shows(place, product_id) or 0) > 0:
            place.shop.place_order(sku)
            sold += 1
    settle(carts)
    left = max(0, STOCK - sold) * carts[0].stock_percent // 100
    assert [shows(place, product_id) for place in places] == [left, left]
    return sold


@pytest.mark.parametrize("seed", range(4))
def test_carts_that_share_their_stock_by_percent_sell_no_more_than_there_is(cart, place, seed):
    beyond = {}
    for name, rules in RULES.items():
        with practice_shop(products=20) as first, practice_shop(products=20) as second:
            places = [first, second]
            carts = [
                running_cart(each, name=f"{name} {number}", to_stock_updates=True, **rules)
                for number, each in enumerate(places)
            ]
            for each, its_place in zip(carts, places, strict=True):
                link_all(each, its_place)
                poll(each)
            product_id, item = kept(first)
            count_in(item, STOCK)
            settle(carts)
            sold = sell(seed, carts, places, product_id, item.sku)
            beyond[name] = max(0, sold - STOCK)
            # The next round begins with nothing on hand and nothing spoken for.
            Cart.objects.filter(pk__in=[each.pk for each in carts]).update(status="stopped")
            if sold != STOCK:
                count_in(item, sold - STOCK)
    print(f"seed {seed}: units sold beyond {STOCK}: rules on {beyond['on']}, off {beyond['off']}")
    assert beyond["on"] == 0 <= beyond["off"]
