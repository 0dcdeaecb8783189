"""The bench's figures are computed from what was measured, and its machinery runs on tiny numbers."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from typing import Any

import pytest

from bench import budget, figures, table
from bench.shop import products_for, shop
from bench.sizes import QUICK, Sizes

TINY = Sizes(
    orders=120,
    customers=20,
    items=60,
    plain=100,
    plain_slow=100,
    slow=110,
    floor_slow=110,
    in_flight=110,
    pairs=1,
    backlog=120,
    few_records=100,
    many_records=200,
    stock_changes=3,
    stock_changes_slow=2,
    burst=40,
    one_by_one=5,
    stock_items=20,
    limited=300,
)
# Seconds of single changes and of direct calls; of bursts, calls and seconds.
PUSHED = {
    "window": 0.1,
    "latency": {"ours": [0.02] * 19 + [0.06, 0.5], "direct": [0.01] * 19 + [0.02, 0.3]},
    "slow": {"ours": [0.08, 0.09], "direct": [0.05, 0.05]},
    "together": {"calls": 10, "left": 10, "tail": 0.35, "plain": 0.2},
    "one_by_one": {"calls": 31, "left": 1, "tail": 0.04, "plain": 0.02, "windows": 20.0},
    "variations": {"calls": 11},
}
# Seconds an order, three rounds; the middle ratio is what counts, not the ratio of the middles.
MEASURED = {
    "at_once": {"plain": [0.012, 0.024, 0.010], "floor": [0.0002, 0.0004, 0.0001], "ours": [0.001, 0.001, 0.0005]},
    "slow": {"plain": [0.02] * 3, "floor": [0.003] * 3, "ours": [0.0021, 0.0022, 0.0030], "ideal": [0.002] * 3},
    "slow_in_flight": {"ours": [0.0006, 0.0007, 0.0012], "ideal": [0.0005] * 3, "work": [0.0001, 0.0001, 0.001]},
    "again": {"first": [1.0, 1.0, 1.0], "second": [0.1, 0.05, 0.2], "statements": 0.16, "rows_written": 0},
    "idle": {"requests": 1, "writes": 0},
}


def found(database: str) -> dict[str, figures.Figure]:
    return {figure.what: figure for figure in figures.of_import(database, MEASURED)}


def test_ratios_are_medians_of_the_rounds():
    by_name = found("PostgreSQL")
    assert by_name["import: times as fast as the plain way"].value == pytest.approx(20)
    assert by_name["import: time beside the floor's"].value == pytest.approx(5)
    assert by_name["orders a second, 0 ms: import"].value == pytest.approx(1000)
    assert by_name["second import: times as fast"].value == pytest.approx(10)


def test_the_ideal_is_the_fetching_or_the_work_whichever_is_longer():
    by_name = found("SQLite")
    assert by_name["200 ms, one at a time: time beside fetching alone"].value == pytest.approx(1.1)
    # 6/5, 7/5 and, the work being longer in that round, 12/10.
    assert by_name["200 ms, four in flight: time beside fetching alone or work alone"].value == pytest.approx(1.2)


def test_every_target_is_judged_and_twelve_times_the_plain_way_is_postgresqls():
    by_name = found("PostgreSQL")
    assert by_name["import: times as fast as the plain way"].is_met is True
    assert by_name["SQL statements an order"].is_met is False
    assert by_name["idle poll: requests"].is_met is True
    assert by_name["orders a second, 0 ms: floor"].is_met is None
    assert found("SQLite")["import: times as fast as the plain way"].is_met is None
    assert [f.is_met for f in figures.of_memory(100, 112, QUICK)] == [None, None, False]
    assert [f.is_met for f in figures.of_lists({"Runs/few": [0.02], "Runs/many": [0.04]}, QUICK)] == [False]


def test_pushes_are_judged_by_their_slow_end_and_bursts_by_what_a_window_leaves():
    one, direct, beside, *slow, calls, left, each_window, nothing_left, variations = figures.of_pushing(PUSHED, QUICK)
    assert (one.value, direct.value) == (pytest.approx(60), pytest.approx(20))
    assert (beside.value, beside.is_met) == (pytest.approx(3), True)
    assert [figure.is_met for figure in slow] == [None, None, True]
    assert (calls.value, calls.is_met) == (10, True)
    assert (left.value, left.is_met) == (pytest.approx(1.25), False)
    assert (each_window.value, each_window.is_met) == (pytest.approx(1.55), False)
    assert (nothing_left.value, nothing_left.is_met) == (0, True)
    assert variations.is_met is False
    without_bursts = {name: PUSHED[name] for name in ("window", "latency", "slow")}
    assert len(figures.of_pushing(without_bursts, QUICK)) == 6


def test_the_table_and_the_json_show_the_same_figures():
    groups = {"PostgreSQL": figures.of_import("PostgreSQL", MEASURED)}
    text = table.as_text(groups, QUICK, 7, is_quick=True)
    written = json.loads(json.dumps(table.as_json(groups, QUICK, 7, is_quick=True)))
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert "import: times as fast as the plain way 20.00 x at least 12 met" in rows
    assert "SQL statements an order 0.160 at most 0.15 MISSED" in rows
    assert "django-shopify-sync, import 33" in rows
    assert "quoted, not measured here" in text and "QUICK" in text
    assert [row["value"] for row in written["figures"]["PostgreSQL"]] == [f.value for f in groups["PostgreSQL"]]
    assert written["quoted_orders_a_second"] == table.QUOTED


def test_a_budget_is_judged_by_its_use_its_refusals_and_the_slowest_push():
    measured = {
        "orders": 5_000, "seconds": 600.0, "used": 950.0, "allowed": 1000.0, "calls": 2000, "refusals": 1,
        "pushes": [(0.4, 0.0), (6.0, 4.5)], "looks": [0.5, None],
    }  # fmt: skip
    use, refused, waited, *told = figures.of_budget(measured)
    assert (use.value, use.is_met) == (95.0, True)
    assert (refused.value, refused.is_met) == (0.5, True)
    assert (waited.value, waited.is_met) == (4.5, True)
    assert [figure.value for figure in told] == [6.0, 0.5, 50, 2000, 600.0]
    assert all(figure.target is None for figure in told)


def printed_by(module: str, given: dict[str, Any]) -> Any:
    command = [sys.executable, "-m", f"bench.{module}", json.dumps(given)]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    printed = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True, env=environment).stdout
    return json.loads(printed)


def test_an_import_is_measured_beside_the_plain_way_and_the_floor():
    with shop(orders=TINY.orders, customers=TINY.customers, items=TINY.items) as url:
        given = {"fast": url, "slow": url, "database": "", "sizes": asdict(TINY)}
        measured = printed_by("importing", given)
    assert {side: len(rounds) for side, rounds in measured["at_once"].items()} == {"plain": 1, "floor": 1, "ours": 1}
    assert measured["again"]["rows_written"] == 0
    assert measured["idle"] == {"requests": 1, "writes": 0}
    assert len(figures.of_import("SQLite", measured)) == 15


@pytest.mark.kill
def test_stock_pushed_by_a_worker_is_measured_alone_and_in_bursts(redis_url):
    with shop(orders=0, customers=1, items=products_for(TINY.stock_items)) as url:
        measured = printed_by("pushing", {"shop": url, "database": "", "broker": redis_url, "sizes": asdict(TINY)})
    assert {side: len(seconds) for side, seconds in measured["latency"].items()} == {"ours": 3, "direct": 3}
    assert all(seconds > 0 for side in measured["latency"].values() for seconds in side)
    assert measured["variations"]["calls"] >= 10
    assert len(figures.of_pushing(measured, TINY)) == 11


def test_stock_pushed_by_the_embedded_set_up_is_measured():
    with shop(orders=0, customers=1, items=products_for(TINY.stock_items)) as url:
        measured = printed_by("pushing", {"shop": url, "database": "", "broker": "", "sizes": asdict(TINY)})
    assert len(figures.of_pushing(measured, TINY)) == 6


SMALLER = {
    "shopify": {"orders": 600, "times": 30, "left": 400.0},
    "bigcommerce": {"orders": 900, "times": 4, "quota": 10, "window_seconds": 2},
}


@pytest.mark.parametrize("platform", SMALLER)
def test_an_import_uses_the_allowance_while_stock_is_pushed(platform):
    """Smaller and faster than in the bench, so the part that is over at the end weighs more."""
    measured = printed_by("budget", budget.given(platform, database="", **SMALLER[platform]))
    use, refused, waited, *_ = figures.of_budget(measured)
    assert measured["orders"] == SMALLER[platform]["orders"]
    assert refused.value == 0
    assert len(measured["pushes"]) > 0 and waited.value < 5
    assert use.value > 60
