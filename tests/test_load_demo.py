"""What `make run` loads, and that loading it again changes nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from backoffice.models import Item
from backoffice.services import items, stock
from carts.models import Cart, Feed
from carts.platforms import REGISTRY
from carts.services import control
from sandbox.demo import UNKNOWN_SKUS, catalogue
from sandbox.testing import practice_shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def embedded(settings):
    settings.EMBEDDED = True


def load(url="http://127.0.0.1:8001/"):
    call_command("load_demo", shop=[f"woocommerce={url}"])


def test_it_loads_a_sign_in_items_with_stock_and_one_cart_that_is_not_started(client):
    load()
    assert client.login(username="demo", password="demo")
    known = {each.sku: each for each in catalogue() if each.sku and each.sku not in UNKNOWN_SKUS}
    found = items.find_by_skus(known)
    on_hand = stock.availability([item.id for item in found.values()])
    assert {key: on_hand[item.id].on_hand for key, item in found.items()} == {
        sku.lower(): Decimal(each.stock) for sku, each in known.items()
    }
    assert items.find_by_skus(UNKNOWN_SKUS) == {}
    cart = Cart.objects.get()
    assert (cart.name, cart.is_running, cart.tested_at, cart.rehearsed_at) == (
        "Demo WooCommerce", False, None, None,
    )  # fmt: skip
    assert timedelta(days=30) <= timezone.now() - cart.order_fence < timedelta(days=31)
    assert Feed.objects.filter(cart=cart, kind="order").count() == 1


@pytest.mark.parametrize("platform", REGISTRY)
def test_the_cart_of_each_platform_connects_to_its_practice_shop(platform):
    with practice_shop(platform=platform, basic_over_http=False) as place:
        call_command("load_demo", shop=[f"{platform}={place.url}/"])
        cart = Cart.objects.get()
        assert (cart.platform, cart.url) == (platform, place.address)
        tested = control.test_connection(cart, "demo")
        assert tested.passed, tested.message


def test_a_platform_that_came_later_gets_its_cart_and_one_that_was_deleted_stays_deleted():
    load()
    Cart.objects.all().delete()
    load()
    assert not Cart.objects.exists()


def test_loading_again_changes_nothing_that_was_done_meanwhile(client):
    load()
    Cart.objects.update(name="Renamed", grace_minutes=7)
    user = User.objects.get()
    user.set_password("changed")
    user.save()
    item = Item.objects.get(sku="SKU-0001")
    before = stock.availability([item.pk])
    count = Item.objects.count()
    load()
    assert Cart.objects.values_list("name", "grace_minutes").get() == ("Renamed", 7)
    assert (User.objects.count(), Item.objects.count()) == (1, count)
    assert stock.availability([item.pk]) == before
    assert client.login(username="demo", password="changed")


def test_the_cart_follows_the_practice_shop_to_another_port_but_no_real_one():
    load()
    load("http://127.0.0.1:9001/")
    assert Cart.objects.get().url == "http://127.0.0.1:9001"
    Cart.objects.update(url="https://shop.example.test")
    load()
    assert Cart.objects.get().url == "https://shop.example.test"


def test_the_real_set_up_gets_no_sign_in_that_everybody_knows(settings):
    settings.EMBEDDED = False
    with pytest.raises(CommandError, match="embedded set-up alone"):
        load()
    assert (User.objects.count(), Cart.objects.count(), Item.objects.count()) == (0, 0, 0)
