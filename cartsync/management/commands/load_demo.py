from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from backoffice.choices import MovementReason
from backoffice.services import items, stock
from backoffice.text import normalise_sku
from backoffice.types import NewItem, StockChange
from carts.models import Cart
from carts.services import control
from sandbox.demo import UNKNOWN_SKUS, catalogue
from sandbox.testing import KEY, SECRET

USER = PASSWORD = "demo"
CART = "Practice shop"
DAYS_BACK = 30
HERE = "http://127.0.0.1:"


class Command(BaseCommand):
    help = "Load what `make run` shows: a sign-in, the practice shop's items with stock, and its cart. Once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--shop-url", required=True, help="where the practice shop answers")

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "load_demo makes a sign-in that everybody knows, so it is for the embedded set-up alone. Nothing was "
                "loaded. Sign-ins of the real set-up are made with: manage.py createsuperuser"
            )
        if not User.objects.filter(username=USER).exists():
            User.objects.create_superuser(USER, "demo@example.test", PASSWORD)
            load_items()
            add_cart(options["shop_url"])
        point_cart_at(options["shop_url"])


def load_items() -> None:
    """The practice shop's items with its opening stock, but for those it sells without our knowing them."""
    sold = [each for each in catalogue() if each.sku and each.sku not in UNKNOWN_SKUS]
    known = items.find_by_skus([each.sku for each in sold])
    missing = [each for each in sold if normalise_sku(each.sku) not in known]
    opening = [
        StockChange(
            items.create_item(NewItem(sku=each.sku, name=each.name, price=each.price, tax_class=each.tax_class)),
            MovementReason.OPENING,
            on_hand=each.stock,
        )
        for each in missing
    ]
    stock.move(opening, note="Opening stock of the demo")


def add_cart(url: str) -> None:
    """Not tested, not started: that is for the newcomer to do."""
    if not Cart.objects.filter(name=CART).exists():
        since = timezone.now().replace(microsecond=0) - timedelta(days=DAYS_BACK)
        changes = {
            "name": CART,
            "url": url,
            "notification_emails": "staff@example.test",
            "last_order_from": since,
            "poll_interval_seconds": 20,
        }
        control.create_cart(changes, {"consumer_key": KEY, "consumer_secret": SECRET}, USER)


def point_cart_at(url: str) -> None:
    """SHOP_PORT may be another than last time. A cart that staff pointed at a shop elsewhere is left alone."""
    cart = Cart.objects.filter(name=CART, url__startswith=HERE).exclude(url=url).first()
    if cart:
        control.save_cart(cart, {"url": url}, {}, USER, cart.settings_version)
