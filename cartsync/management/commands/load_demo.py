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
from carts.platforms import adapter_class
from carts.services import control
from sandbox.demo import UNKNOWN_SKUS, catalogue
from sandbox.platforms import PLATFORMS
from sandbox.shop import Shop

USER = PASSWORD = "demo"
DAYS_BACK = 30
HERE = "http://127.0.0.1:"


class Command(BaseCommand):
    help = "Load what `make run` shows: a sign-in, the practice shops' items with stock, and a cart of each shop. Once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shop", action="append", required=True, metavar="PLATFORM=URL", help="where a practice shop answers"
        )

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
        for given in options["shop"]:
            platform, _, url = given.partition("=")
            load_cart(platform, url)


def load_items() -> None:
    """What every practice shop sells, with its opening stock, but for what they sell without our knowing it."""
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


def load_cart(platform: str, url: str) -> None:
    """A cart for a platform that never had one here; otherwise the one it has follows its shop to another port."""
    shop = Shop()
    shop.url = url.rstrip("/")
    voice = PLATFORMS[platform](shop, {})
    if Cart.history.filter(platform=platform).exists():
        point_cart_at(platform, voice.address)
    else:
        add_cart(platform, voice.address, voice.credentials)
    shop.close()


def add_cart(platform: str, address: str, credentials: dict[str, str]) -> None:
    """Not tested, not started: that is for the newcomer to do."""
    changes = {
        "platform": platform,
        "name": f"Demo {adapter_class(platform).label.partition(' ')[0]}",
        "url": address,
        "notification_emails": "staff@example.test",
        "last_order_from": timezone.now().replace(microsecond=0) - timedelta(days=DAYS_BACK),
        "poll_interval_seconds": 20,
    }
    control.create_cart(changes, credentials, USER)


def point_cart_at(platform: str, address: str) -> None:
    """SHOP_PORT may be another than last time. A cart that staff pointed at a shop elsewhere is left alone."""
    cart = Cart.objects.filter(platform=platform, url__startswith=HERE).order_by("pk").first()
    if cart and cart.url != address:
        control.save_cart(cart, {"url": address}, {}, USER, cart.settings_version)
