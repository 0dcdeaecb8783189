"""A member of staff adds a cart of another platform and tests its connection."""

import re

import pytest
from playwright.sync_api import expect

from carts.models import Cart
from carts.platforms import adapter_class
from sandbox.testing import practice_shop
from tests.conftest import save_screenshot

pytestmark = pytest.mark.browser


def test_a_shopify_cart_is_added_and_its_connection_tested(live_panel, page):
    adapter = adapter_class("shopify")
    with practice_shop(platform="shopify") as place:
        page.goto(f"{live_panel}/carts/")
        page.get_by_role("link", name=re.compile("Add a cart")).click()
        page.get_by_role("navigation", name="Platform").get_by_role("link", name="Shopify").click()
        page.get_by_label("Cart Name").fill("Our Shopify")
        page.get_by_label("Cart Connect URL").fill(place.address)
        # Its own credentials and statuses stand in the form, and which of them are alternatives.
        expect(page.get_by_text("Leave it empty where the app has a client id and secret.")).to_be_visible()
        expect(page.get_by_label("Partially refunded")).to_be_checked()
        for field in adapter.credential_fields:
            if value := place.credentials.get(field.name):
                page.get_by_label(field.label, exact=True).fill(value)
        page.get_by_role("button", name=re.compile("Save")).first.click()
        expect(page.get_by_text("Click Test Connection next.")).to_be_visible()
        page.get_by_role("button", name=re.compile("Test Connection")).click()
        expect(page.locator("#content")).to_contain_text("TEST PASSED")
        expect(page.locator("#content")).to_contain_text(
            f"{adapter.capabilities.api_version}, which the platform retires"
        )
        save_screenshot(page, "cart-shopify")
        text = page.content()
    cart = Cart.objects.get()
    assert (cart.name, cart.platform, cart.is_running) == ("Our Shopify", "shopify", False)
    hidden = [
        place.credentials[field.name]
        for field in adapter.credential_fields
        if field.is_secret and place.credentials.get(field.name)
    ]
    assert hidden and not [secret for secret in hidden if secret in text]
