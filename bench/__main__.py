"""`make bench`: measure, print one table, and write the same figures to var/bench.json. QUICK=1 is a short look."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from bench import budget, figures, table
from bench.shop import products_for, shop
from bench.sizes import FULL, QUICK, Sizes
from tools import testservers

RESULT = Path(__file__).resolve().parent.parent / "var" / "bench.json"


def main() -> None:
    start, is_quick = time.monotonic(), os.environ.get("QUICK") == "1"
    sizes = QUICK if is_quick else FULL
    with testservers.postgres() as url:
        groups = measure(url, sizes)
    seconds = round(time.monotonic() - start)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(table.as_json(groups, sizes, seconds, is_quick), indent=1))
    print(table.as_text(groups, sizes, seconds, is_quick))
    print(f"Written to {RESULT.relative_to(Path.cwd()) if RESULT.is_relative_to(Path.cwd()) else RESULT}")


def measure(postgres: str, sizes: Sizes) -> dict[str, list[figures.Figure]]:
    """The figures by the heading they stand under."""
    groups = {}
    wares = {"customers": sizes.customers, "items": sizes.items}
    with shop(orders=sizes.orders, **wares) as fast, shop(orders=sizes.orders, latency_ms=200, **wares) as slow:
        for name, url in {"PostgreSQL": new_database(postgres, "imports"), "SQLite": ""}.items():
            say(f"imports into {name}")
            given = {"fast": fast, "slow": slow, "database": url, "sizes": asdict(sizes)}
            groups[name] = figures.of_import(name, run("importing", given))
    groups |= measure_pushing(postgres, sizes)
    say("imports from carts with a limit, both at a time: they wait for the cart mostly")
    with ThreadPoolExecutor() as pool:
        limited = {
            platform: pool.submit(
                run,
                "budget",
                budget.given(platform, orders=sizes.limited, database=new_database(postgres, f"limited_{platform}")),
            )
            for platform in budget.LIMITS
        }
        groups |= {budget.HEADINGS[name]: figures.of_budget(each.result()) for name, each in limited.items()}
    say("lists, and memory beside them: what memory is taken does not depend on the time it takes")
    databases = {size: new_database(postgres, size) for size in ("few", "many")}
    given = {"databases": databases, "few": sizes.few_records, "many": sizes.many_records, "pairs": sizes.pairs}
    with shop(orders=sizes.backlog, **wares) as url, ThreadPoolExecutor() as pool:
        peaks = [
            pool.submit(
                run, "memory", {"database": new_database(postgres, name), "shop": url, "orders": orders, **wares}
            )
            for name, orders in (("memory_few", sizes.orders), ("memory_many", sizes.backlog))
        ]
        groups["Lists (PostgreSQL)"] = figures.of_lists(run("lists", given), sizes)
        groups["Memory (PostgreSQL)"] = figures.of_memory(*(peak.result() for peak in peaks), sizes)
    return groups


def measure_pushing(postgres: str, sizes: Sizes) -> dict[str, list[figures.Figure]]:
    groups = {}
    with testservers.Redis() as redis:
        set_ups = {
            "PostgreSQL, Redis, a worker": (new_database(postgres, "pushing"), redis.url),
            "SQLite, embedded": ("", ""),
        }
        for name, (database, broker) in set_ups.items():
            say(f"stock pushed to a cart: {name}")
            with shop(orders=0, customers=1, items=products_for(sizes.stock_items)) as url:
                given = {"shop": url, "database": database, "broker": broker, "sizes": asdict(sizes)}
                groups[f"Stock to a cart ({name})"] = figures.of_pushing(run("pushing", given), sizes)
    return groups


def run(module: str, given: Mapping[str, Any]) -> Any:
    """What a process of its own measured; its complaints go to the terminal."""
    command = [sys.executable, "-m", f"bench.{module}", json.dumps(given)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def new_database(server: str, name: str) -> str:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"{server.rpartition('/')[0]}/{name}"


def say(what: str) -> None:
    print(f"Measuring {what} ...", flush=True)


if __name__ == "__main__":
    main()
