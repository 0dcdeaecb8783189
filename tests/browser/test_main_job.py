"""The main job, as a member of staff does it in a browser, against a live practice shop."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shop, Staff
from tests.conftest import save_screenshot

pytestmark = pytest.mark.browser
NEW_YORK = ZoneInfo("America/New_York")


def edit_settings(staff: Staff, days_ago: float) -> None:
    """Edit: Sales Invoices, the date on the shop's clock, look for orders every five seconds; Save."""
    staff.click("Edit")
    at = datetime.now(NEW_YORK) - timedelta(days=days_ago)
    staff.page.get_by_label("Last Order from").fill(f"{at:%Y-%m-%dT%H:%M:%S}")
    staff.page.get_by_label("Import Orders As").select_option("Sales Invoices")
    staff.page.get_by_label("Look for new orders every (seconds)").fill("5")
    staff.click("Save")
    staff.sees(f"{at:%Y-%m-%d %H:%M:%S}")


def test_connect_rehearse_start_approve_and_stop(signed_in: Staff, add_cart: Callable[[], None], shop: Shop) -> None:
    staff, page = signed_in, signed_in.page
    add_cart()
    staff.click("Test Connection")
    staff.sees("TEST PASSED: SUCCESSFULLY CONNECTED TO CART!")
    staff.sees("America/New_York")
    edit_settings(staff, 30)

    staff.click("Rehearse")
    staff.sees("Done", 60)
    staff.sees("Would import")
    staff.sees("A rehearsal writes nothing")
    staff.open("/backoffice/document/")
    staff.sees("Nothing here yet")

    staff.open("/carts/1/")
    staff.click("Start")
    staff.sees("Start Practice shop?")
    staff.sees_no("start without a rehearsal")
    staff.click("Start now")
    staff.sees("RUNNING")

    (placed,) = shop.place(skus=["SKU-0001"], status="processing", quantity=2)
    staff.click("Orders")
    row = page.get_by_role("row").filter(has_text=re.compile(rf"\b{placed}\b"))
    for _ in range(30):
        if row.count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    expect(row.first).to_contain_text("PENDING")
    save_screenshot(page, "orders")
    row.first.get_by_role("link", name=re.compile(r"^SI-\d{6}$")).click()

    staff.sees("PENDING")
    staff.sees("SKU-0001")
    staff.click("Approve")
    staff.sees("APPROVED")
    postings = page.get_by_role("table").filter(has_text="Accounts receivable")
    expect(postings).to_contain_text("Sales tax payable")
    moved = page.get_by_role("row").filter(has_text="Sale").filter(has_text="SKU-0001")
    expect(moved.filter(has_text="-2")).to_have_count(1)
    save_screenshot(page, "document")

    staff.open("/carts/1/")
    save_screenshot(page, "cart")
    staff.click("Stop")
    staff.sees("STOPPED")
    staff.sees("After the next Start it goes on from orders modified at")
    (late,) = shop.place(skus=["SKU-0001"], status="processing")
    page.wait_for_timeout(8000)
    staff.click("Orders")
    expect(page.get_by_role("row").filter(has_text=re.compile(rf"\b{late}\b"))).to_have_count(0)


def test_import_three_picked_orders_and_release_the_held_one(
    signed_in: Staff, add_cart: Callable[[], None], shop: Shop
) -> None:
    staff, page = signed_in, signed_in.page
    add_cart()
    staff.click("Test Connection")
    staff.sees("TEST PASSED: SUCCESSFULLY CONNECTED TO CART!")
    picked = shop.place(count=2, skus=["SKU-0001"], status="processing")
    picked += shop.place(skus=["NEW-LAMP-01"], status="processing")

    staff.click("Orders (Cart)")
    for order in picked:
        page.get_by_label(f"Select {order}", exact=True).check()
    import_selected = page.get_by_role("button", name=re.compile("Import selected"))
    expect(import_selected).to_contain_text("(3)")
    save_screenshot(page, "orders-cart")
    import_selected.click()
    staff.sees("3 / 3", 60)
    page.reload()
    held = page.get_by_role("row").filter(has_text=str(picked[2]))
    expect(held).to_contain_text("Held")
    expect(held).to_contain_text("SKU NEW-LAMP-01 is not among the items.")

    staff.open("/carts/problems/")
    staff.sees("NEW-LAMP-01")
    save_screenshot(page, "problems")
    page.locator("input[list=suggest-item]").first.fill("SKU-0002")
    staff.click("Map to this item")
    staff.sees("No problems")

    staff.open("/carts/1/orders/")
    rows = page.get_by_role("row").filter(has_text="PENDING")
    expect(rows).to_have_count(3)
