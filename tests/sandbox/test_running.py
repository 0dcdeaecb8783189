"""The shop as a process of its own: it starts, remembers, and ends."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from sandbox.shop import Shop
from sandbox.testing import practice_shop
from tests.sandbox.conftest import NOON

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """The process and its address; it is ended with the block."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--basic-over-http", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        found = re.fullmatch(r"practice shop ready at (http://127\.0\.0\.1:\d+)\n", ready)
        assert found, ready
        yield process, found[1]
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()


def orders(url: str, **query) -> list[dict]:
    auth = ("ck_mine", "cs_mine")
    answer = requests.get(f"{url}/wp-json/wc/v3/orders", params={"per_page": 100, **query}, auth=auth, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


SMALL = ("--orders", "20", "--customers", "3", "--products", "10", "--key", "ck_mine", "--secret", "cs_mine")


def test_a_killed_shop_comes_back_with_its_orders_and_numbers(tmp_path):
    options = (*SMALL, "--state", str(tmp_path / "deep" / "shop.sqlite3"), "--new-order-every", "0")
    with running(*options) as (process, url):
        placed = requests.post(f"{url}/_practice/orders", json={"count": 2}, timeout=10).json()["ids"]
        before = orders(url)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
    with running(*options) as (_, url):
        again = orders(url)
        further = requests.post(f"{url}/_practice/orders", json={}, timeout=10).json()["ids"]
    plain = ("id", "total", "order_key", "date_created_gmt", "status", "line_items")
    assert [[row[name] for name in plain] for row in again] == [[row[name] for name in plain] for row in before]
    assert len(again) == 22
    assert further == [placed[-1] + 1]


def test_new_orders_keep_coming_and_stock_falls():
    with running(*SMALL, "--new-order-every", "0.05") as (_, url):
        first = len(orders(url))
        for _ in range(100):
            if len(orders(url)) > first + 2:
                break
            time.sleep(0.05)
        newest = orders(url)[0]
        assert len(orders(url)) > first + 2
        assert newest["status"] in ("processing", "pending")


def test_a_signal_ends_it_with_nothing_lost():
    with running(*SMALL, "--new-order-every", "0.05") as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


def test_a_half_done_change_leaves_nothing_in_the_file(tmp_path):
    path = str(tmp_path / "shop.sqlite3")
    shop = Shop(state=path)
    shop.add_product("ONE", "One", "1.00", stock=5)
    change = shop.changing()
    change.__enter__()
    shop.place_order("ONE")
    reader = Shop(state=path)
    assert (reader.orders.rows, [p.stock for p in reader.products.rows.values()]) == ({}, [5])
    change.__exit__(None, None, None)
    after = Shop(state=path)
    assert (len(after.orders.rows), [p.stock for p in after.products.rows.values()]) == (1, [4])


def test_pages_for_people():
    with practice_shop() as place:
        place.shop.clock.set(NOON)
        order = place.shop.place_order("SKU-0001", email="a&b@example.test")
        front = requests.get(place.url, timeout=10)
        assert front.status_code == 200
        assert f"#{order.id}" in front.text
        assert "a&amp;b@example.test" in front.text
        for link in (f"post.php?post={order.id}&action=edit", f"admin.php?page=wc-orders&action=edit&id={order.id}"):
            page = requests.get(f"{place.url}/wp-admin/{link}", timeout=10)
            assert page.status_code == 200
            assert f"Total {order.total} USD" in page.text
        assert requests.get(f"{place.url}/wp-admin/", timeout=10).status_code == 200
        for missing in ("/nothing", "/wp-admin/post.php?post=999"):
            assert requests.get(place.url + missing, timeout=10).status_code == 404


def test_it_stands_on_its_own():
    """Neither Django nor the panel nor the back office is loaded by a running shop."""
    script = (
        "import sys, sandbox.__main__, sandbox.testing\n"
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'carts', 'backoffice', 'cartsync')])"
    )
    told = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
