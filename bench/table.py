"""The figures as text and as JSON."""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bench.figures import Figure
from bench.sizes import Sizes

# What others were measured to do on the machine this bench was first written on; not measured here.
QUOTED = {
    "Tryton's Shopify module, import": 4,
    "django-shopify-sync, import": 33,
    "dlt, raw copy of the JSON": 805,
}
WIDTH = 66
Groups = Mapping[str, list[Figure]]


def as_text(groups: Groups, sizes: Sizes, seconds: int, is_quick: bool) -> str:
    lines = [
        "",
        f"CartSync's import of {sizes.orders:,} orders (100 a page, two lines each, {sizes.customers:,} customers, "
        f"{sizes.items:,} SKUs)",
        f"Ratios are medians of {sizes.pairs} rounds, sides in turns. Plain way: {sizes.plain:,} orders a round at "
        f"0 ms, {sizes.plain_slow:,} at 200 ms;",
        f"at 200 ms: {sizes.slow:,} orders one page at a time, {sizes.in_flight:,} with four in flight. "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{seconds} s in all.",
    ]
    if is_quick:
        lines.append("QUICK: too few orders and rounds for the ratios to mean much.")
    for heading, figures in groups.items():
        lines += ["", f"{heading:<{WIDTH}} {'measured':>12}   target", "-" * (WIDTH + 36)]
        lines += [line_of(figure) for figure in figures]
    lines += ["", f"{'For scale, quoted, not measured here':<{WIDTH}} {'orders/s':>12}", "-" * (WIDTH + 36)]
    lines += [f"{name:<{WIDTH}} {value:>12}" for name, value in QUOTED.items()]
    return "\n".join([*lines, ""])


def line_of(figure: Figure) -> str:
    target = ""
    if figure.target is not None:
        target = f"{figure.bound} {figure.target:g}   {'met' if figure.is_met else 'MISSED'}"
    return f"{figure.what:<{WIDTH}} {shown(figure):>12}   {target}".rstrip()


def shown(figure: Figure) -> str:
    decimals = 0 if abs(figure.value) >= 100 else 2 if abs(figure.value) >= 1 or not figure.value else 3
    return f"{figure.value:,.{decimals}f} {figure.unit}".rstrip()


def as_json(groups: Groups, sizes: Sizes, seconds: int, is_quick: bool) -> dict[str, Any]:
    return {
        "quick": is_quick,
        "seconds": seconds,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "sizes": asdict(sizes),
        "figures": {
            heading: [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
            for heading, figures in groups.items()
        },
        "quoted_orders_a_second": QUOTED,
    }
