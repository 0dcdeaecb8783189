"""Items both ways as a member of staff sees it: mapped by table, exported, changed on both sides, decided."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Shop, Staff
from tests.conftest import save_screenshot

pytestmark = pytest.mark.browser
SKU = "SKU-0002"


def until(done: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.3)


def set_price(staff: Staff, sku: str, price: str) -> None:
    staff.open(f"/backoffice/item/?q={sku}")
    staff.page.get_by_role("link", name=sku).first.click()
    staff.page.locator("#id_price").fill(price)
    staff.page.get_by_role("button", name="Save", exact=True).click()
    expect(staff.page.get_by_text("was changed successfully")).to_be_visible()


def test_map_by_table_export_three_and_decide_a_conflict(
    signed_in: Staff, add_cart: Callable[[], None], shop: Shop, tmp_path: Path
) -> None:
    staff, page = signed_in, signed_in.page
    add_cart()
    staff.click("Test Connection")
    staff.sees("TEST PASSED: SUCCESSFULLY CONNECTED TO CART!")

    staff.open("/carts/1/mapping/items/")
    staff.click("Read all from the cart")
    staff.sees("Done", 60)
    staff.open("/carts/1/mapping/items/?state=suggested")
    staff.sees("Same SKU")
    save_screenshot(page, "mapping")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    table = Path(download.value.path()).read_text(encoding="utf-8-sig")
    lines = [f"{line},{SKU}" if f",{SKU}," in line else line for line in table.splitlines()]
    lines = [re.sub(r",,([^,]*)$", r",\1", line) if line.endswith(f",{SKU}") else line for line in lines]
    edited = tmp_path / "mapping.csv"
    edited.write_text("\n".join(lines))
    page.locator("input[type=file]").set_input_files(edited)
    staff.click("Preview")
    staff.sees("Link: 1")
    save_screenshot(page, "mapping-preview")
    staff.click("Apply")
    expect(page.get_by_text("Applied. Link: 1")).to_be_visible()

    staff.open("/carts/1/")
    staff.click("Edit")
    page.locator("#id_last_order_from").fill("2020-01-01T00:00:00")
    page.locator("#id_last_update_time").fill("2020-01-01T00:00:00")
    page.locator("#id_from_item_updates").check()
    page.locator("#id_to_item_updates").check()
    page.locator("#id_poll_interval_seconds").fill("5")
    staff.click("Save")
    expect(page.get_by_text("Saved.")).to_be_visible()
    staff.click("Start")
    page.get_by_label("Start without").or_(page.locator("input[name=without_rehearsal]")).first.check()
    staff.click("Start now")
    staff.sees("RUNNING")

    for number in range(3):
        staff.open("/backoffice/item/add/")
        page.locator("#id_sku").fill(f"NEW-{number}")
        page.locator("#id_name").fill(f"New thing {number}")
        page.locator("#id_price").fill("12.50")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("was added successfully")).to_be_visible()
    staff.open("/carts/1/items/?search=NEW-")
    page.get_by_label("Select this page").first.check()
    save_screenshot(page, "items-export")
    page.get_by_role("button", name=re.compile("Export selected")).click()
    staff.sees("Created in the cart", 60)
    staff.sees("3 / 3", 60)
    assert [shop.product(f"NEW-{number}")["regular_price"] for number in range(3)] == ["12.5"] * 3

    set_price(staff, SKU, "41")
    until(lambda: shop.product(SKU)["regular_price"] == "41")

    # Both at once: ours while nothing is sent, theirs while nothing is read.
    staff.open("/carts/1/")
    staff.click("Stop")
    staff.sees("STOPPED")
    set_price(staff, SKU, "42")
    shop.change(SKU, regular_price="43")
    staff.open("/carts/1/start/")
    if page.locator("input[name=without_rehearsal]").count():
        page.locator("input[name=without_rehearsal]").first.check()
    staff.click("Start now")
    staff.sees("RUNNING")

    def is_asked() -> bool:
        staff.open("/carts/problems/")
        return page.get_by_text("Changed on both sides").count() > 0

    until(is_asked)
    row = page.get_by_role("row").filter(has_text=SKU).first
    expect(row).to_contain_text("42")
    expect(row).to_contain_text("43")
    save_screenshot(page, "conflict")
    row.get_by_role("button", name="Keep ours").click()
    expect(page.get_by_text("Ours counts")).to_be_visible()
    until(lambda: shop.product(SKU)["regular_price"] == "42")
