"""From seconds measured to the figures of the table, each beside its target. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

from bench.measuring import ratio
from bench.sizes import Sizes

AT_LEAST, AT_MOST, BELOW = "at least", "at most", "below"


@dataclass(frozen=True)
class Figure:
    """One line of the table. Without a target it is there to be read."""

    what: str
    value: float
    unit: str = "x"
    bound: str = ""
    target: float | None = None

    @property
    def is_met(self) -> bool | None:
        if self.target is None:
            return None
        compared = {
            AT_LEAST: self.value >= self.target,
            AT_MOST: self.value <= self.target,
            BELOW: self.value < self.target,
        }
        return compared[self.bound]


def of_budget(measured: Mapping[str, Any]) -> list[Figure]:
    """Of what bench.budget printed. Seconds are the shop's."""
    totals, waits = zip(*measured["pushes"] or [(0.0, 0.0)], strict=True)
    # Windows that were not seen from end to end are not counted; a short import sees none.
    used = 100 * measured["used"] / measured["allowed"] if measured["allowed"] else 0.0
    at_least = (AT_LEAST, 90) if measured["allowed"] else ("", None)
    looks, opened = [each for each in measured["looks"] if each is not None], max(1, len(measured["looks"]))
    refused = 1000 * measured["refusals"] / measured["calls"]
    return [
        Figure(f"import of {measured['orders']:,} orders: allowance used", used, "%", *at_least),
        Figure("requests refused, of 1,000", refused, "", BELOW, 1),
        Figure("stock pushed meanwhile: longest wait for the budget", max(waits), "s", BELOW, 5),
        Figure("stock pushed meanwhile: slowest, read and written", max(totals), "s"),
        Figure("live list opened meanwhile: slowest", max(looks, default=0.0), "s"),
        Figure("live list opened meanwhile: told to come again", 100 * measured["looks"].count(None) / opened, "%"),
        Figure("requests", measured["calls"], ""),
        Figure("the import took", measured["seconds"], "s"),
    ]


def of_import(database: str, measured: Mapping[str, Any]) -> list[Figure]:
    """Of what bench.importing printed. The 12 times hold for PostgreSQL only."""
    fast, slow, again, idle = (measured[name] for name in ("at_once", "slow", "again", "idle"))
    times_plain = (AT_LEAST, 12) if database == "PostgreSQL" else ("", None)
    return [
        Figure("orders a second, 0 ms: plain way", 1 / median(fast["plain"]), "/s"),
        Figure("orders a second, 0 ms: floor", 1 / median(fast["floor"]), "/s"),
        Figure("orders a second, 0 ms: import", 1 / median(fast["ours"]), "/s"),
        Figure("import: times as fast as the plain way", ratio(fast["plain"], fast["ours"]), "x", *times_plain),
        Figure("import: time beside the floor's", ratio(fast["ours"], fast["floor"]), "x", AT_MOST, 5),
        Figure("orders a second, 200 ms, one at a time: plain way", 1 / median(slow["plain"]), "/s"),
        Figure("orders a second, 200 ms, one at a time: floor", 1 / median(slow["floor"]), "/s"),
        Figure("orders a second, 200 ms, one at a time: import", 1 / median(slow["ours"]), "/s"),
        Figure(
            "200 ms, one at a time: time beside fetching alone", ratio(slow["ours"], slow["ideal"]), "x", AT_MOST, 1.05
        ),
        Figure(
            "200 ms, four in flight: time beside fetching alone or work alone",
            in_flight(measured["slow_in_flight"]),
            "x",
            AT_MOST,
            1.15,
        ),
        Figure("SQL statements an order", again["statements"], "", AT_MOST, 0.15),
        Figure("second import: times as fast", ratio(again["first"], again["second"]), "x", AT_LEAST, 10),
        Figure("second import: statements that write a row", again["rows_written"], "", AT_MOST, 0),
        Figure("idle poll: requests", idle["requests"], "", AT_MOST, 1),
        Figure("idle poll: writes but the heartbeat", idle["writes"], "", AT_MOST, 0),
    ]


def in_flight(sides: Mapping[str, list[float]]) -> float:
    """Beside the fetching alone, or the work alone at 0 ms, whichever is longer: one can hide behind the other."""
    ideals = [max(ideal, work) for ideal, work in zip(sides["ideal"], sides["work"], strict=True)]
    return ratio(sides["ours"], ideals)


def of_memory(few: float, many: float, sizes: Sizes) -> list[Figure]:
    """Peaks in MiB, of `sizes.orders` and of `sizes.backlog` orders."""
    return [
        Figure(f"peak memory, {sizes.orders:,} orders", few, "MiB"),
        Figure(f"peak memory, {sizes.backlog:,} orders", many, "MiB"),
        Figure("peak memory, beside each other", many / few, "x", AT_MOST, 1.1),
    ]


def of_lists(measured: Mapping[str, list[float]], sizes: Sizes) -> list[Figure]:
    names = dict.fromkeys(name.rpartition("/")[0] for name in measured)
    sides = f"{sizes.many_records:,} beside {sizes.few_records:,} records"
    return [
        Figure(f"list {name}, {sides}", ratio(measured[f"{name}/many"], measured[f"{name}/few"]), "x", BELOW, 2)
        for name in names
    ]


def of_pushing(measured: Mapping[str, Any], sizes: Sizes) -> list[Figure]:
    """Of what bench.pushing printed: single changes, and bursts where there were any."""
    figures = of_single_changes("0 ms", measured["latency"]) + of_single_changes("50 ms", measured["slow"])
    if "together" not in measured:
        return figures
    together, single = measured["together"], measured["one_by_one"]
    at_once, singly = f"{sizes.burst:,} changes in one commit", f"{sizes.one_by_one:,} changes one by one"
    return [
        *figures,
        Figure(f"{at_once}: calls that write stock", together["calls"], "", AT_MOST, 12),
        Figure(f"{at_once}: time left beside the calls alone", time_left(measured, "together"), "x", AT_MOST, 1.2),
        Figure(f"{singly}: calls for each window", single["calls"] / single["windows"], "", AT_MOST, 1.5),
        Figure(f"{singly}: time left beside the calls alone", time_left(measured, "one_by_one"), "x", AT_MOST, 1.2),
        Figure("100 variations of 10 products: calls", measured["variations"]["calls"], "", AT_MOST, 10),
    ]


def of_single_changes(shop: str, sides: Mapping[str, Sequence[float]]) -> list[Figure]:
    ours, direct = percentile_95(sides["ours"]), percentile_95(sides["direct"])
    return [
        Figure(f"one change, {shop}: at the shop after, 95th percentile", ours * 1000, "ms"),
        Figure(f"one change, {shop}: the same by a direct call", direct * 1000, "ms"),
        Figure(f"one change, {shop}: time beside a direct call's", ours / direct, "x", AT_MOST, 3),
    ]


def percentile_95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20, method="inclusive")[-1]


def time_left(measured: Mapping[str, Any], burst: str) -> float:
    """From the last commit until all is at the shop, less one window, beside as many full calls sent plainly."""
    end = measured[burst]
    return max(end["tail"] - measured["window"], 0.0) / end["plain"] if end["left"] else 0.0
