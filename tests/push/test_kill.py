"""A process that is killed while it sends: nothing is lost, and what the shop has already is not written again."""

import threading
from decimal import Decimal

import pytest

from backoffice.models import Item
from backoffice.services import stock
from carts.choices import Kind
from carts.models import Cart, Push, Record
from carts.services import control
from sandbox.testing import PracticeShop, practice_shop
from tests.engine.helpers import connected_cart, fresh, know_the_items, poll, wait_until
from tests.engine.test_kill import Processes
from tests.platforms.around import around, at_request
from tests.push.conftest import kept, link_all, shows, writes

pytestmark = [pytest.mark.kill, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def processes(tmp_path):
    processes = Processes(tmp_path)
    yield processes
    processes.kill_all()


@pytest.mark.parametrize("match", ["products/batch", r"products\?"], ids=["while it writes", "while it reads"])
def test_the_process_is_killed_in_the_middle_of_a_request(processes, match):
    with practice_shop(products=20) as place:
        cart, shop_id, item = started(place)
        processes.start("serve", "--port", "0")
        wait_until(lambda: settled(cart))
        place.requests.clear()
        killed = threading.Event()

        def kill() -> None:
            processes.kill("serve")
            killed.set()

        with around(place, before=at_request(1, kill, match=match)):
            Record.objects.filter(cart=cart, local_id=item.pk).update(cart_stock=None)
            # This process has no worker to nudge, so the tick finds the mark.
            stock.adjust(fresh(item), Decimal(9), by=None, note="count")
            wait_until(killed.is_set)
        processes.start("serve", "--port", "0")
        wait_until(lambda: shows(place, shop_id) == 9 and not Push.objects.exists())
        # The shop did what it was asked, whether anybody waited for the answer or not.
        assert len(writes(place)) == 1, processes.logs()


def started(place: PracticeShop) -> tuple[Cart, int, Item]:
    know_the_items(place)
    cart = connected_cart(place, to_stock_updates=True, poll_interval_seconds=5)
    link_all(cart, place)
    control.start(cart, "staff", without_rehearsal=True)
    poll(fresh(cart))
    shop_id, item = kept(place)
    return fresh(cart), shop_id, item


def settled(cart: Cart) -> bool:
    """All was compared once, and nothing waits."""
    swept = cart.outboxes.filter(swept_at__isnull=False).exists()
    known = Record.objects.filter(cart=cart, kind=Kind.ITEM, cart_stock__isnull=False).exists()
    busy = cart.outboxes.exclude(lease_token="").exists()
    return swept and known and not busy and not Push.objects.filter(state="waiting").exists()
