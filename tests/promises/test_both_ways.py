"""Promises 8 and 9: stock converges, fields converge or ask, and nothing echoes."""

import random

import pytest

from tests.push.test_convergence import ITEMS as WARES
from tests.push.test_convergence import Life as LifeOfStock
from tests.push.test_convergence import converges
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
