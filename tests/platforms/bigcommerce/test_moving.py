"""Lists that move while they are read, in many ways: rows share seconds, leave them, and come into the newest one."""

import random
from datetime import timedelta
from typing import Any

import pytest

from carts.platforms.bigcommerce import PATHS, PER_PAGE
from carts.records import CUSTOMER, ITEM, ORDER, Window
from sandbox.testing import PracticeShop, practice_shop
from tests.platforms.around import around
from tests.platforms.bigcommerce.conftest import NOON, adapter_of

EDITS_AT_MOST = 60  # then the shop is quiet, so that the reading comes to an end


class Moving:
    """A shop of some dozens of rows in crowded seconds, edited at requests by the dice of `seed`."""

    def __init__(self, place: PracticeShop, kind: str, seed: int) -> None:
        self.place, self.kind, self.dice = place, kind, random.Random(seed)
        self.edits, self.share = 0, self.dice.random()
        self.rows = [self._make(number) for number in range(self.dice.randrange(20, 60))]

    def _make(self, number: int) -> Any:
        shop = self.place.shop
        if self.dice.random() < 0.4:
            shop.clock.advance(self.dice.choice((1, 1, 2, 5)))
        if self.kind == ORDER:
            return shop.place_order()
        if self.kind == ITEM:
            return shop.add_product(f"P-{number}", f"Thing {number}", "1.00")
        return shop.add_customer(f"c{number}@example.test", "C", str(number), modified=shop.clock.now())

    def edit(self, request) -> None:
        if (
            not request.path.endswith(PATHS[self.kind])
            or self.edits >= EDITS_AT_MOST
            or self.dice.random() > self.share
        ):
            return
        self.edits += 1
        self.place.shop.clock.advance(self.dice.choice((0, 0, 1, 2)))
        chosen = self.dice.sample(self.rows, self.dice.choice((1, 1, 3, 8)))
        name = {ORDER: "order", ITEM: "product", CUSTOMER: "customer"}[self.kind]
        self.place.shop.touch_rows(name, [row.id for row in chosen])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", [ORDER, ITEM, CUSTOMER])
def test_no_row_is_lost_whatever_moves(kind, seed, monkeypatch):
    for each in PER_PAGE:
        monkeypatch.setitem(PER_PAGE, each, 5 + seed % 4)
    with practice_shop(platform="bigcommerce", products=2, customers=0) as place:
        place.shop.clock.set(NOON)
        moving = Moving(place, kind, seed)
        since = NOON + timedelta(seconds=seed % 3)
        wanted = {row.id for row in moving.rows if row.modified >= since}
        with around(place, before=moving.edit):
            rows = [row for page in adapter_of(place).fetch(kind, Window(since)) for row in page.rows]
        assert wanted <= {int(row.external_id.partition("-")[0]) for row in rows}
        assert moving.edits > 0 or seed == 0
