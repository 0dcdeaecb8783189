"""The whole thing as staff have it: the panel with its worker and beat, and a practice shop, two real processes."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from playwright.sync_api import Locator, Page, expect
from requests_oauthlib import OAuth1

ROOT = Path(__file__).resolve().parent.parent.parent
USER = PASSWORD = "staff"
KEY = ("ck_practice", "cs_practice")
SET_UP = """
from django.contrib.auth.models import User
from cartsync.management.commands.load_demo import load_items
User.objects.create_superuser("staff", "staff@example.test", "staff")
load_items()
"""


class Shop:
    """The practice shop of one test and the switches of its process."""

    def __init__(self, url: str) -> None:
        self.url = url

    def place(self, **order: object) -> list[int]:
        """Ids of orders placed just now."""
        answer = requests.post(f"{self.url}/_practice/orders", json=order, timeout=30)
        answer.raise_for_status()
        return answer.json()["ids"]

    def keep_stock(self, sku: str, quantity: int) -> None:
        answer = requests.put(f"{self.url}/_practice/stock", json={"sku": sku, "quantity": quantity}, timeout=30)
        answer.raise_for_status()

    def product(self, sku: str) -> dict[str, Any]:
        answer = requests.get(
            f"{self.url}/wp-json/wc/v3/products",
            params={"sku": sku},
            auth=OAuth1(*KEY, signature_type="query"),
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()[0]

    def stock_of(self, sku: str) -> int | None:
        """What a buyer sees."""
        return self.product(sku)["stock_quantity"]

    def change(self, sku: str, **fields: object) -> None:
        """As the shop's own staff do it."""
        answer = requests.put(
            f"{self.url}/wp-json/wc/v3/products/{self.product(sku)['id']}",
            json=fields,
            auth=OAuth1(*KEY, signature_type="query"),
            timeout=30,
        )
        answer.raise_for_status()


class Staff:
    """What a member of staff does on a page: click, read, fill in."""

    def __init__(self, page: Page, panel: str) -> None:
        self.page = page
        self.panel = panel

    def open(self, path: str) -> None:
        self.page.goto(f"{self.panel}{path}")

    def click(self, name: str) -> None:
        """The first button or link of this name in the page's own part."""
        # A button's icon is a word to the browser, and stands before its name.
        whole = re.compile(rf"^(\w+ )?{re.escape(name)}$")
        self.main.get_by_role("button", name=whole).or_(self.main.get_by_role("link", name=whole)).first.click()

    @property
    def main(self) -> Locator:
        return self.page.locator("#content")

    def sees(self, text: str | re.Pattern[str], seconds: float = 30) -> None:
        expect(self.main).to_contain_text(text, timeout=seconds * 1000)

    def sees_no(self, text: str) -> None:
        expect(self.main).not_to_contain_text(text)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    command = ["sandbox", "--port", "0", "--state", str(tmp_path / "shop.sqlite3"), "--new-order-every", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", *command, "--orders", "60"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("practice shop ready at "), line
        yield Shop(line.split()[-1])
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """An empty database beside the tests' own, of the same kind."""
    given = os.environ.get("DATABASE_URL", "")
    if not given.startswith("postgres"):
        yield f"sqlite:///{tmp_path / 'panel.sqlite3'}"
        return
    name = f"browser_{os.getpid()}"
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")
    yield _with_name(given, name)
    with psycopg.connect(given, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _with_name(url: str, name: str) -> str:
    head, _, tail = url.partition("://")
    address, slash, rest = tail.partition("/")
    query = rest.partition("?")[2]
    return f"{head}://{address}{slash}{name}{'?' + query if query else ''}"


@pytest.fixture
def panel(tmp_path: Path, database_url: str) -> Iterator[str]:
    """`manage.py serve`: web, worker and beat in one process. Gives its address without a closing slash."""
    environment = dict(os.environ) | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database_url,
        "VAR_DIR": str(tmp_path / "var"),
        "TICK_SECONDS": "1",
    }
    environment.pop("REDIS_URL", None)

    def manage(*arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)

    manage("migrate", "-v0")
    manage("shell", "-v0", "-c", SET_UP)
    log = (tmp_path / "serve.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("CartSync answers at "), (tmp_path / "serve.log").read_text()
        yield line.split()[-1].rstrip("/")
    finally:
        process.terminate()
        process.communicate(timeout=60)
        log.close()


@pytest.fixture
def signed_in(page: Page, panel: str) -> Staff:
    page.goto(f"{panel}/")
    page.get_by_label("Username").fill(USER)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{panel}/")
    return Staff(page, panel)


@pytest.fixture
def add_cart(signed_in: Staff, shop: Shop) -> Callable[[], None]:
    """Adds the practice shop through the form, as a newcomer would; ends on the cart's page."""

    def add() -> None:
        signed_in.open("/carts/add/")
        signed_in.page.get_by_label("Cart Name").fill("Practice shop")
        signed_in.page.get_by_label("Cart Connect URL").fill(shop.url)
        signed_in.page.get_by_label("Consumer key").fill("ck_practice")
        signed_in.page.get_by_label("Consumer secret").fill("cs_practice")
        signed_in.click("Save")
        signed_in.sees("STOPPED")

    return add
