"""Stock to the cart as a member of staff sees it: linked, rehearsed, started, and in the shop after a change here."""

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shop, Staff
from tests.conftest import save_screenshot

pytestmark = pytest.mark.browser
SKU = "SKU-0002"


def until_shown(shop: Shop, sku: str, quantity: int) -> None:
    for _ in range(60):
        if shop.stock_of(sku) == quantity:
            return
        time.sleep(0.5)
    assert shop.stock_of(sku) == quantity


def test_switch_on_rehearse_start_and_change_a_stock_level(
    signed_in: Staff, add_cart: Callable[[], None], shop: Shop
) -> None:
    staff, page = signed_in, signed_in.page
    add_cart()
    staff.click("Test Connection")
    staff.sees("TEST PASSED: SUCCESSFULLY CONNECTED TO CART!")
    shop.keep_stock(SKU, 3)

    staff.open(f"/carts/1/cart-items/?search={SKU}")
    page.get_by_label("Select this page").first.check()
    page.get_by_role("button", name=re.compile("Import selected")).click()
    staff.sees("Done", 60)

    staff.open("/carts/1/")
    staff.click("Edit")
    yesterday = datetime.now(ZoneInfo("America/New_York")) - timedelta(minutes=5)
    page.get_by_label("Last Order from").fill(f"{yesterday:%Y-%m-%dT%H:%M:%S}")
    page.get_by_label("Enable real-time stock updates").check()
    page.get_by_label("Safety buffer").fill("2")
    staff.click("Save")
    staff.sees("1 linked item")
    save_screenshot(page, "stock-to-cart")

    staff.click("Rehearse To Cart")
    staff.sees("Done", 60)
    row = page.get_by_role("row").filter(has_text=SKU)
    expect(row.first).to_contain_text("The shop shows 3; it would show 81.")
    save_screenshot(page, "rehearsal-to-cart")
    assert shop.stock_of(SKU) == 3

    staff.open("/carts/1/")
    staff.click("Rehearse")
    staff.sees("Done", 60)
    staff.open("/carts/1/")
    staff.click("Start")
    staff.sees("1 linked item in the shop to ours")
    staff.click("Start now")
    staff.sees("RUNNING")
    until_shown(shop, SKU, 81)

    staff.open(f"/backoffice/item/?q={SKU}")
    page.get_by_role("link", name=SKU).first.click()
    page.get_by_label("Change on hand by").fill("12")
    page.get_by_label("Note").fill("Delivery")
    page.get_by_role("button", name="Adjust stock").click()
    until_shown(shop, SKU, 93)

    staff.open("/carts/1/")
    staff.click("Stop")
    staff.sees("STOPPED")
