"""What only a browser shows: selecting on a page, a phone's width, and pages without JavaScript."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from carts.models import Cart, Run
from carts.services import control
from tests.panel.conftest import KEY, SECRET

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def connected(live_panel, shop) -> Cart:
    cart = control.create_cart(
        {"name": "Shop", "url": shop.url, "last_order_from": datetime.now(UTC) - timedelta(days=90)},
        {"consumer_key": KEY, "consumer_secret": SECRET},
        "staff",
    )
    assert control.test_connection(cart, "staff").passed
    return cart


def words(element) -> str:
    """Its text, the name of its icon in front."""
    return " ".join(element.text_content().split())


def test_the_header_box_selects_the_page_and_the_button_carries_the_count(live_panel, page, connected):
    page.goto(live_panel + reverse("carts:cart_orders", args=[connected.pk]))
    button, more = page.get_by_role("button", name="Import selected"), page.get_by_text("Select all 60 matching")
    assert not more.is_visible()
    page.get_by_label("Select this page").first.check()
    assert (words(button), more.is_visible()) == ("download Import selected (50)", True)
    page.locator("input[name=ids]").first.uncheck()
    assert (words(button), more.is_visible()) == ("download Import selected (49)", False)
    page.get_by_label("Select this page").first.check()
    more.click()
    page.get_by_role("button", name="Import all 60 matching").click()
    page.wait_for_url("**/carts/runs/*/")
    assert Run.objects.get().parameters == {"matching": {}}


def test_no_page_is_wider_than_a_phone(live_panel, page, connected):
    page.set_viewport_size({"width": 390, "height": 844})
    names = ("cart", "start", "orders", "items", "customers", "cart_orders", "cart_items", "cart_customers")
    urls = [reverse(f"carts:{name}", args=[connected.pk]) for name in names]
    urls += [
        urls[0] + "?edit=1",
        "/",
        *(reverse(f"carts:{name}") for name in ("list", "add", "problems", "runs", "settings")),
    ]
    for url in urls:
        page.goto(live_panel + url)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert (url, width) == (url, 390)


def test_a_cart_is_edited_and_saved_without_javascript(live_panel, page, browser, connected):
    context = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(live_panel + reverse("carts:cart", args=[connected.pk]))
    plain.get_by_role("link", name="Edit").click()
    plain.get_by_label("Grace delay (minutes)").fill("25")
    plain.get_by_role("button", name="Save").first.click()
    assert plain.get_by_text("Saved.", exact=True).is_visible()
    context.close()
    connected.refresh_from_db()
    assert connected.grace_minutes == 25
