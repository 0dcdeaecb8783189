"""Adding a platform is one file, one line in the registry and fixtures: a CSV shop that nothing else knows of."""

import pytest
from django.core.management import call_command
from django.urls import reverse

from carts.models import Cart
from carts.platforms import REGISTRY
from tests.conftest import ROOT
from tests.contract import sixth
from tests.contract.csv_shop import CsvShop
from tests.engine.helpers import assert_none_lost_none_doubled, know_the_items, poll, running_cart
from tests.promises.conftest import opened
from tests.push.conftest import count_in, kept, link_all, shows

pytestmark = pytest.mark.django_db(transaction=True)
ROOMS = ("backoffice", "carts", "cartsync", "sandbox", "templates", "static")


@pytest.fixture
def place(monkeypatch):
    sixth.register(monkeypatch)
    with opened(sixth.NAME, orders=130, customers=10, products=30, lines=2) as place:
        yield place


def test_a_cart_of_it_imports_its_orders_and_takes_stock(place):
    know_the_items(place)
    cart = running_cart(place, to_stock_updates=True)
    poll(cart)
    place.shop.place_in_same_second(3)
    poll(cart)
    assert_none_lost_none_doubled(place, cart)
    link_all(cart, place)
    product_id, item = kept(place)
    count_in(item, 300)
    call_command("cart", "sync", "Shop")
    held = sum(
        line.quantity
        for order in place.shop.orders.rows.values()
        for line in order.lines
        if line.product_id == product_id
    )
    assert shows(place, product_id) == 300 - held


def test_the_panel_offers_it_and_asks_for_its_credentials(place, client, staff):
    client.force_login(staff)
    page = client.get(f"{reverse('carts:add')}?platform={sixth.NAME}").content.decode()
    assert CsvShop.label in page and 'name="credential_key"' in page
    assert CsvShop.label in client.get(reverse("carts:platforms")).content.decode()
    running_cart(place)
    assert Cart.objects.get().get_platform_display() == CsvShop.label


def test_nothing_but_its_own_files_knows_of_it():
    assert sixth.NAME not in REGISTRY
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.*") if path.suffix in (".py", ".html", ".css")]
    assert len(files) > 200
    assert [path.name for path in files if any(word in path.read_text() for word in ("CsvShop", "csv_shop"))] == []
