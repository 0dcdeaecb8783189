"""The database under measurement: a cart to import from, and everything an import writes taken away again."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import requests

from bench.shop import CREDENTIALS
from sandbox.demo import catalogue

if TYPE_CHECKING:
    from carts.models import Cart

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@contextmanager
def database(url: str = "") -> Iterator[None]:
    """Set Django up on this PostgreSQL, or on a new SQLite file with the settings of `make run`, and migrate."""
    with tempfile.TemporaryDirectory(prefix="cartsync-bench-") as folder:
        # The tests' settings are the real ones with fixed keys and without files to be collected.
        os.environ |= {"DJANGO_SETTINGS_MODULE": "tests.settings", "VAR_DIR": folder, "LOG_LEVEL": "WARNING"}
        os.environ.pop("DATABASE_URL", None)
        if url:
            os.environ["DATABASE_URL"] = url
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        yield
        connection.close()


def stock_items(number: int) -> None:
    """The items that the practice shop sells, but for those it sells behind the back office's back."""
    from backoffice.models import Item

    items = [Item(sku=each.sku, name=each.name, price=each.price) for each in catalogue(number) if each.sku]
    for item in items:
        item.set_keys()
    Item.objects.bulk_create(items)


def make_cart(url: str, *, in_flight: int = 2, fence: datetime = LONG_AGO) -> "Cart":
    """A cart that runs, and its feed of orders."""
    from carts import secrets
    from carts.choices import CartStatus, Kind
    from carts.models import Cart

    cart = Cart.objects.create(
        name=f"{url} {in_flight} {fence}",
        url=url,
        status=CartStatus.RUNNING,
        shop_currency="USD",
        order_fence=fence,
        credentials=secrets.seal(CREDENTIALS),
        requests_in_flight=in_flight,
    )
    cart.feeds.create(kind=Kind.ORDER)
    return cart


def fence_of_newest(url: str, orders: int) -> datetime:
    """From when on the shop has this many orders."""
    params = CREDENTIALS | {"per_page": 1, "offset": orders - 1, "orderby": "modified", "order": "desc"}
    answer = requests.get(f"{url}/wp-json/wc/v3/orders", params=params, timeout=30)
    answer.raise_for_status()
    return datetime.fromisoformat(answer.json()[0]["date_modified_gmt"]).replace(tzinfo=UTC)


def poll(cart: "Cart") -> None:
    """What a worker does with a feed that is due. Raises when it ends in an error."""
    from carts.services import feeds, leases

    feed = cart.feeds.get()
    feeds.poll(feed.pk, leases.claim_feed(feed.pk))
    feed.refresh_from_db()
    if feed.error:
        raise RuntimeError(f"The poll failed: {feed.error}")


def forget_cursor(cart: "Cart") -> None:
    """Have the next poll read every order anew."""
    cart.feeds.update(high_water=None, polled_at=None)


def empty() -> None:
    """Take away all that imports wrote, carts too; the items and the chart of accounts stay."""
    from django.apps import apps
    from django.db import connection, transaction

    models = [model for name in ("carts", "backoffice") for model in apps.get_app_config(name).get_models()]
    tables = [model._meta.db_table for model in models if model.__name__ not in ("Item", "Account")]
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(tables)}")
        else:
            for table in tables:  # foreign keys are looked at when the transaction ends
                cursor.execute(f"DELETE FROM {table}")
